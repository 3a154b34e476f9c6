"""Observed state of an OCIJob: its revisions, what is being made, and what of it is not as the manifest says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self, Unpack

from pydantic import Field

from ocijobs.api.shared.backend import RecordedBackend
from ocijobs.api.shared.conditions import Conditions
from ocijobs.api.shared.metadata import IdentityReference
from ocijobs.api.shared.model import (
    ATOMIC_LIST,
    Digest,
    Model,
    Ocid,
    RegionName,
    RevisionName,
    Time,
    Url,
    map_list,
)

if TYPE_CHECKING:
    from ocijobs.api.status_changes import JobStatusFields


class Artifact(Model):
    """What was uploaded as the job's code."""

    name: Annotated[str, Field(max_length=255)] = Field(description="File name of the artifact.")
    sha256: Digest = Field(description="SHA-256 of the artifact, in hexadecimal.")
    size: Annotated[int, Field(ge=0)] = Field(description="Size in bytes.")
    uri: Annotated[str, Field(max_length=2048)] | None = Field(
        default=None,
        description="Folder of Object Storage with the code; only of a Spark job.",
    )
    libraries: Annotated[
        tuple[Annotated[str, Field(max_length=255)], ...],
        Field(max_length=64, json_schema_extra=ATOMIC_LIST),
    ] = Field(
        default=(),
        description="Files of the folder beside the one that is run: modules.zip, and jars.",
    )


class SourceState(Model):
    """The source, as it was read for the current revision."""

    version: Annotated[str, Field(max_length=512)] | None = Field(
        default=None,
        description=(
            "Version of the remote source: a commit, an artifact's digest, a checksum or an ETag."
        ),
    )
    digest: Digest = Field(description="SHA-256 over the files' names and contents.")


class SourceAttempt(Model):
    """A reading of a remote source, recorded before it begins: a source that ends its process is set aside."""

    generation: Annotated[int, Field(ge=0)] = Field(
        description="The metadata.generation that it is for."
    )
    version: Annotated[str, Field(max_length=512)] = Field(
        description="Version of the source: a commit, an artifact's digest, a checksum or a digest of ETags."
    )
    requested: Digest | None = Field(
        default=None,
        description="SHA-256 of the annotation ocijobs.io/requestedAt when the reading began.",
    )
    started_at: Time = Field(description="When the reading began.")
    attempts: Annotated[int, Field(ge=1)] = Field(
        description="How many readings began whose end is not known, this one included."
    )
    failure: Annotated[str, Field(max_length=1024)] | None = Field(
        default=None, description="What is known of the end of the process that read the source."
    )


class ResolvedName(Model):
    """What a name in the spec means in OCI."""

    kind: Annotated[str, Field(max_length=63)] = Field(
        description="LogGroup, Log, MountTarget, Export or Pool."
    )
    name: Annotated[str, Field(max_length=2048)] = Field(description="The name, as in the spec.")
    id: Ocid = Field(description="OCID of the resource with this name.")


class Submission(Model):
    """The intent to create something in OCI. It is written before the call, so that the creation happens once."""

    token: Digest = Field(
        description=(
            "opc-retry-token of the call. For 24 hours, OCI answers the same token with the same "
            "resource."
        )
    )
    incarnation: Annotated[int, Field(ge=0)] = Field(
        default=0,
        description=(
            "How many times the intent was renewed after searches had proven that nothing was "
            "created."
        ),
    )
    request_digest: Digest = Field(
        description="Digest of the request. Secrets count by uid and resourceVersion, never by value."
    )
    started_at: Time = Field(description="When the intent was first written.")


class JobSubmission(Submission):
    """The intent to create an OCI job."""

    revision: RevisionName = Field(description="Revision that the OCI job is made for.")


class Revision(Model):
    """One OCI job of this object."""

    name: RevisionName = Field(
        description="Hash, with a version, of what OCI can't change in a job, the code included."
    )
    job_id: Ocid = Field(description="OCID of the OCI job.")
    settings_digest: Digest = Field(
        description="Digest of the changeable settings that were sent last."
    )
    artifact: Artifact | None = Field(
        default=None, description="The uploaded code; absent for a container without files."
    )
    complete: bool | None = Field(
        default=None,
        description="True once the OCI job has all that a run needs, the code included.",
    )
    last_used_at: Time = Field(description="When the revision last became the current one.")
    refused_settings: Digest | None = Field(
        default=None,
        description=(
            "Digest of settings that OCI refused to change in place; they made another revision."
        ),
    )
    removing: bool | None = Field(
        default=None,
        description=(
            "True if the OCI job is being deleted. Going back to its revision then makes another one."
        ),
    )


