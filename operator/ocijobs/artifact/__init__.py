"""Job artifacts: what is uploaded to OCI as a job's code, built from sources, byte for byte the same each time."""
