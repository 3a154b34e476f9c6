"""Kubernetes operator for OCI Data Science jobs: `OCIJob` and `OCIJobRun` as custom resources."""

__version__ = "0.1.0"
