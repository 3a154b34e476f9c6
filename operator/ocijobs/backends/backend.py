"""A service that runs jobs, as all but its own package knows it.

What a service is like, and what jobs and runs are made of there, is one value. Decisions ask it, and never ask which
service it is. The fields without a default and the abstract methods are what each service must have. All else is a
capability: its default is to lack it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypedDict

from ocijobs.api.identity import IdentityDefaults
from ocijobs.api.job.infrastructure import Infrastructure
from ocijobs.api.job.spec import OCIJobSpec
from ocijobs.api.job.status import Artifact
from ocijobs.api.run.binding import RunTemplate
from ocijobs.api.run.settings import RunSettings
from ocijobs.api.shared.environment import EnvVar
from ocijobs.backends.digest import as_document
from ocijobs.backends.environment import variables_of
from ocijobs.backends.inputs import JobInput, RunInput
from ocijobs.backends.names import KnownNames
from ocijobs.backends.pod_sets import PodSet
from ocijobs.backends.records import RunRecord, RunState
from ocijobs.backends.requests import JobChange, JobCreation, RunCreation, Tags, WantedName
from ocijobs.settings import Settings


class MachinesTold(TypedDict, total=False):
    """Fields of a run's `status.binding` that tell people of its machines."""

    shape_name: str | None
    ocpus: float | None
    memory_in_gbs: float | None
    block_storage_size_in_gbs: int | None
    nodes: int | None
    compute_target_id: str | None


