"""A local Oracle Cloud for Data Science jobs: signed HTTP, strict bodies, jobs that really run."""

__version__ = "0.1.0"
