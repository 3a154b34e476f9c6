"""OCIJobRun: one execution of an OCIJob, an immutable intent."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from ocijobs.api import kinds
from ocijobs.api.job.spec import OCIJobSpec
from ocijobs.api.run.settings import RunSettings
from ocijobs.api.run.status import OCIJobRunStatus
from ocijobs.api.shared.dependency import DependsOnList
from ocijobs.api.shared.metadata import IdentityReference, JobReference, ObjectMeta
from ocijobs.api.shared.model import Model, Ocid, immutable, validations

_IMMUTABLE_FIELDS = (
    "jobRef",
    "jobId",
    "jobTemplate",
    "identityRef",
    "displayName",
    "freeformTags",
    "definedTags",
    "env",
    "args",
    "maximumRuntimeInMinutes",
    "infrastructure",
    "logging",
    "container",
    "spark",
    "dependsOn",
    "backoffLimit",
    "failurePolicy",
    "submissionRetryLimit",
    "activeDeadlineSeconds",
    "preRunningDeadlineSeconds",
)


class JobTemplate(Model):
    """An OCIJob that belongs to one run: one file, one run."""

    spec: OCIJobSpec = Field(description="As the spec of an OCIJob.")


class RunAdoption(Model):
    """A job run that was made elsewhere: by ADS, by the console, or by an operator of another cluster."""

    job_run_id: Ocid = Field(description="OCID of the job run.")
    former_owner: Annotated[str, Field(min_length=1, max_length=256)] | None = Field(
        default=None,
        description=(
            "status.owner of the object that launched the job run. A job run that an operator like "
            "this one launched is adopted only with it."
        ),
    )


_OF_SPARK = "has(self.jobTemplate) && has(self.jobTemplate.spec.infrastructure.dataFlow)"


class OCIJobRunSpec(RunSettings):
    """Desired state of an OCIJobRun: which job it runs, and what it overrides of the job.

      spec:
        jobRef:
          name: train-classifier
        env:
          - name: TREES
            value: "200"

    A run is one execution: only `suspend`, `cancel`, `ttlSecondsAfterFinished` and `deletionPolicy` of its spec can be
    edited.
    """

    model_config = ConfigDict(
        json_schema_extra=validations(
            (
                "[has(self.jobRef), has(self.jobId), has(self.jobTemplate)].exists_one(x, x)",
                "exactly one of jobRef, jobId and jobTemplate must be given",
            ),
            ("!has(self.identityRef) || has(self.jobId)", "identityRef needs jobId"),
            (
                (
                    f"!({_OF_SPARK}) || !has(self.failurePolicy) || "
                    "self.failurePolicy.rules.all(r, !has(r.onExitCodes))"
                ),
                "onExitCodes: Data Flow tells no exit code; give onLifecycleDetails",
            ),
            (
                f"!({_OF_SPARK}) || self.deletionPolicy == 'Retain'",
                "deletionPolicy: Data Flow deletes no record of a run; leave it at Retain",
            ),
            (
                (
                    f"!({_OF_SPARK}) || !(has(self.infrastructure) || has(self.logging) || "
                    "has(self.container))"
                ),
                "infrastructure, logging and container are for Data Science: use spark",
            ),
            (
                f"!has(self.spark) || !has(self.jobTemplate) || ({_OF_SPARK})",
                "spark needs a job with infrastructure.dataFlow",
            ),
            *(immutable(field, kinds.RUN) for field in _IMMUTABLE_FIELDS),
            (
                "!has(oldSelf.adopt) || (has(self.adopt) && self.adopt == oldSelf.adopt)",
                "adopt is immutable once it is set: create another OCIJobRun",
            ),
            (
                "!(has(oldSelf.cancel) && oldSelf.cancel) || (has(self.cancel) && self.cancel)",
                "cancel can't be taken back: create another OCIJobRun",
            ),
        )
    )

    job_ref: JobReference | None = Field(default=None, description="The OCIJob that is run.")
    job_id: Ocid | None = Field(
        default=None,
        description=(
            "OCID of an OCI job that belongs to no OCIJob of this cluster, such as one made with ADS. "
            "The operator reads its compartment and project from OCI."
        ),
    )
    job_template: JobTemplate | None = Field(
        default=None,
        description="An OCIJob of the run's own. It has the run's name, and is deleted with the run.",
    )
    identity_ref: IdentityReference | None = Field(
        default=None,
        description="Who calls OCI for a run with jobId; by default the OCIIdentity named `default`.",
    )
    depends_on: DependsOnList = Field(
        default=(),
        description="Runs and sweeps that have to end first. They may be created later.",
    )
    adopt: RunAdoption | None = Field(
        default=None,
        description=(
            "A job run that exists already: the operator follows it, and launches none. It may be set "
            "later, as long as the run is not launched. Once set, it can't be changed."
        ),
    )
    cancel: bool = Field(
        default=False,
        description="True cancels the run in OCI and keeps this record. This can't be undone.",
    )
    suspend: bool = Field(
        default=False,
        description=(
            "True keeps the run from being launched. An attempt that is active is cancelled, and its "
            "record kept. False then launches another attempt."
        ),
    )

    def job_name(self, run_name: str) -> str | None:
        """Return the name of the OCIJob that the run is of; None for an OCI job outside the cluster."""
        if self.job_ref is not None:
            return self.job_ref.name
        return run_name if self.job_template is not None else None


class OCIJobRun(Model):
    """One execution of an OCIJob.

    Its spec can't be edited, except for `suspend`, `cancel`, `ttlSecondsAfterFinished` and `deletionPolicy`: to run
    again, create another. Deleting a run that is active cancels it in OCI.
    """

    metadata: ObjectMeta
    spec: OCIJobRunSpec
    status: OCIJobRunStatus = Field(default=OCIJobRunStatus())

    @property
    def job_name(self) -> str | None:
        """Name of the OCIJob that the run is of; None for an OCI job outside the cluster."""
        return self.spec.job_name(self.metadata.name)
