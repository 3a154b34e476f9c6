"""An emulator as a whole: its process, its ports, the cloud behind them, and its state directory."""
