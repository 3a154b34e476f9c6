"""Carrying out actions: each maps to one call that is safe to repeat, and what it brought becomes memory."""

from __future__ import annotations

from ocijobs.api.metadata import ObjectKey
from ocijobs.clock import Clock
from ocijobs.controller.identity_actions import IdentityActions
from ocijobs.controller.job_actions import JobActions
from ocijobs.controller.memory import Memory
from ocijobs.controller.object_actions import NotTakenError, ObjectActions
from ocijobs.controller.orphans import Orphans
from ocijobs.controller.queue import WorkQueue
from ocijobs.controller.run_actions import RunActions
from ocijobs.controller.store import Entry, Store
from ocijobs.controller.workload_actions import WorkloadActions
from ocijobs.kube.writer import ObjectWriter
from ocijobs.reconcile import decision as act


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
        clock: Clock,
    ) -> None:
        self._identities, self._jobs, self._runs = identities, jobs, runs
        self._workloads = workloads
        self._store, self._memory, self._queue = store, memory, queue
        self._objects = ObjectActions(writer, orphans, store, memory, clock)

    async def carry_out(self, entry: Entry, actions: tuple[act.Action, ...]) -> bool:
        """Carry actions out, up to an object that is not taken; return whether some outcome is there.

        Raises:
            ApiError: if the API server refuses a change of an object.
            NotLeadingError: if this process may not write any more.
        """
        outcome = False
        for action in actions:
            if isinstance(action, act.CreateRun | act.CreateJob) and not (
                await self._identities.confirm(entry.key.namespace, action.caller)
            ):
                # What the Secret is by now is learnt, and what is to be done is decided with that.
                return True
            try:
                outcome = await self.execute(entry, action) or outcome
            except NotTakenError:
                return True
        return outcome

    async def execute(self, entry: Entry, action: act.Action) -> bool:
        """Carry an action out; return whether its outcome is there (False: it comes later, and wakes the object).

        Raises:
            ApiError: if the API server refuses a change of an object.
            NotLeadingError: if this process may not write any more.
        """
        match action:
            case (
                act.AddFinalizer()
                | act.RemoveFinalizer()
                | act.CreateObject()
                | act.EditObject()
                | act.DeleteOwned()
                | act.DeleteObject()
                | act.ListOrphan()
            ):
                await self._objects.execute(entry, action)
                return not isinstance(action, act.DeleteObject)
            case (
                act.CreateWorkload()
                | act.PatchWorkload()
                | act.FinishWorkload()
                | act.DeleteWorkload()
            ):
                await self._workloads.execute(entry, action)
            case act.RefreshJob(name=name, after=after):
                job = ObjectKey("OCIJob", entry.key.namespace, name)
                self._memory.want_refresh(job, after)
                self._queue.add(job)
                return False
            case (
                act.ReadCredentials()
                | act.VerifyCredentials()
                | act.HoldCredentials()
                | act.DropCredentials()
            ):
                await self._identities.execute(entry, action)
            case act.ReadSources(spec=spec) if spec.reads_remotely:
                self._jobs.start_reading(entry, action)
                return False
            case act.UploadArtifact():
                self._jobs.start_upload(entry, action)
                return False
            case act.SearchLogs():
                self._runs.ask_log(entry, action)
                return False
            case act.ReadUtilisation():
                self._runs.ask_utilisation(entry, action)
                return False
            case (
                act.ReadSources()
                | act.FindName()
                | act.ListShapes()
                | act.CreateJob()
                | act.SearchJobs()
                | act.LookUpJob()
                | act.UpdateJob()
                | act.ListActiveRuns()
                | act.DeleteJob()
                | act.DeleteCode()
            ):
                await self._jobs.execute(entry, action)
            case _:
                await self._runs.execute(entry, action)
        return True
