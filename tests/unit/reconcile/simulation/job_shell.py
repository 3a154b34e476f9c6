"""The shell's rules for one job, step by step."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from tests.unit.reconcile.simulation.api_server import ConflictError
from tests.unit.reconcile.simulation.job_laws import JobLaws
from tests.unit.reconcile.simulation.job_world import JobWorld
from tests.unit.reconcile.simulation.laws import demand
from tests.unit.reconcile.simulation.process import Process

from ocijobs.api.job.status import OCIJobStatus
from ocijobs.backends.records import Refusal, RefusalKind
from ocijobs.reconcile.actions.action import Action
from ocijobs.reconcile.actions.identities import CopyCredentials
from ocijobs.reconcile.actions.jobs import (
    CreateJob,
    DeleteCode,
    DeleteJob,
    ListActiveRuns,
    ListShapes,
    LookUpJob,
    ReadSources,
    SearchJobs,
    UpdateJob,
    UploadArtifact,
)
from ocijobs.reconcile.actions.objects import AddFinalizer, ListOrphan, RemoveFinalizer
from ocijobs.reconcile.decision import Decision, Note
from ocijobs.reconcile.identity_view import IdentityView
from ocijobs.reconcile.job.decide import decide_job
from ocijobs.reconcile.job.observation import JobObservation
from ocijobs.reconcile.known.job import JobAnswer, JobKnown
from ocijobs.reconcile.stepped import stepped
from ocijobs.testing import make_job_observation


class JobShell(Process):
    """A process of the operator, as far as one job sees it."""

    def __init__(self, world: JobWorld, laws: JobLaws) -> None:
        self.world = world
        self.laws = laws
        super().__init__(world.clock)

    def begin(self) -> None:
        """Begin anew, as after a crash."""
        super().begin()
        self.known = JobKnown()
        self.uid: str | None = None
        self.uploading: UploadArtifact | None = None
        self.sources_checked_at: datetime | None = None
        self.identity_known = False
        self.identity = self.world.identity.of_new_process
        self.laws.restarted()

    def _step(self, by: timedelta) -> None:
        self.known = stepped(self.known, by)
        self.identity = stepped(self.identity, by)
        self.sources_checked_at = stepped(self.sources_checked_at, by)

    def _decide(self) -> bool:
        job = self.world.api.object
        uid = job.metadata.uid if job is not None else None
        if uid != self.uid:
            self.known, self.wake_at, self.uploading, self.sources_checked_at = (
                JobKnown(),
                None,
                None,
                None,
            )
            self.uid = uid
        if job is None:
            return False
        observed, now = self._observe(), self.now
        decision = decide_job(observed, now)
        demand(decision == decide_job(observed, now), "the same input gives the same decision")
        self.laws.on_decision(observed, decision, now)
        self.wake_at, self.sources_checked_at = (
            decision.wake_at,
            decision.sources_checked_at or self.sources_checked_at,
        )
        self._todo = [
            partial(self._act, observed, action, decision.notes)
            for action in decision.actions
            if not (isinstance(action, UploadArtifact) and self.uploading is not None)
        ]
        if decision.status.document() != job.status.document():
            self._todo.append(partial(self._write, observed, decision))
        first_look, self.identity_known = not self.identity_known, True
        return bool(self._todo) or first_look

    def _observe(self) -> JobObservation:
        return make_job_observation(
            job=self.world.api.present,
            identity=self._identity(),
            runs=self.world.runs,
            code_in_use=self.world.code_in_use,
            known=self.known,
            refresh_after=self.world.wanted_after,
        )

    def _identity(self) -> IdentityView:
        if self.identity_known:
            self.identity = self.world.identity.learnt(self.identity, self.now)
        return self.world.identity.view(self.identity)

    def _write(self, observed: JobObservation, decision: Decision[OCIJobStatus]) -> None:
        """Write the status; an intent is known to be ours when the API server has taken it."""
        meta, former, status = observed.job.metadata, observed.job.status, decision.status

        def write() -> None:
            self.laws.on_write(meta.uid, former, status)
            self.world.api.write_status(meta, status)

        if not self._written(write):
            return
        self.known = self.known.status_written(
            former,
            status,
            at=self.now,
            created_at=meta.creation_timestamp,
            token_lifetime=timedelta(seconds=observed.settings.token_lifetime_seconds),
        )

    def _keep(self, action: CopyCredentials | ListOrphan | UploadArtifact) -> None:
        """Carry out what is of neither the object nor its OCI job."""
        match action:
            case CopyCredentials():
                self.identity = self.world.identity.copy(self.identity, self.now)
            case ListOrphan(orphan=orphan):
                self.laws.listed[orphan.uid] = orphan
            case UploadArtifact():
                self.uploading = action

    def _act(self, observed: JobObservation, action: Action, notes: tuple[Note, ...]) -> None:
        meta = observed.job.metadata
        self.laws.on_call(meta, action)
        match action:
            case CopyCredentials() | ListOrphan() | UploadArtifact():
                self._keep(action)
            case AddFinalizer() | RemoveFinalizer():
                self._patch(observed, notes, held=isinstance(action, AddFinalizer))
            case ReadSources():
                read = self.world.sources(observed.job, action, self.now)
                self._learn((action, read))
                if action.version is not None:
                    died = isinstance(read, Refusal) and read.kind is RefusalKind.DIED
                    self.laws.on_sources_answered(died=died)
            case CreateJob() | SearchJobs() | LookUpJob() | UpdateJob():
                self._make(action)
            case ListShapes():
                self._learn((action, self.world.oci.list_shapes()))
            case ListActiveRuns() | DeleteJob():
                self._remove(action)
            case DeleteCode(uri=uri):
                self._finish_upload_to(uri)
                self._learn((action, self.world.applications.delete_code(uri)))
            case _:
                demand(False, f"{action} is no action of a job")
        self.laws.after_call()

    def _patch(self, observed: JobObservation, notes: tuple[Note, ...], *, held: bool) -> None:
        try:
            self.world.api.patch_finalizer(observed.job.metadata, held=held)
        except ConflictError:
            return
        if held:
            self.known = self.known.finalizer_added()
        else:
            self.laws.on_release(observed, notes, observed.identity.gone_since, self.now)

    def _make(self, action: CreateJob | SearchJobs | LookUpJob | UpdateJob) -> None:
        oci = self.world.oci
        match action:
            case CreateJob(caller=caller) if not self.world.identity.may_start(caller.version):
                return  # The Secret is read at each launch.
            case CreateJob(token=token, request=request):
                self._learn((action, oci.create(token, request)))
            case SearchJobs(owner=owner):
                self._learn((action, oci.search(owner)))
            case LookUpJob(job_id=job_id):
                self._learn((action, oci.look_up(job_id)))
            case UpdateJob(job_id=job_id, settings=settings):
                refusal = oci.update(job_id, settings)
                self._learn((action, refusal))
                if refusal is None:
                    self.laws.on_updated(action)

    def _remove(self, action: ListActiveRuns | DeleteJob) -> None:
        oci = self.world.oci
        if isinstance(action, ListActiveRuns):
            self._learn((action, oci.count_active_runs(action.job_id)))
        else:
            self._learn((action, oci.delete(action.job_id)))

    def _learn(self, answer: JobAnswer) -> None:
        self.known = self.known.answered(answer, at=self.now)

    def _finish_upload_to(self, uri: str) -> None:
        """Let an upload end first that has begun: code is not deleted under it."""
        if self.uploading is not None and self.uploading.artifact.uri == uri:
            self.upload()

    def upload(self) -> None:
        """Bring the upload to an end that goes on beside the worker."""
        action, self.uploading = self.uploading, None
        if action is not None:
            refusal = self.world.oci.upload(action.job_id, action.artifact)
            self._learn((action, refusal))
            self.laws.after_call()
