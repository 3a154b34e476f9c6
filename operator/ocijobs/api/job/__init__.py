"""OCIJob: what is run, and on what."""
