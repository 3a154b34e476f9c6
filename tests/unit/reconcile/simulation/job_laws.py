"""What must hold in every history of a job, checked as it happens. Each violation names the law."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.unit.reconcile.simulation.code_laws import CodeLaws
from tests.unit.reconcile.simulation.job_world import JobWorld
from tests.unit.reconcile.simulation.laws import (
    conditions_are_the_tables,
    demand,
    token_is_remembered,
)
from tests.unit.reconcile.simulation.oci_jobs import SimulatedJob

from ocijobs.api.job.spec import OCIJob
from ocijobs.api.job.status import OCIJobStatus, SourceAttempt
from ocijobs.api.orphan import Orphan
from ocijobs.api.shared.conditions import ConditionType
from ocijobs.api.shared.metadata import ObjectMeta
from ocijobs.api.shared.reasons import Reason
from ocijobs.backends.records import JobState
from ocijobs.backends.requests import JobCreation
from ocijobs.reconcile.actions.action import Action, answers_later
from ocijobs.reconcile.actions.jobs import (
    CreateJob,
    DeleteJob,
    ReadSources,
    UpdateJob,
    UploadArtifact,
)
from ocijobs.reconcile.decision import Decision, Note
from ocijobs.reconcile.job.observation import JobObservation
from ocijobs.reconcile.standing import JOB_STANDINGS

_MOST_DEATHS = 2


def _what(record: SourceAttempt) -> tuple[object, ...]:
    return record.generation, record.version, record.requested


class JobLaws:
    """Watches a job: what is decided, called and written."""

    def __init__(self, world: JobWorld) -> None:
        self._world = world
        self._bodies: dict[str, JobCreation] = {}
        self._code: dict[str, str] = {}
        self._updated: set[tuple[str, str]] = set()
        self._folders = CodeLaws(world)
        self._attempt: SourceAttempt | None = None
        self._deaths: list[SourceAttempt] = []
        self.given_up: set[str] = set()
        self.listed: dict[str, Orphan] = {}
        self.left: set[str] = set()

    def restarted(self) -> None:
        """Allow what every process may do once."""
        self._updated.clear()

    def on_decision(
        self, o: JobObservation, decision: Decision[OCIJobStatus], now: datetime
    ) -> None:
        """A decision does not ask to be made again at once, and spares what is needed."""
        if decision.wake_at is not None and all(map(answers_later, decision.actions)):
            demand(decision.wake_at > now, "what has nothing to do now wakes in the future")
        for note in decision.notes:
            if note.reason == Reason.RECORDS_REMAIN:
                self.left |= {
                    job.id for job in self._world.oci.jobs if f"{job.id} " in note.message
                }
        for action in decision.actions:
            if isinstance(action, DeleteJob):
                self._deletes_what_nobody_needs(o, action.job_id)
        self._folders.on_decision(o, decision)
        if decision.sources_checked_at is not None:
            self._serves_the_code(o, decision.sources_checked_at)

    def _deletes_what_nobody_needs(self, o: JobObservation, job_id: str) -> None:
        needed = {run.job_id for run in o.runs if run.live}
        demand(job_id not in needed or o.job.metadata.abandoned, "no live run loses its OCI job")
        remote = self._world.oci.find(job_id)
        going = o.job.metadata.deleting or (remote is not None and remote.taken_away)
        demand(going or job_id != o.job.status.job_id, "the current OCI job is not deleted")

    def _serves_the_code(self, o: JobObservation, serves: datetime) -> None:
        """A launch is let through with code that is in OCI, or with none where what was read is no code."""
        sources, remote = o.known.sources, self._world.oci.find(o.job.status.job_id)
        if o.job.spec.reads_remotely and (sources is None or sources.checked_at != serves):
            return  # The source can't be read now, and what was read last goes on serving.
        demand(
            sources is not None and sources.checked_at == serves,
            "what serves was read when it says",
        )
        if sources is not None and sources.missing is None:
            there = remote is not None and self._world.oci.code_of(remote) == sources.sha256
            demand(there, "what serves a launch has the code that was read for it")

    def on_write(self, uid: str, former: OCIJobStatus, after: OCIJobStatus) -> None:
        """A status follows from its former one."""
        shown = conditions_are_the_tables(after.conditions, JOB_STANDINGS)
        names = [revision.name for revision in after.revisions]
        demand(len(names) == len(set(names)), "a revision is listed once")
        ids = [revision.job_id for revision in after.revisions]
        demand(len(ids) == len(set(ids)), "no two revisions have the same OCI job")
        for revision in after.revisions:
            remote = self._world.oci.find(revision.job_id)
            owner = remote.owner if remote is not None else ""
            demand(owner.endswith(f"/{uid}/{revision.name}"), "a revision is bound to its own")
        fixed = ("identity", "region", "compartment_id", "project_id")
        for name in fixed:
            before = getattr(former, name)
            demand(before in (None, getattr(after, name)), f"{name} is recorded once")
        if shown[ConditionType.READY]:
            self._is_in_oci(after)

    def _is_in_oci(self, status: OCIJobStatus) -> None:
        """A job that is Ready can be run."""
        remote = self._world.oci.find(status.job_id)
        demand(remote is not None, "a job that is Ready is in OCI")
        current = next((r for r in status.revisions if r.name == status.revision), None)
        demand(current is not None and current.job_id == status.job_id, "the current one is listed")
        if remote is None or remote.taken_away:
            return
        state = remote.state(self._world.clock.now())
        demand(state is JobState.ACTIVE, "a job that is Ready is ACTIVE")
        code = self._world.oci.code_of(remote)
        uploaded = status.artifact is not None and status.artifact.sha256 == code
        demand(uploaded, "the artifact in status is the one in OCI")

    def on_call(self, seen: ObjectMeta, action: Action) -> None:
        """A call to OCI is allowed now; what was taken away by force may get what was decided before."""
        if seen.uid in self.given_up:
            return
        current = self._world.api.object
        ours = current if current is not None and current.metadata.uid == seen.uid else None
        if isinstance(action, CreateJob):
            submit = ours.status.submit if ours is not None else None
            written = submit is not None and submit.token == action.token
            demand(written, "no creation whose token is not in status")
            held = ours is not None and ours.metadata.has_finalizer
            demand(held, "no creation for an object that nothing holds")
            body = self._bodies.setdefault(action.token, action.request)
            demand(body == action.request, "no token is sent with two bodies")
            token_is_remembered(self._world.oci.tokens, action.token)
        if isinstance(action, UploadArtifact) and ours is not None:
            bound = {revision.job_id for revision in ours.status.revisions}
            demand(action.job_id in bound, "nothing is uploaded to a job that is not in status")
            self._folders.on_upload(ours, action)
        if isinstance(action, UpdateJob):
            self._changes_something(action)
        if isinstance(action, ReadSources) and action.version is not None:
            self._sets_poison_aside(ours, action.version)

    def _sets_poison_aside(self, ours: OCIJob | None, version: str) -> None:
        """A remote source is read when that is recorded, and once in an hour if nobody came back from it twice."""
        record = ours.status.reading if ours is not None else None
        demand(record is not None and record.version == version, "an attempt is recorded first")
        self._attempt = record
        if record is None or not self._deaths or _what(self._deaths[-1]) != _what(record):
            self._deaths.clear()
            return
        apart = abs(record.started_at - self._deaths[-1].started_at)
        often = len(self._deaths) >= _MOST_DEATHS and apart < timedelta(hours=1)
        demand(not often, "what nobody came back from twice is tried again rarely")

    def on_sources_answered(self, *, died: bool) -> None:
        """A process has read a source, or has come to its end."""
        if died and self._attempt is not None:
            self._deaths.append(self._attempt)
        elif not died:
            self._deaths.clear()

    def _changes_something(self, action: UpdateJob) -> None:
        """Settings that OCI has taken are not sent again by the same process, unless others changed them."""
        remote = self._world.oci.find(action.job_id)
        same = remote is not None and remote.settings == action.settings
        again = (action.job_id, action.settings_digest) in self._updated
        demand(not (same and again), "settings are sent once")

    def on_updated(self, action: UpdateJob) -> None:
        """OCI has taken settings."""
        self._updated.add((action.job_id, action.settings_digest))

    def after_call(self) -> None:
        """No two living OCI jobs are of one revision, and a revision is one code."""
        owners = [
            job.owner
            for job in self._world.oci.jobs
            if self._world.oci.living(job) and self._ours(job)
        ]
        demand(len(owners) == len(set(owners)), "one OCI job of a revision")
        for job in self._world.oci.jobs:
            if job.artifact is not None:
                code = self._code.setdefault(job.owner, job.artifact)
                demand(code == job.artifact, "a revision is one code")
        self._folders.after_call()

    def _ours(self, job: SimulatedJob) -> bool:
        return not (job.uid in self.given_up or job.id in self.left)

    def on_release(
        self,
        o: JobObservation,
        notes: tuple[Note, ...],
        gone_since: datetime | None,
        now: datetime,
    ) -> None:
        """The finalizer went."""
        meta = o.job.metadata
        if any(note.reason == Reason.ORPHANED for note in notes):
            gone = gone_since is not None and now - gone_since >= timedelta(seconds=600)
            asked = meta.abandoned or gone
            demand(asked, "an object is given up only as asked or without credentials")
            for job in filter(self._ours, self._world.oci.of(meta.uid)):
                listed = not self._world.oci.living(job) or self.is_listed(job)
                demand(listed or self._world.circumstances.retain, "what is let go is listed")
            self.given_up.add(meta.uid)
            return
        waited = meta.abandoned or not any(run.live for run in o.runs)
        demand(waited, "a job goes only when its live runs have ended")
        if self._world.circumstances.retain:
            self.given_up.add(meta.uid)
            return
        left = [job for job in self._world.oci.of(meta.uid) if self._ours(job)]
        demand(not any(map(self._world.oci.living, left)), "nothing is left in OCI of what goes")
        self.no_code_is_left()

    def is_listed(self, job: SimulatedJob) -> bool:
        """Whether the list of orphans names an OCI job, or the tag by which it is found."""
        orphan = self.listed.get(job.uid)
        if orphan is None:
            return False
        return job.id in orphan.left.job_ids or any(
            each.owner == job.owner for each in orphan.left.unknown
        )

    def no_code_is_left(self) -> None:
        """Object Storage has nothing more of what went."""
        self._folders.none_is_left(self.given_up)
