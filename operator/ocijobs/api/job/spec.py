"""OCIJob: a template of runs, kept as OCI jobs of which each is one immutable revision."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from ocijobs.api.job.infrastructure import Infrastructure
from ocijobs.api.job.machines.data_flow import SparkLanguage
from ocijobs.api.job.rules import JOB_RULES
from ocijobs.api.job.runtime import Runtime
from ocijobs.api.job.status import OCIJobStatus
from ocijobs.api.shared.environment import Arguments, EnvVars
from ocijobs.api.shared.metadata import IdentityReference, ObjectMeta
from ocijobs.api.shared.model import (
    DeletionPolicy,
    DisplayName,
    JobDefinedTags,
    JobFreeformTags,
    Minutes,
    Model,
    Ocid,
    RelativePath,
    ResultNames,
    validations,
)


class AdoptionMode(StrEnum):
    """What the operator does with an OCI job that was made elsewhere."""

    ADOPT = "Adopt"
    OBSERVE = "Observe"


class Adoption(Model):
    """An OCI job that was made elsewhere: by ADS, by the console, or by an operator of another cluster."""

    ocid: Ocid = Field(description="OCID of the OCI job.")
    mode: AdoptionMode = Field(
        default=AdoptionMode.ADOPT,
        description=(
            "Adopt: the OCI job belongs to this object, and the operator keeps it as the manifest "
            "says. Observe: the operator changes nothing of it; runs can be launched from it, and "
            "status.differences lists where it differs from the manifest."
        ),
    )
    former_owner: Annotated[str, Field(min_length=1, max_length=256)] | None = Field(
        default=None,
        description=(
            "status.owner of the object that made the OCI job. An OCI job that an operator like this "
            "one made is adopted only with it."
        ),
    )


class DriftPolicy(StrEnum):
    """What the operator does about settings that others changed in OCI."""

    CORRECT = "Correct"
    REPORT = "Report"


class Outputs(Model):
    """Files that outlive the run: when the code has ended, the files of one folder are copied to Object Storage."""

    path: RelativePath = Field(
        default="outputs",
        description=(
            "Folder, in the working directory, whose files are copied. It exists before the code "
            "starts."
        ),
    )
    uri: Annotated[str, Field(max_length=1024, pattern=r"^oci://[^@/]+@[^@/]+(/.*)?$")] = Field(
        description=(
            "Where the files go when the code has ended, successful or not: "
            "oci://bucket@namespace/prefix. `$(VAR)` stands for an environment variable of the run; "
            "$(JOB_RUN_OCID) gives each run a folder of its own."
        )
    )


class OCIJobSpec(Model):
    """Desired state of an OCIJob: `runtime` is what runs, `infrastructure` the machines; the rest has defaults.

    OCI changes the name, the description, the tags and the compute of a job in place. Any other change (code, software,
    variables, arguments, logging) makes a new revision, which is another OCI job.
    """

    model_config = ConfigDict(json_schema_extra=validations(*JOB_RULES))

    identity_ref: IdentityReference | None = Field(
        default=None,
        description=(
            "Who calls OCI; by default the OCIIdentity named `default` of this namespace. "
            "Immutable."
        ),
    )
    compartment_id: Ocid | None = Field(
        default=None,
        description="Compartment of the job and its runs; by default that of the identity. Immutable.",
    )
    project_id: Ocid | None = Field(
        default=None,
        description="Data Science project; by default that of the identity. Immutable.",
    )
    display_name: DisplayName | None = Field(
        default=None, description="Name in OCI; by default namespace/name of the object."
    )
    description: Annotated[str, Field(max_length=400)] | None = Field(
        default=None, description="Description in OCI."
    )
    freeform_tags: JobFreeformTags | None = Field(
        default=None,
        description=(
            "Free-form tags, 7 at most: OCI allows 10, of which the operator and its drivers need"
            " 3."
        ),
    )
    defined_tags: JobDefinedTags | None = Field(
        default=None, description="Defined tags: tag namespace -> key -> value."
    )
    infrastructure: Infrastructure = Field()
    runtime: Runtime | None = Field(default=None)
    adopt: Adoption | None = Field(
        default=None,
        description="An OCI job that was made elsewhere. Immutable, except for its mode.",
    )
    env: EnvVars = Field(
        default=(),
        description="Environment variables of every run. A run may add to them and override them.",
    )
    args: Arguments = Field(
        default=(),
        description=(
            "Command line arguments; a run may replace them all. OCI allows 4,000 characters "
            "together."
        ),
    )
    maximum_runtime_in_minutes: Minutes | None = Field(
        default=None,
        description="OCI ends a run that takes longer than this. By default 43,200 (30 days).",
    )
    outputs: Outputs | None = Field(
        default=None,
        description=(
            "Files that outlive the run: when the code has ended, successful or not, the files of one "
            "folder are copied to Object Storage. The run's resource principal needs the right to "
            "write there."
        ),
    )
    results: ResultNames | None = Field(
        default=None,
        description=(
            "Names of values that every run reports, by printing a line such as "
            '`{"ocijobs.io/results": {"auc": 0.93}}`. '
            "The run's status.results has them as they were printed."
        ),
    )
    max_active_runs: Annotated[int, Field(ge=1, le=10000)] | None = Field(
        default=None,
        description="How many runs of the job may be active at a time. Further runs wait for their turn.",
    )
    deletion_policy: DeletionPolicy | None = Field(
        default=None,
        description=(
            "Whether the OCI jobs are deleted with the object. By default Delete; with `adopt`, by "
            "default Retain."
        ),
    )
    drift_policy: DriftPolicy = Field(
        default=DriftPolicy.CORRECT,
        description=(
            "Correct: the operator sets settings that others changed in OCI back. Report: it only "
            "lists them in status.differences."
        ),
    )
    revision_history_limit: Annotated[int, Field(ge=0, le=100)] = Field(
        default=10,
        description="Number of former revisions that are kept although no run needs them.",
    )

    @property
    def reads_remotely(self) -> bool:
        """Whether the operator reads the code from outside the cluster's objects."""
        return self.runtime is not None and self.runtime.reads_remotely

    @property
    def language(self) -> SparkLanguage | None:
        """The language of Spark code; None of Data Science."""
        given = self.infrastructure.data_flow
        return given.language if given is not None else None

    @property
    def observed_only(self) -> bool:
        """Whether nothing in OCI may be changed."""
        return self.adopt is not None and self.adopt.mode is AdoptionMode.OBSERVE

    @property
    def retained(self) -> bool:
        """Whether the OCI jobs stay when the object goes."""
        if self.observed_only:
            return True
        default = DeletionPolicy.DELETE if self.adopt is None else DeletionPolicy.RETAIN
        return (self.deletion_policy or default) is DeletionPolicy.RETAIN


class OCIJob(Model):
    """A template of runs in OCI Data Science or Data Flow: code, software, compute and settings.

    The code is immutable in OCI; settings can be changed. A change that OCI can't make in place makes a new revision,
    which is another OCI job. Runs keep the revision that they were launched with.
    """

    metadata: ObjectMeta
    spec: OCIJobSpec
    status: OCIJobStatus = Field(default=OCIJobStatus())
