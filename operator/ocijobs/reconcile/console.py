"""Pages of the OCI console.

Those of jobs and job runs are the ones that ADS links to; that of a log is as the console shows it today and is
part of no documented interface.
"""

from __future__ import annotations

from ocijobs.reconcile.remote import LogAddress


def job_url(region: str, job_id: str) -> str:
    """Return the page of a job."""
    return f"https://console.{region}.oraclecloud.com/data-science/jobs/{job_id}"


def job_run_url(region: str, job_run_id: str) -> str:
    """Return the page of a job run."""
    return f"https://console.{region}.oraclecloud.com/data-science/job-runs/{job_run_id}"


def log_url(region: str, log: LogAddress) -> str:
    """Return the page of a log."""
    return (
        f"https://console.{region}.oraclecloud.com/logging/log-groups/{log.log_group_id}"
        f"/logs/{log.log_id}"
    )
