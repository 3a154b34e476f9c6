"""The shell's rules for one run, step by step."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from tests.unit.reconcile.simulation.api_server import ConflictError
from tests.unit.reconcile.simulation.laws import demand
from tests.unit.reconcile.simulation.process import Process
from tests.unit.reconcile.simulation.run_laws import RunLaws
from tests.unit.reconcile.simulation.run_queue import QueueAction
from tests.unit.reconcile.simulation.run_world import RunWorld

from ocijobs.api.run.status import OCIJobRunStatus
from ocijobs.api.shared.reasons import Reason
from ocijobs.backends.records import Refusal, RunRecord
from ocijobs.reconcile.actions.action import Action
from ocijobs.reconcile.actions.identities import CopyCredentials
from ocijobs.reconcile.actions.objects import (
    AddFinalizer,
    CreateWorkload,
    DeleteObject,
    DeleteWorkload,
    FinishWorkload,
    ListOrphan,
    PatchWorkload,
    RemoveFinalizer,
)
from ocijobs.reconcile.actions.runs import (
    CancelRun,
    CreateRun,
    DeleteRun,
    ListOutputs,
    LookUpRun,
    ReadResults,
    ReadRunLogs,
    ReadUtilisation,
    ReadValues,
    RefreshJob,
    SearchLogs,
    SearchRuns,
)
from ocijobs.reconcile.decision import Decision, Followed, Note
from ocijobs.reconcile.identity_view import IdentityView
from ocijobs.reconcile.known.run import RunAnswer, RunKnown, attempt_number
from ocijobs.reconcile.run.decide import decide_run
from ocijobs.reconcile.run.observation import RunObservation
from ocijobs.reconcile.run.pod_sets import workload_name
from ocijobs.reconcile.run.queueing import leave_queue
from ocijobs.reconcile.stepped import stepped
from ocijobs.testing import make_run_observation


class RunShell(Process):
    """A process of the operator, as far as one run sees it."""

    def __init__(self, world: RunWorld, laws: RunLaws) -> None:
        self.world = world
        self.laws = laws
        super().__init__(world.clock)

    def begin(self) -> None:
        """Begin anew, as after a crash."""
        super().begin()
        self.known = RunKnown()
        self.uid: str | None = None
        self.followed: Followed | None = None
        self.searching: SearchLogs | None = None
        self.measuring: ReadUtilisation | None = None
        self.sources_checked_at: datetime | None = None
        self.identity_known = False
        self.identity = self.world.identity.of_new_process
        self.laws.restarted()

    def _step(self, by: timedelta) -> None:
        self.known = stepped(self.known, by)
        self.identity = stepped(self.identity, by)
        self.sources_checked_at = stepped(self.sources_checked_at, by)

    def _decide(self) -> bool:
        run = self.world.api.object
        if run is None or run.metadata.uid != self.uid:
            self.known, self.followed, self.wake_at = RunKnown(), None, None
            self.searching = self.measuring = None
            self.uid = run.metadata.uid if run is not None else None
        self._take_away(self.uid)
        if run is None:
            return False
        observed, now = self._observe(), self.now
        decision = decide_run(observed, now)
        self.laws.on_decision(decision, now)
        self.laws.on_launch(observed, decision, now)
        self.wake_at, self.followed = decision.wake_at, decision.follow
        self._todo = [
            partial(self._act, observed, action, decision.notes)
            for action in decision.actions
            if not self._asked_already(action)
        ]
        if decision.status.document() != run.status.document():
            self._todo.append(partial(self._write, observed, decision))
        first_look = not self.identity_known
        self.identity_known = True
        return bool(self._todo) or first_look

    def _asked_already(self, action: Action) -> bool:
        """Whether an action is in a batch that is not answered yet."""
        if isinstance(action, ReadUtilisation):
            return self.measuring is not None
        return isinstance(action, SearchLogs) and self.searching is not None

    def _observe(self) -> RunObservation:
        world = self.world
        run = world.api.present
        self.known = self.known.of_attempt(attempt_number(run.status))
        return make_run_observation(
            run=run,
            job=world.job,
            sources_checked_at=self.sources_checked_at,
            identity=self._identity(),
            known=self.known,
            relations=world.relations,
            shared=world.shared,
            queue=world.queue.view(workload_name(run)),
        )

    def _take_away(self, uid: str | None) -> None:
        """Take Workloads out of their queue whose run is gone."""
        queue = self.world.queue
        queue.collect(uid)
        for workload in queue.all():
            owner = workload.metadata.controller
            if owner is not None and owner.uid != uid:
                for action in leave_queue(workload):
                    assert isinstance(action, PatchWorkload | DeleteWorkload)
                    queue.execute(action)

    def _identity(self) -> IdentityView:
        if self.identity_known:
            self.identity = self.world.identity.learnt(self.identity, self.now)
        return self.world.identity.view(self.identity)

    def _write(self, observed: RunObservation, decision: Decision[OCIJobRunStatus]) -> None:
        """Write the status; an intent is known to be ours when the API server has taken it."""
        former, status, now = observed.run.status, decision.status, self.now
        meta = observed.run.metadata

        def write() -> None:
            self.laws.on_write(meta.uid, former, status, self.known, now)
            self.world.api.write_status(meta, status)

        if not self._written(write):
            return
        self.known = self.known.status_written(
            former,
            status,
            at=now,
            created_at=meta.creation_timestamp,
            token_lifetime=timedelta(seconds=observed.settings.token_lifetime_seconds),
        )

    def _act(self, observed: RunObservation, action: Action, notes: tuple[Note, ...]) -> None:
        meta = observed.run.metadata
        self.laws.on_call(meta, action)
        match action:
            case CopyCredentials():
                self.identity = self.world.identity.copy(self.identity, self.now)
            case ListOrphan(orphan=orphan):
                self.laws.listed[orphan.uid] = orphan
            case AddFinalizer() | RemoveFinalizer():
                self._patch(observed, notes, held=isinstance(action, AddFinalizer))
            case DeleteObject():
                self.world.api.delete(self.now)
            case RefreshJob():
                self.sources_checked_at = self.now if self.world.job is not None else None
            case ReadValues(keys=keys):
                self._learn((action, self.world.values(keys)))
            case ReadResults() | ListOutputs() | SearchLogs() | ReadRunLogs() | ReadUtilisation():
                self._collect(action)
            case CreateWorkload() | PatchWorkload() | FinishWorkload() | DeleteWorkload():
                self._queue(action, notes)
            case _:
                self._call(action)
        self.laws.after_call(meta.uid)

    def _queue(self, action: QueueAction, notes: tuple[Note, ...]) -> None:
        queue = self.world.queue
        released = any(note.reason == Reason.ORPHANED for note in notes)
        queue.on_given_back = (lambda _: None) if released else self.laws.on_given_back
        try:
            queue.execute(action)
        except ConflictError:
            return
        if isinstance(action, CreateWorkload):
            self._learn((action, None))

    def _patch(self, observed: RunObservation, notes: tuple[Note, ...], *, held: bool) -> None:
        meta = observed.run.metadata
        try:
            self.world.api.patch_finalizer(meta, held=held)
        except ConflictError:
            return
        if held:
            self.known = self.known.finalizer_added()
        else:
            self.laws.on_release(meta, notes, observed.identity.gone_since, self.now)

    def _call(self, action: Action) -> None:
        """Make a call about the job run itself, and learn from its answer."""
        oci = self.world.oci
        match action:
            case CreateRun(caller=caller) if not self.world.identity.may_start(caller.version):
                return  # The Secret is read at each launch.
            case CreateRun(token=token, request=request):
                self._learn((action, oci.create(token, request)))
            case SearchRuns(job_id=job_id, owner=owner):
                self._learn((action, oci.search(job_id, owner)))
            case LookUpRun(run_id=run_id):
                self._learn((action, oci.look_up(run_id)))
            case CancelRun(run_id=run_id):
                self._learn((action, oci.cancel(run_id)))
            case DeleteRun(run_id=run_id):
                self._learn((action, oci.delete(run_id)))
            case _:
                demand(False, f"{action} is no action of a run")

    def _collect(
        self, action: ReadResults | ListOutputs | SearchLogs | ReadRunLogs | ReadUtilisation
    ) -> None:
        """Read what a run left behind; log and utilisation are read in the next batch."""
        left = self.world.left
        match action:
            case ReadResults():
                self._learn((action, left.results()))
            case ListOutputs():
                self._learn((action, left.outputs()))
            case ReadRunLogs(run_id=run_id):
                self._learn((action, left.run_logs(run_id)))
            case SearchLogs():
                self.searching = action
            case ReadUtilisation():
                self.measuring = action

    def _learn(self, answer: RunAnswer) -> None:
        self.known = self.known.answered(answer, at=self.now)

    def batch(self) -> None:
        """Let the batches of log searches and of queries be answered."""
        if self.measuring is not None:
            used = self.world.left.utilisation(self.measuring.run_id)
            self._learn((self.measuring, used))
            self.measuring = None
        if self.searching is not None:
            self._learn((self.searching, self.world.left.log_lines(self.searching.run_id)))
            self.searching = None

    def poll(self) -> None:
        """Let the shared poll list the active runs, if it has one to follow."""
        if self.followed is None:
            return
        answer = self.world.oci.active()
        if isinstance(answer, Refusal):
            self.known = replace(self.known, poll_refusal=answer)
            return
        record: RunRecord | None = answer.get(self.followed.run_id)
        if record is not None:
            self.known = self.known.listed(record, at=self.now)
        else:
            self.known = self.known.unlisted(at=self.now)
