"""Decisions about an OCIJob, one policy a module."""
