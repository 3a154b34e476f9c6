"""Carries out actions. Each is one call that is safe to repeat, and its outcome is recorded in memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import assert_never

from ocijobs.api import kinds
from ocijobs.api.shared.metadata import ObjectKey
from ocijobs.clock import Clock
from ocijobs.cloud.admission import Admission, Place
from ocijobs.controller.entry import Entry
from ocijobs.controller.identity_actions import IdentityActions
from ocijobs.controller.job_actions import JobActions
from ocijobs.controller.memory import Memory
from ocijobs.controller.object_actions import NotTakenError, ObjectActions
from ocijobs.controller.orphans import Orphans
from ocijobs.controller.places import OciAction, place_of
from ocijobs.controller.queue import WorkQueue
from ocijobs.controller.run_actions import RunActions
from ocijobs.controller.store import Store
from ocijobs.controller.workload_actions import WorkloadActions
from ocijobs.kube.writer import ObjectWriter
from ocijobs.log_fields import about
from ocijobs.reconcile.actions.action import Action
from ocijobs.reconcile.actions.calls import OciCall, Turn
from ocijobs.reconcile.actions.identities import (
    CopyCredentials,
    DropCredentials,
    ReadCredentials,
    VerifyCredentials,
)
from ocijobs.reconcile.actions.jobs import (
    CallOfJob,
    CreateJob,
    ReadSources,
    UploadArtifact,
)
from ocijobs.reconcile.actions.objects import (
    CreateWorkload,
    DeleteObject,
    DeleteWorkload,
    FinishWorkload,
    PatchWorkload,
)
from ocijobs.reconcile.actions.runs import (
    CallOfRun,
    CreateRun,
    ReadUtilisation,
    ReadValues,
    RefreshJob,
    SearchLogs,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The outcome of a round's actions.

    Attributes:
        news: whether there is something that no decision has seen yet.
        turn: when the object may call OCI, if it is not its turn. Then the call was not made.
    """

    news: bool = False
    turn: Turn | None = None


Begun = RefreshJob | ReadSources | UploadArtifact | SearchLogs | ReadUtilisation
"""Actions that a round only begins. Their outcome queues the object again."""


class Executor:
    """Carries out the actions of decisions."""

    def __init__(
        self,
        *,
        writer: ObjectWriter,
        identities: IdentityActions,
        jobs: JobActions,
        runs: RunActions,
        workloads: WorkloadActions,
        orphans: Orphans,
        store: Store,
        memory: Memory,
        queue: WorkQueue,
        admission: Admission[ObjectKey],
        clock: Clock,
    ) -> None:
        self._identities, self._jobs, self._runs = identities, jobs, runs
        self._workloads = workloads
        self._store, self._memory, self._queue = store, memory, queue
        self._admission = admission
        self._in_line: dict[ObjectKey, set[Place]] = {}
        """The lines in which an object waits since its present round."""
        self._objects = ObjectActions(writer, orphans, store, memory, clock)

    async def carry_out(self, entry: Entry, actions: tuple[Action, ...]) -> Outcome:
        """Carry actions out in order, until the API server refuses an object. Calls to OCI out of turn are left out.

        Raises:
            ApiError: if the API server refuses a change of an object.
            NotLeadingError: if this process may not write any more.
        """
        outcome = Outcome()
        for action in actions:
            try:
                if isinstance(action, OciCall):
                    turn = await self._call(entry, action)
                    if turn is None:
                        outcome = replace(outcome, news=True)
                    elif outcome.turn is None or turn.at > outcome.turn.at:
                        outcome = replace(outcome, turn=turn)
                elif await self.execute(entry, action):
                    outcome = replace(outcome, news=True)
            except NotTakenError:
                return replace(outcome, news=True)
        return outcome

    async def _call(self, entry: Entry, action: OciAction) -> Turn | None:
        """Call OCI if it is the object's turn, and return None; else return when it is.

        The worker works on other objects while it waits for the answer.
        """
        place = place_of(entry.key.namespace, action)
        turn = self._admission.enter(entry.key, place)
        if turn is not None:
            self._in_line.setdefault(entry.key, set()).add(place)
            return turn
        try:
            if isinstance(action, CreateRun | CreateJob) and not (
                await self._identities.confirm(entry.key.namespace, action.caller)
            ):
                # What the Secret is by now is learnt, and what is to be done is decided with that.
                return None
            async with self._queue.waiting_for_answer(entry.key):
                with about(ocid=action.ocid):
                    await self.execute(entry, action)
        finally:
            self._admission.leave(place)
        return None

    def end_round(self, key: ObjectKey) -> None:
        """Remove an object from lines that it did not enter in the round that ends."""
        self._admission.give_up(key, frozenset(self._in_line.pop(key, ())))

    async def execute(self, entry: Entry, action: Action) -> bool:
        """Carry an action out. Return whether its outcome is known (False: it comes later, and queues the object).

        Raises:
            ApiError: if the API server refuses a change of an object.
            NotLeadingError: if this process may not write any more.
        """
        match action:
            case CallOfJob():
                await self._jobs.execute(entry, action)
            case CallOfRun() | ReadValues():
                await self._runs.execute(entry, action)
            case RefreshJob() | ReadSources() | UploadArtifact() | SearchLogs() | ReadUtilisation():
                self._begin(entry, action)
                return False
            case CreateWorkload() | PatchWorkload() | FinishWorkload() | DeleteWorkload():
                await self._workloads.execute(entry, action)
            case ReadCredentials() | VerifyCredentials() | CopyCredentials() | DropCredentials():
                await self._identities.execute(entry, action)
            case _:
                await self._objects.execute(entry, action)
                return not isinstance(action, DeleteObject)
        return True

    def _begin(self, entry: Entry, action: Begun) -> None:
        """Begin an action that takes long, or is done for many objects at once."""
        match action:
            case RefreshJob(name=name, after=after):
                job = ObjectKey(kinds.JOB, entry.key.namespace, name)
                self._memory.want_refresh(job, after)
                self._queue.add(job)
            case ReadSources():
                self._jobs.start_reading(entry, action)
            case UploadArtifact():
                self._jobs.start_upload(entry, action)
            case SearchLogs():
                self._runs.ask_log(entry, action)
            case ReadUtilisation():
                self._runs.ask_utilisation(entry, action)
            case _:
                assert_never(action)
