"""How things are written: JSON, OCIDs, patterns."""
