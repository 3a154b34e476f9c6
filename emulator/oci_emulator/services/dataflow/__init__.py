"""Data Flow: Spark applications and their runs."""
