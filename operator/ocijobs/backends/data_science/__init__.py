"""OCI Data Science: jobs and their runs."""
