"""What a job's runs start, one sort a module."""
