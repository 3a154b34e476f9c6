"""What an emulator keeps: its database, the resources in it, and content in files."""
