"""Decisions about an OCIJobRun, one policy a module."""
