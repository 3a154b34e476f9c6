"""The statuses of all kinds."""

from __future__ import annotations

from ocijobs.api.identity import OCIIdentityStatus
from ocijobs.api.job_run_status import OCIJobRunStatus
from ocijobs.api.job_status import OCIJobStatus
from ocijobs.api.schedule import OCIJobScheduleStatus
from ocijobs.api.sweep_status import OCIJobSweepStatus

AnyStatus = (
    OCIJobRunStatus | OCIJobStatus | OCIJobSweepStatus | OCIJobScheduleStatus | OCIIdentityStatus
)
