"""The control API below ``/_emulator/``: unsigned, on loopback, for tests and for people."""
