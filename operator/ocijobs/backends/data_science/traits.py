"""OCI Data Science: each run has a virtual machine of its own, or several."""

from __future__ import annotations

import re

from ocijobs.api.shared.backend import Backend
from ocijobs.backends.records import RunRecord, RunState
from ocijobs.backends.traits import BackendTraits

_EXIT_CODE = re.compile(r"exit code (\d+)")


def exit_code(record: RunRecord) -> int | None:
    """Return the exit code: OCI has no field for it, only the words "exit code N" in lifecycleDetails."""
    if record.state is RunState.SUCCEEDED:
        return 0
    if record.state is not RunState.FAILED:
        return None
    found = _EXIT_CODE.search(record.details)
    return int(found.group(1)) if found else None


DATA_SCIENCE = BackendTraits(
    name=Backend.DATA_SCIENCE,
    title="Data Science",
    job_type="datasciencejob",
    run_type="datasciencejobrun",
    job_page="data-science/jobs",
    run_page="data-science/job-runs",
    run_states=(
        RunState.ACCEPTED,
        RunState.IN_PROGRESS,
        RunState.NEEDS_ATTENTION,
        RunState.CANCELING,
        RunState.SUCCEEDED,
        RunState.FAILED,
        RunState.CANCELED,
        RunState.DELETED,
    ),
    ended_well="the run has ended with exit code 0",
    needs_project=True,
    deletes_records=True,
    filters_combine=True,
    lists_in_part=True,
    tells_start=True,
    measured=True,
    exit_code=exit_code,
)
"""Pages of jobs and runs are the ones that ADS links to."""
