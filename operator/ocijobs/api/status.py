"""The statuses of all kinds."""

from __future__ import annotations

from ocijobs.api.identity import OCIIdentityStatus
from ocijobs.api.job.status import OCIJobStatus
from ocijobs.api.run.status import OCIJobRunStatus
from ocijobs.api.schedule import OCIJobScheduleStatus
from ocijobs.api.sweep.status import OCIJobSweepStatus

AnyStatus = (
    OCIJobRunStatus | OCIJobStatus | OCIJobSweepStatus | OCIJobScheduleStatus | OCIIdentityStatus
)
