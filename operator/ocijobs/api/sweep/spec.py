"""OCIJobSweep: many simultaneous runs of one job, each with parameters of its own."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from ocijobs.api import kinds
from ocijobs.api.shared.metadata import ObjectMeta
from ocijobs.api.shared.model import Model, immutable, validations
from ocijobs.api.sweep.settings import SweepSettings
from ocijobs.api.sweep.status import OCIJobSweepStatus

_IMMUTABLE_FIELDS = ("jobRef", "matrix", "points", "objective", "runTemplate", "dependsOn")


class OCIJobSweepSpec(SweepSettings):
    """Desired state of an OCIJobSweep.

      spec:
        jobRef:
          name: train
        matrix:
          MODEL: [ridge, forest, boosting]
        parallelism: 3
        objective:
          result: auc
          goal: Maximize

    Each combination becomes an OCIJobRun. But for `parallelism`, `maxFailedRuns`, `suspend`, `cancel` and
    `ttlSecondsAfterFinished` the spec can't be edited.
    """

    model_config = ConfigDict(
        json_schema_extra=validations(
            (
                "has(self.matrix) != has(self.points)",
                "exactly one of matrix and points must be given",
            ),
            *(immutable(field, kinds.SWEEP) for field in _IMMUTABLE_FIELDS),
            (
                "!(has(oldSelf.cancel) && oldSelf.cancel) || (has(self.cancel) && self.cancel)",
                "cancel can't be taken back: create another OCIJobSweep",
            ),
        )
    )

    suspend: bool = Field(
        default=False, description="True suspends the runs, and creates no further ones."
    )
    cancel: bool = Field(
        default=False,
        description="True cancels the runs, and creates no further ones. This can't be undone.",
    )


class OCIJobSweep(Model):
    """Many simultaneous runs of one OCIJob, each with its own environment variables.

    All runs use the job as it was when the first one began. Deleting a sweep deletes its runs.
    """

    metadata: ObjectMeta
    spec: OCIJobSweepSpec
    status: OCIJobSweepStatus = Field(default=OCIJobSweepStatus())
