"""Decisions about OCIJobSchedules."""
