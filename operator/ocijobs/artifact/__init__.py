"""Job artifacts: what is uploaded to OCI as a job's code. The same sources give the same bytes."""
