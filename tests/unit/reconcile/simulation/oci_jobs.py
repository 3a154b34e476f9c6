"""Simulated jobs of OCI Data Science: one artifact each, settings that change, deletion that takes its time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, is_dataclass, replace
from datetime import datetime, timedelta

from tests.unit.reconcile.simulation.retry_tokens import RetryTokens
from tests.unit.reconcile.simulation.weather import Weather

from ocijobs.api.job.status import Artifact
from ocijobs.api.shared.names import TAG_OWNER
from ocijobs.backends.data_flow.requests import ApplicationRequest, ApplicationSettings
from ocijobs.backends.data_science.requests import JobRequest, JobSettings
from ocijobs.backends.job_record import JobRecord
from ocijobs.backends.records import Absent, JobState, Refusal, RefusalKind
from ocijobs.backends.requests import JobChange, JobCreation, expect
from ocijobs.reconcile.actions.calls import Operation
from ocijobs.testing import ManualClock, make_ocid

TOMBSTONE = timedelta(hours=1)
"""For how long a deleted job is still shown, as DELETED."""

NOT_FOUND = Refusal(kind=RefusalKind.NOT_AUTHORIZED_OR_NOT_FOUND, message="404")
INCORRECT_STATE = Refusal(kind=RefusalKind.CONFLICT, message="409 IncorrectState")

LIVING = frozenset({JobState.CREATING, JobState.ACTIVE})


@dataclass
class SimulatedJob:
    """A job and all that became of it: states with the times at which they begin, some of them still to come."""

    id: str
    request: JobCreation
    settings: JobChange
    history: list[tuple[datetime, JobState]] = field(default_factory=list)
    artifact: str | None = None
    taken_away: bool = False

    @property
    def owner(self) -> str:
        """Value of the owner tag."""
        return self.request.settings.tags.freeform[TAG_OWNER]

    @property
    def uid(self) -> str:
        """Uid of the object that the job is of."""
        return self.owner.split("/")[1]

    @property
    def content(self) -> JobCreation:
        """What would make the job as it is now."""
        match self.request, self.settings:
            case JobRequest() as request, JobSettings() as changed:
                return replace(request, settings=changed)
            case ApplicationRequest() as application, ApplicationSettings() as settings:
                return replace(application, settings=settings)
        raise AssertionError("a job was changed to one of the other service")

    def state(self, when: datetime) -> JobState | None:
        """Return the state at a time, or None if the job was not there yet."""
        return next((state for at, state in reversed(self.history) if at <= when), None)

    def deleted_at(self) -> datetime | None:
        """Return when the job was or will be deleted."""
        return next((at for at, state in self.history if state is JobState.DELETED), None)


SHAPES = ("VM.Standard2.1", "VM.Standard3.Flex")


class SimulatedJobs:
    """The jobs of one project, with their runs as far as they hold a job."""

    kind = "datasciencejob"
    born = JobState.CREATING
    """What a job begins as: it is activated when it has its artifact."""

    def __init__(self, clock: ManualClock, weather: Weather) -> None:
        self._clock = clock
        self._weather = weather
        self.tokens: RetryTokens[JobCreation, SimulatedJob] = RetryTokens(clock)
        self.jobs: list[SimulatedJob] = []
        self.lag = timedelta()
        self.activation = timedelta()
        self.deletion = timedelta()
        self.records_hold = False
        self.active: Counter[str] = Counter()
        self.records: Counter[str] = Counter()
        self.calls: Counter[Operation] = Counter()

    def of(self, uid: str) -> list[SimulatedJob]:
        """Return the jobs that were ever created for an object."""
        return [job for job in self.jobs if job.uid == uid]

    def find(self, job_id: str | None) -> SimulatedJob | None:
        """Return the job of that OCID."""
        return next((job for job in self.jobs if job.id == job_id), None)

    def living(self, job: SimulatedJob) -> bool:
        """Whether nobody has begun to delete the job."""
        return job.state(self._clock.now()) in LIVING

    def create(self, token: str, request: JobCreation) -> JobRecord | Refusal:
        """CreateJob: the same token with the same body gives the same job for 24 hours."""
        self.calls[Operation.CREATE] += 1
        return self._weather.call(Operation.CREATE, lambda: self._create(token, request))

    def _create(self, token: str, request: JobCreation) -> JobRecord | Refusal:
        known = self.tokens.known(token, request)
        if isinstance(known, Refusal):
            return known
        if known is None:
            ocid = make_ocid(self.kind, str(len(self.jobs) + 1))
            known = self._made(ocid, request)
            known.history.append((self._clock.now(), self.born))
            self.jobs.append(known)
            self.tokens.keep(token, request, known)
        return self._told(known, self._clock.now())

    def _made(self, ocid: str, request: JobCreation) -> SimulatedJob:
        return SimulatedJob(ocid, request, request.settings)

    def variables_of(self, job: SimulatedJob) -> Mapping[str, str]:
        """Return the variables that runs have which override none."""
        request = expect(job.request, JobRequest)
        (configuration,) = request.workload.configurations
        return configuration.environment_variables

    @staticmethod
    def _told(job: SimulatedJob, when: datetime) -> JobRecord:
        state = job.state(when)
        assert state is not None
        return JobRecord(
            id=job.id, compartment_id=job.request.compartment_id, state=state, owner=job.owner
        )

    def list_shapes(self) -> tuple[str, ...] | Refusal:
        """ListJobShapes."""
        self.calls[Operation.LIST_SHAPES] += 1
        return self._weather.call(Operation.LIST_SHAPES, lambda: SHAPES)

    def change_settings(self) -> None:
        """Let somebody change the settings of the newest job."""
        if self.jobs and self.living(self.jobs[-1]):
            job = self.jobs[-1]
            assert is_dataclass(job.settings)
            job.settings = replace(job.settings, display_name="changed by others")

    def _listed(self) -> list[JobRecord]:
        """Return all jobs as a list shows them, oldest first and late."""
        seen_at = self._clock.now() - self.lag
        return [
            self._told(job, seen_at)
            for job in self.jobs
            if job.state(seen_at) is not None and not self._buried(job)
        ]

    def _buried(self, job: SimulatedJob) -> bool:
        deleted = job.deleted_at()
        return deleted is not None and deleted + TOMBSTONE <= self._clock.now()

    def search(self, owner: str) -> JobRecord | Refusal | None:
        """List all jobs of the project and find the oldest living one with the owner tag."""
        self.calls[Operation.SEARCH] += 1
        return self._weather.call(
            Operation.SEARCH,
            lambda: next(
                (r for r in self._listed() if r.owner == owner and r.state in LIVING), None
            ),
        )

    def look_up(self, job_id: str) -> JobRecord | Absent | Refusal:
        """Get the job; where OCI answers 404, list it by its id."""
        self.calls[Operation.LOOK_UP] += 1
        got = self._weather.call(Operation.LOOK_UP, lambda: self._get(job_id))
        if not (isinstance(got, Refusal) and got.kind is RefusalKind.NOT_AUTHORIZED_OR_NOT_FOUND):
            return got
        return next((r for r in self._listed() if r.id == job_id), Absent())

    def _get(self, job_id: str) -> JobRecord | Refusal:
        job = self._reachable(job_id)
        if job is None:
            return NOT_FOUND
        return replace(self._told(job, self._clock.now()), content=job.content)

    def _reachable(self, job_id: str) -> SimulatedJob | None:
        job = self.find(job_id)
        return None if job is None or self._buried(job) else job

    def code_of(self, job: SimulatedJob) -> str | None:
        """Return the SHA-256 of the code that the job's runs start."""
        return job.artifact

    def upload(self, job_id: str, artifact: Artifact) -> Refusal | None:
        """HeadJobArtifact, and CreateJobArtifact if there is none: it can be uploaded once."""
        self.calls[Operation.UPLOAD] += 1

        def carry_out() -> Refusal | None:
            job = self._reachable(job_id)
            if job is None or not self.living(job):
                return NOT_FOUND
            if job.artifact is None:
                job.artifact = artifact.sha256
                job.history.append((self._clock.now() + self.activation, JobState.ACTIVE))
            return None

        return self._weather.call(Operation.UPLOAD, carry_out)

    def update(self, job_id: str, settings: JobChange) -> Refusal | None:
        """UpdateJob."""
        self.calls[Operation.UPDATE] += 1

        def carry_out() -> Refusal | None:
            job = self._reachable(job_id)
            if job is None or not self.living(job):
                return NOT_FOUND
            job.settings = settings
            return None

        return self._weather.call(Operation.UPDATE, carry_out)

    def count_active_runs(self, job_id: str) -> int | Refusal:
        """List all runs of the job, and count the active ones."""
        self.calls[Operation.LIST_RUNS] += 1
        return self._weather.call(Operation.LIST_RUNS, lambda: self.active[job_id])

    def delete(self, job_id: str) -> Refusal | None:
        """DeleteJob: never with active runs, and with records of runs as the service pleases."""
        self.calls[Operation.DELETE] += 1

        def carry_out() -> Refusal | None:
            job = self._reachable(job_id)
            if job is None or job.state(self._clock.now()) is JobState.DELETED:
                return NOT_FOUND
            held = self.active[job_id] or (self.records_hold and self.records[job_id])
            if held or not self.living(job):
                return INCORRECT_STATE
            self._delete(job, self.deletion)
            return None

        return self._weather.call(Operation.DELETE, carry_out)

    def _delete(self, job: SimulatedJob, takes: timedelta) -> None:
        now = self._clock.now()
        job.history = [(at, state) for at, state in job.history if at <= now]
        job.history += [(now, JobState.DELETING), (now + takes, JobState.DELETED)]

    def take_away(self) -> None:
        """Let somebody delete the newest job."""
        if self.jobs and self.living(self.jobs[-1]):
            self.jobs[-1].taken_away = True
            self._delete(self.jobs[-1], timedelta())
