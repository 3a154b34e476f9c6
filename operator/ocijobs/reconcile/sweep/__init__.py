"""Decisions about OCIJobSweeps."""