class Difference(Model):
    """A field in which OCI's job differs from the manifest."""

    field: Annotated[str, Field(max_length=253)] = Field(description="Path of the field in spec.")
    wanted: Annotated[str, Field(max_length=256)] = Field(description="What the manifest says.")
    found: Annotated[str, Field(max_length=256)] = Field(description="What OCI has.")


class AdoptedJob(Model):
    """The OCI job that was adopted or is observed, as far as its runs need it."""

    ocid: Ocid = Field(description="OCID of the OCI job.")
    kept: bool = Field(
        description="Whether the OCI job belongs to this object (mode Adopt) or is only read (mode Observe)."
    )
    command_line_arguments: Annotated[str, Field(max_length=4096)] | None = Field(
        default=None, description="Arguments that the OCI job has itself."
    )
    maximum_runtime_in_minutes: int | None = Field(
        default=None, description="Time limit that the OCI job has itself."
    )


class RunCounts(Model):
    """Counts of the job's OCIJobRuns."""

    active: Annotated[int, Field(ge=0)] = Field(
        description="Runs that are launched and have not ended."
    )


class LastRun(Model):
    """The run that was launched last."""

    name: Annotated[str, Field(max_length=253)] = Field(description="Name of the OCIJobRun.")
    phase: Annotated[str, Field(max_length=63)] = Field(description="Its phase.")
    time: Time = Field(description="When it was accepted.")


class OCIJobStatus(Model):
    """Observed state of an OCIJob."""

    observed_generation: int | None = Field(
        default=None, ge=0, description="The metadata.generation that this status is of."
    )
    owner: Annotated[str, Field(max_length=256)] | None = Field(
        default=None,
        description="First part of the tag ocijobs_owner of the OCI jobs: the cluster and this object's uid.",
    )
    backend: RecordedBackend | None = Field(
        default=None, description="Service of OCI that runs the job: DataScience or DataFlow."
    )
    identity: IdentityReference | None = Field(
        default=None, description="The identity that made the job and keeps it."
    )
    region: RegionName | None = Field(default=None, description="OCI region of the job.")
    compartment_id: Ocid | None = Field(default=None, description="Compartment of the job.")
    project_id: Ocid | None = Field(default=None, description="Data Science project of the job.")
    job_id: Ocid | None = Field(default=None, description="OCID of the current revision's OCI job.")
    revision: RevisionName | None = Field(default=None, description="Name of the current revision.")
    submit: JobSubmission | None = Field(
        default=None,
        description="The intent to create the next revision's OCI job, while its outcome is open.",
    )
    revisions: Annotated[
        tuple[Revision, ...], Field(max_length=128, json_schema_extra=map_list("name"))
    ] = Field(default=(), description="OCI jobs of this object, the current one and former ones.")
    artifact: Artifact | None = Field(default=None, description="Code of the current revision.")
    source: SourceState | None = Field(
        default=None, description="The source that the current revision was made from."
    )
    reading: SourceAttempt | None = Field(
        default=None,
        description="The reading of a remote source that is under way, or that ended the process that read.",
    )
    creations: Annotated[int, Field(ge=0)] | None = Field(
        default=None,
        description=(
            "How many OCI jobs were made for this object. It makes the token of each creation "
            "different."
        ),
    )
    resolved_names: Annotated[
        tuple[ResolvedName, ...], Field(max_length=16, json_schema_extra=map_list("kind", "name"))
    ] = Field(default=(), description="What names and addresses in the spec mean in OCI.")
    adopted: AdoptedJob | None = Field(
        default=None, description="The OCI job that was adopted or is observed."
    )
    differences: Annotated[
        tuple[Difference, ...], Field(max_length=32, json_schema_extra=map_list("field"))
    ] = Field(default=(), description="Fields in which OCI's job differs from the manifest.")
    runs: RunCounts | None = Field(default=None, description="Counts of the job's runs.")
    last_run: LastRun | None = Field(default=None, description="The run that was launched last.")
    console_url: Url | None = Field(default=None, description="The job's page in the OCI console.")
    blocked_since: Time | None = Field(
        default=None, description="Since when the same cause keeps the job from being synced."
    )
    conditions: Conditions = Field(
        default=(),
        description="Ready, Reconciling and Stalled; docs/reference/conditions.md has the table.",
    )

    def changed(self, **fields: Unpack[JobStatusFields]) -> Self:
        """Return the status with other values of some fields."""
        return self.model_copy(update=fields)
