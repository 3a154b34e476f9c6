"""Pages of the OCI console.

Those of jobs and runs are the ones that ADS links to; that of an application is named like them; that of a log is as
the console shows it today and is part of no documented interface.
"""

from __future__ import annotations

from ocijobs.api.infrastructure import Backend
from ocijobs.reconcile.remote import LogAddress
from ocijobs.reconcile.requests import backend_of

_JOBS = {
    Backend.DATA_SCIENCE: "data-science/jobs",
    Backend.DATA_FLOW: "data-flow/apps/details",
}
_RUNS = {
    Backend.DATA_SCIENCE: "data-science/job-runs",
    Backend.DATA_FLOW: "data-flow/runs/details",
}


def job_url(region: str, job_id: str) -> str:
    """Return the page of a job."""
    return f"https://console.{region}.oraclecloud.com/{_JOBS[backend_of(job_id)]}/{job_id}"


def job_run_url(region: str, job_run_id: str) -> str:
    """Return the page of a run."""
    return f"https://console.{region}.oraclecloud.com/{_RUNS[backend_of(job_run_id)]}/{job_run_id}"


def log_url(region: str, log: LogAddress) -> str:
    """Return the page of a log."""
    return (
        f"https://console.{region}.oraclecloud.com/logging/log-groups/{log.log_group_id}"
        f"/logs/{log.log_id}"
    )
