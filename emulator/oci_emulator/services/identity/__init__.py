"""Identity: compartments, users, regions."""
