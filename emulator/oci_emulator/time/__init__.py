"""The emulator's time, and what happens by itself when it passes."""
