"""Pages of the OCI console.

That of a log is as the console shows it today and is part of no documented interface.
"""

from __future__ import annotations

from ocijobs.backends.records import LogAddress
from ocijobs.backends.registry import backend_of


def job_url(region: str, job_id: str) -> str:
    """Return the page of a job."""
    return f"https://console.{region}.oraclecloud.com/{backend_of(job_id).job_page}/{job_id}"


def job_run_url(region: str, job_run_id: str) -> str:
    """Return the page of a run."""
    return (
        f"https://console.{region}.oraclecloud.com/{backend_of(job_run_id).run_page}/{job_run_id}"
    )


def log_url(region: str, log: LogAddress) -> str:
    """Return the page of a log."""
    return (
        f"https://console.{region}.oraclecloud.com/logging/log-groups/{log.log_group_id}"
        f"/logs/{log.log_id}"
    )
