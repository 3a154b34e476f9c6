"""Logging: log groups, logs, their entries, and the search."""
