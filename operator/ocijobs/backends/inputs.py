"""What the requests of jobs and runs are made from, whatever the backend."""

from __future__ import annotations

from dataclasses import dataclass

from ocijobs.api.identity import IdentityDefaults
from ocijobs.api.job.spec import OCIJob
from ocijobs.api.job.status import Artifact
from ocijobs.api.run.binding import JobBinding, RunTemplate
from ocijobs.api.run.settings import RunSettings
from ocijobs.backends.names import KnownNames
from ocijobs.backends.requests import Tags
from ocijobs.backends.values import Values
from ocijobs.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class JobInput:
    """What a job's request is made from.

    Attributes:
        cluster_id: names the cluster in tags.
        project_id: None where the backend has no projects.
        region: of the calls.
        defaults: what the identity gives to jobs that do not say it themselves.
        names: OCIDs of all that the spec gives by name.
        artifact: the code; where it goes to Object Storage, with its place.
    """

    job: OCIJob
    cluster_id: str
    compartment_id: str
    project_id: str | None
    region: str
    defaults: IdentityDefaults
    names: KnownNames
    artifact: Artifact | None

    @property
    def display_name(self) -> str:
        """Name of the job in the console."""
        meta = self.job.metadata
        return self.job.spec.display_name or f"{meta.namespace}/{meta.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInput:
    """What a run's request is made from.

    Attributes:
        name: namespace and name of the OCIJobRun.
        job: the job, as the run is bound to it.
        job_name: the job in messages: name of the OCIJob, or OCID of one outside the cluster.
        settings: the run's own, with the results that it takes of others.
        values: what the variables' references gave.
        tags: all tags of the run in OCI.
        scheduled_time: the time that a schedule made the run for.
        moved_on: whether the OCIJob has changed since it was bound: what OCI changes in place may be another now.
        limits: with those of OCI.
    """

    name: str
    job: JobBinding
    job_name: str
    settings: RunSettings
    values: Values
    tags: Tags
    scheduled_time: str | None
    moved_on: bool
    limits: Settings

    @property
    def template(self) -> RunTemplate:
        """What the job's runs start."""
        return self.job.template or RunTemplate()

    @property
    def display_name(self) -> str:
        """Name of the run in the console."""
        return self.settings.display_name or self.name
