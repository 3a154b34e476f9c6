"""A status without its optional parts, for an API server that refuses the whole one."""

from __future__ import annotations

from typing import TypeVar

from ocijobs.api.job_run_status import OCIJobRunStatus
from ocijobs.api.model import Model

StatusT = TypeVar("StatusT", bound=Model)


def essential_status(status: StatusT) -> StatusT:
    """Return what decisions need of a status: what people would only read is left out."""
    if not isinstance(status, OCIJobRunStatus):
        return status
    logs = status.logs.model_copy(update={"tail": None}) if status.logs is not None else None
    return status.model_copy(
        update={"logs": logs, "results": None, "outputs": None, "lifecycle_details": None}
    )
