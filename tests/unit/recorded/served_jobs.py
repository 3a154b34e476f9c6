"""A recorded OCIJob in a simulated cluster and OCI, which have what its status names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from tests.support.recorded import Record
from tests.unit.reconcile.simulation.job_laws import JobLaws
from tests.unit.reconcile.simulation.job_scenario import JobScenario
from tests.unit.reconcile.simulation.job_shell import JobShell
from tests.unit.reconcile.simulation.job_world import JobCircumstances, JobWorld
from tests.unit.reconcile.simulation.oci_jobs import SimulatedJob
from tests.unit.reconcile.simulation.scenario import Scenario
from tests.unit.recorded.served_identity import RecordedIdentity

from ocijobs.api.job.spec import OCIJob
from ocijobs.api.job.status import Artifact
from ocijobs.api.shared.conditions import ConditionType, is_true
from ocijobs.api.shared.metadata import ObjectMeta
from ocijobs.api.shared.names import TAG_OWNER
from ocijobs.artifact.files import sources_digest
from ocijobs.backends.data_flow.requests import ApplicationRequest
from ocijobs.backends.data_science.requests import JobRequest
from ocijobs.backends.records import JobState
from ocijobs.backends.requests import JobCreation, Tags
from ocijobs.reconcile.actions.action import Action
from ocijobs.reconcile.actions.jobs import CreateJob
from ocijobs.reconcile.job.observation import JobObservation
from ocijobs.reconcile.known.sources import SourcesRead


class RecordedJobWorld(JobWorld):
    """All that a recorded job lives in, at the time at which it was recorded."""

    def __init__(self, record: Record) -> None:
        self.recorded = OCIJob.model_validate(record.document)
        super().__init__(
            JobCircumstances(
                spark=self.recorded.spec.infrastructure.data_flow is not None,
                retain=self.recorded.spec.retained,
                history_limit=self.recorded.spec.revision_history_limit,
            )
        )
        self.clock.advance((record.written_at - self.clock.now()).total_seconds())
        self.identity = RecordedIdentity(record)
        self.api.object = self.recorded
        runtime = record.document["spec"].get("runtime", {})
        sources = [each["source"] for each in runtime.values() if "source" in each]
        self._inline: dict[str, str] = sources[0].get("inline", {}) if sources else {}

    def put(self, request: JobCreation, owners: dict[str, str]) -> None:
        """Have OCI know the revisions that the status names, as that request makes them."""
        for revision in self.recorded.status.revisions:
            owner = owners[revision.job_id]
            job = SimulatedJob(revision.job_id, _tagged(request, owner), request.settings)
            job.settings = job.request.settings
            job.history.append((revision.last_used_at, JobState.ACTIVE))
            if revision.artifact is not None:
                job.artifact = revision.artifact.sha256
                if revision.artifact.uri is not None:
                    self.applications.folders[revision.artifact.uri] = revision.artifact.sha256
            self.oci.jobs.append(job)

    def _sources(self, job: OCIJob, now: datetime) -> SourcesRead:
        """Return the code as it was read when the object was recorded."""
        read, artifact = super()._sources(job, now), self._newest
        if self._inline:
            files = {name: text.encode() for name, text in self._inline.items()}
            read = replace(read, digest=sources_digest(files))
        if artifact is None:
            return read
        return replace(
            read,
            name=artifact.name,
            sha256=artifact.sha256,
            size=artifact.size,
            libraries=artifact.libraries,
        )

    @property
    def artifact(self) -> str:
        """SHA-256 of the artifact that the code makes."""
        return self._newest.sha256 if self._newest is not None else super().artifact

    @property
    def _newest(self) -> Artifact | None:
        """The code of the revision that the spec makes, as far as the status tells it."""
        status = self.recorded.status
        if is_true(status.conditions, ConditionType.READY) or not status.revisions:
            return status.artifact
        return status.revisions[-1].artifact


def _tagged(request: JobCreation, owner: str) -> JobCreation:
    """Return a request with another owner tag."""
    tags = request.settings.tags
    own = Tags(freeform={**tags.freeform, TAG_OWNER: owner}, defined=tags.defined)
    match request:
        case JobRequest(settings=settings):
            return replace(request, settings=replace(settings, tags=own))
        case ApplicationRequest(settings=changed):
            return replace(request, settings=replace(changed, tags=own))
    raise AssertionError("a request of no service that has records")


class RecordedJobLaws(JobLaws):
    """The laws of all histories, and what was called."""

    def __init__(self, world: JobWorld) -> None:
        super().__init__(world)
        self.calls: list[Action] = []

    def on_call(self, seen: ObjectMeta, action: Action) -> None:
        """Take note of a call."""
        self.calls.append(action)
        super().on_call(seen, action)

    @property
    def creations(self) -> Iterator[CreateJob]:
        """What was sent to create a job."""
        return (action for action in self.calls if isinstance(action, CreateJob))


class RecordedJobShell(JobShell):
    """A process in the cluster that the object was recorded in."""

    def __init__(self, world: JobWorld, laws: JobLaws, cluster_id: str) -> None:
        self._cluster_id = cluster_id
        super().__init__(world, laws)

    def _observe(self) -> JobObservation:
        return replace(super()._observe(), cluster_id=self._cluster_id)


class RecordedJob(JobScenario):
    """A recorded job, and a process that has never seen it."""

    world: RecordedJobWorld
    laws: RecordedJobLaws

    def __init__(self, record: Record) -> None:
        self.world = RecordedJobWorld(record)
        self.laws = RecordedJobLaws(self.world)
        self.shell = RecordedJobShell(self.world, self.laws, record.cluster_id)
        Scenario.__init__(self, self.world.weather, self.shell)

    def go_on(self) -> bool:
        """Let everything work until the job rests; return whether it is there."""
        self.world.heal()
        return self._until_quiet()


def made_today(record: Record) -> CreateJob:
    """Return the creation of the job's newest revision, as this version makes it of the same spec and code."""
    twin = RecordedJob(record)
    twin.world.api.edit_status()
    twin.go_on()
    (creation,) = {each.token: each for each in twin.laws.creations}.values()
    return creation
