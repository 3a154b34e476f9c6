"""A local Oracle Cloud for Data Science jobs: signed HTTP, strict bodies, jobs that really run."""
