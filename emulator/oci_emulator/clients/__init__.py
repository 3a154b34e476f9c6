"""For programs that use an emulator; needs the standard library alone."""
