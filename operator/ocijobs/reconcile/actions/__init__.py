"""What decisions ask for, as data: the shell does each by one call that is safe to repeat."""
