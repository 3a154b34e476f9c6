"""OCI Data Flow: applications and their runs."""