@dataclass(frozen=True, kw_only=True)
class Backend(ABC):
    """A service that runs jobs.

    Requests and settings that a method takes are of the service's own classes: no caller hands on another's.

    Attributes:
        name: the service in `status.backend`.
        title: the service in messages for people.
        job_type: type in the OCIDs of its jobs.
        run_type: type in the OCIDs of its runs.
        job_page: path of a job's page in the console, up to its OCID.
        run_page: path of a run's page in the console, up to its OCID.
        run_states: lifecycleStates that its runs have, in the order of the lifecycle.
        ended_well: message of a run that has succeeded.
        needs_project: whether jobs and runs are in a project.
        code_bucket_field: path of the field with the bucket that code goes to, where code is in Object Storage and the
            job names it; None where code is the job's artifact.
        deletes_records: whether the record of a run that has ended can be deleted.
        filters_combine: whether one list can be of a job and of a state.
        lists_in_part: whether lists lack what a run in progress tells by itself: its log and its nodes.
        tells_start: whether a run in progress tells when its code started; else that is when it was first seen.
        keeps_logs: whether it keeps the output of its runs itself; else the output is in OCI Logging, or nowhere.
        measured: whether Monitoring has what runs use of their machines.
    """

    name: str
    title: str
    job_type: str
    run_type: str
    job_page: str
    run_page: str
    run_states: tuple[RunState, ...]
    ended_well: str
    needs_project: bool = False
    code_bucket_field: str | None = None
    deletes_records: bool = False
    filters_combine: bool = False
    lists_in_part: bool = False
    tells_start: bool = False
    keeps_logs: bool = False
    measured: bool = False

    @property
    def active_states(self) -> tuple[RunState, ...]:
        """States of a run that has not ended: listed in this order, a run that moves on is not missed."""
        return tuple(state for state in self.run_states if state.active)

    @property
    def code_in_bucket(self) -> bool:
        """Whether code is in Object Storage, where the job names it; else it is the job's artifact."""
        return self.code_bucket_field is not None

    # What each service has

    @abstractmethod
    def is_meant_by(self, infrastructure: Infrastructure) -> bool:
        """Whether an OCIJob with this infrastructure runs on the service."""

    @abstractmethod
    def template(
        self, spec: OCIJobSpec, *, region: str, artifact: Artifact | None, names: KnownNames
    ) -> RunTemplate:
        """Return what the job's runs start, and on what: all that a run's request is made from.

        Args:
            spec: of the OCIJob.
            region: of the calls.
            artifact: the code, with its place; None while that is not known.
            names: OCIDs of what the spec gives by name.
        """

    @abstractmethod
    def foreign_template(self, content: JobCreation) -> RunTemplate:
        """Return what runs start of a job that was made elsewhere, as far as a status may have it."""

    @abstractmethod
    def revision_content(self, made: JobInput) -> Mapping[str, object]:
        """Return what makes another revision of a job, beside its compartment and its code.

        It is all that the service does not change in a job, and all that a run can't be sent otherwise. Never change
        what a spec gives without need: each job of the service would be made anew.
        """

    @abstractmethod
    def job_request(self, made: JobInput, tags: Tags) -> JobCreation:
        """Return the request that makes the job."""

    @abstractmethod
    def run_request(self, run: RunInput) -> RunCreation | str:
        """Return the request that makes the run; or, in words for people, what the run asks for and can't have."""

    @abstractmethod
    def run_content(self, request: RunCreation, settings: RunSettings) -> Mapping[str, object]:
        """Return what of a run's request its digest is taken over, beside what all requests have. Nothing is secret."""

    @abstractmethod
    def setting_fields(self, settings: JobChange) -> Iterable[tuple[str, object]]:
        """Return what is changed in place as fields of the manifest with their values, beside name, text and tags.

        A field whose value is None says nothing.
        """

    @abstractmethod
    def fixed_fields(self, request: JobCreation) -> Iterable[tuple[str, object]]:
        """Return all else of a job but its code as fields of the manifest with their values."""

    # What a service may have

    def problem(self, spec: OCIJobSpec, *, region: str, limits: Settings) -> str | None:
        """Return what the service would refuse about the spec, in words for people."""
        del spec, region, limits
        return None

    def wanted_names(
        self, spec: OCIJobSpec, defaults: IdentityDefaults, names: KnownNames
    ) -> Iterator[WantedName]:
        """Yield what the spec gives by name or address whose OCID the job is made with.

        A name that is within another one is not yielded before the OCID of that one is known.
        """
        del spec, defaults, names
        yield from ()

    def shape_names(self, spec: OCIJobSpec) -> Mapping[str, str]:
        """Return every shape that the spec names and that Data Science has a list of, by its field's path."""
        del spec
        return {}

    def code_bucket(self, spec: OCIJobSpec) -> str | None:
        """Return the bucket that the spec gives for its code, where code is in Object Storage."""
        del spec
        return None

    def settings_content(self, settings: JobChange) -> object:
        """Return what the digest of the settings is taken over, as JSON. Nothing is secret."""
        return as_document(settings)

    def job_content(self, request: JobCreation) -> object:
        """Return what the digest of a creation is taken over, as JSON. Nothing is secret."""
        return as_document(request)

    def code_found(self, artifact: Artifact, content: JobCreation) -> Artifact | None:
        """Return the artifact at the place where a job that was made elsewhere has it; None where none is told."""
        del artifact, content
        return None

    def starts_the_same(self, wanted: JobCreation, found: JobCreation) -> bool:
        """Whether a job without an artifact, whose tags tell nothing, starts what is wanted."""
        del wanted, found
        return False

    def variables(self, template: RunTemplate, run: RunSettings | None) -> tuple[EnvVar, ...]:
        """Return every variable that some node of a run has, as it was written."""
        return variables_of(template, run)

    def outputs_uri(self, run: RunInput) -> str | None:
        """Return where the run's outputs go, expanded but for its own OCID; None where nothing saves them."""
        del run
        return None

    def machines_told(self, template: RunTemplate, settings: RunSettings) -> MachinesTold:
        """Return what people are told of a run's machines."""
        del template, settings
        return {}

    def pod_sets(self, template: RunTemplate, settings: RunSettings) -> tuple[PodSet, ...]:
        """Return what a run counts for with Kueue; one machine of no known size by default."""
        del template, settings
        return (PodSet(name="main"),)

    def goes_on(self, template: RunTemplate) -> bool:
        """Whether a run has no end of its own, as a stream has none."""
        del template
        return False

    def exit_code(self, record: RunRecord) -> int | None:
        """Return the exit code of a run; None of one whose code is not told."""
        del record
        return None
