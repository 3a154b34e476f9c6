"""Actions of an OCIJob: its sources are read, and its OCI jobs are made, changed and removed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from contextlib import nullcontext
from dataclasses import replace
from typing import Any
from weakref import WeakValueDictionary

from ocijobs.backends.records import Refusal, RefusalKind
from ocijobs.backends.registry import backend_of
from ocijobs.clock import Clock
from ocijobs.cloud.clients import Principal
from ocijobs.cloud.code_storage import CodeStorage
from ocijobs.cloud.directory import Directory
from ocijobs.cloud.infrastructure import Infrastructure
from ocijobs.controller.memory import Memory
from ocijobs.controller.places import principal_of
from ocijobs.controller.queue import WorkQueue
from ocijobs.controller.sources import Reading, SourceReader
from ocijobs.controller.staging import Staging
from ocijobs.controller.store import Entry
from ocijobs.kube.lease import NotLeadingError
from ocijobs.log_fields import log_fields
from ocijobs.reconcile import decision as act
from ocijobs.reconcile.failure import internal_refusal
from ocijobs.reconcile.job.known import JobKnown, SourcesRead

JobCall = (
    act.FindName
    | act.ListShapes
    | act.CreateJob
    | act.SearchJobs
    | act.LookUpJob
    | act.UpdateJob
    | act.ListActiveRuns
    | act.DeleteJob
)


_BUILDS = 4
"""Sources in the cluster that artifacts are built of at the same time. Remote ones have turns (controller/turns.py)."""

_LOG = logging.getLogger(__name__)


class JobActions:
    """Carries out what was decided about jobs."""

    def __init__(
        self,
        *,
        infrastructures: Mapping[str, Infrastructure],
        directory: Directory,
        code: CodeStorage,
        code_in_use: Callable[[str], bool],
        sources: SourceReader,
        staging: Staging,
        memory: Memory,
        queue: WorkQueue,
        clock: Clock,
        fence: Callable[[], None],
        count_error: Callable[[str, str], None],
    ) -> None:
        self._count_error = count_error
        self._infrastructures, self._directory = infrastructures, directory
        self._code, self._code_in_use = code, code_in_use
        self._code_locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._sources, self._staging = sources, staging
        self._memory, self._queue, self._clock, self._fence = memory, queue, clock, fence
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._builds = asyncio.Semaphore(_BUILDS)

    @property
    def under_way(self) -> int:
        """How many jobs have their source read or their artifact uploaded, beside the workers."""
        return len(self._tasks)

    async def execute(self, entry: Entry, action: act.DeleteCode | JobCall) -> None:
        """Carry the action out, and learn what it brought."""
        if isinstance(action, act.DeleteCode):
            await self._delete_code(entry, action)
            return
        learn = await self._call(action, principal_of(entry.key.namespace, action.caller))
        self._learn(entry, learn)

    async def _call(self, action: JobCall, principal: Principal) -> Callable[[JobKnown], JobKnown]:
        """Make the call, and return how it changes what is known."""
        epoch = action.epoch
        match action:
            case act.FindName(compartment_id=compartment, name=name):
                ocid = await self._directory.find(principal, compartment, name)
                at = self._clock.now()
                return lambda known: known.name_answered(name, ocid, at=at, epoch=epoch)
            case act.ListShapes(compartment_id=compartment):
                shapes = await self._directory.shapes(principal, compartment)
                at = self._clock.now()
                return lambda known: known.shapes_listed(shapes, at=at, epoch=epoch)
            case act.CreateJob(request=request, token=token):
                oci = self._infrastructures[action.backend]
                created = await oci.create_job(principal, request, token)
                at = self._clock.now()
                return lambda known: known.create_answered(token, created, at=at, epoch=epoch)
            case act.SearchJobs(token=token, compartment_id=compartment, project_id=project):
                oci = self._infrastructures[action.backend]
                found = await oci.search_jobs(principal, compartment, project, action.owner)
                at = self._clock.now()
                return lambda known: known.search_answered(token, found, at=at, epoch=epoch)
            case act.LookUpJob(compartment_id=compartment, job_id=job_id):
                record = await self._having(job_id).look_up_job(principal, compartment, job_id)
                at = self._clock.now()
                return lambda known: known.look_up_answered(job_id, record, at=at, epoch=epoch)
            case act.UpdateJob(job_id=job_id, settings=settings, settings_digest=digest):
                refusal = await self._having(job_id).update_job(principal, job_id, settings)
                at = self._clock.now()
                return lambda known: known.update_answered(
                    job_id, digest, refusal, at=at, epoch=epoch
                )
            case act.ListActiveRuns(compartment_id=compartment, job_id=job_id):
                active = await self._having(job_id).count_active_runs(
                    principal, compartment, job_id
                )
                at = self._clock.now()
                return lambda known: known.runs_listed(job_id, active, at=at, epoch=epoch)
            case act.DeleteJob(job_id=job_id):
                refusal = await self._having(job_id).delete_job(principal, job_id)
                at = self._clock.now()
                return lambda known: known.delete_answered(job_id, refusal, at=at, epoch=epoch)

    def _lock(self, uri: str) -> asyncio.Lock:
        """Return the lock of a folder of code, which is there for as long as somebody has it."""
        return self._code_locks.setdefault(uri, asyncio.Lock())

    def _having(self, job_id: str) -> Infrastructure:
        """Return where a job is."""
        return self._infrastructures[backend_of(job_id).name]

    async def _delete_code(self, entry: Entry, action: act.DeleteCode) -> None:
        """Delete a folder of code, unless a job has come to have it since that was decided.

        Another job's upload, which finds the code there, either comes first, and then that job's status names it; or
        it finds nothing.
        """
        uri, refusal = action.uri, None
        async with self._lock(uri):
            if not self._code_in_use(uri):
                refusal = await self._code.delete(
                    principal_of(entry.key.namespace, action.caller), uri
                )
        at = self._clock.now()
        self._learn(
            entry,
            lambda known: known.code_delete_answered(uri, refusal, at=at, epoch=action.epoch),
        )

    async def _read(self, entry: Entry, action: act.ReadSources) -> None:
        principal = principal_of(entry.key.namespace, action.caller)
        read: Reading
        try:
            read = await self._sources.read(entry, action, principal)
        except NotLeadingError:
            raise
        except Exception as error:  # noqa: BLE001 - the job says so, and is tried again
            read = self._unforeseen("reading the source", error)
        now = self._clock.now()
        self._learn(entry, lambda known: known.sources_answered(read, at=now, epoch=action.epoch))
        served = action.served.artifact if action.served is not None else None
        if isinstance(read, SourcesRead) and served is not None and read.sha256 == served.sha256:
            # The spec is in OCI as it is, and so is this.
            self._staging.discard(entry.metadata.uid, read.sha256)

    def start_reading(self, entry: Entry, action: act.ReadSources) -> None:
        """Have a source read beside the workers; the job is looked at again afterwards."""
        self._start(entry, "read the source of", self._read_beside(entry, action))

    async def _read_beside(self, entry: Entry, action: act.ReadSources) -> None:
        async with nullcontext() if action.spec.reads_remotely else self._builds:
            await self._read(entry, action)

    def _start(self, entry: Entry, doing: str, work: Coroutine[Any, Any, None]) -> None:
        """Let work on an object go on in a task of its own, unless one does already."""
        uid = entry.metadata.uid
        if uid in self._tasks:
            work.close()
            return
        task = asyncio.create_task(work, name=f"{doing} {entry.key}")
        self._tasks[uid] = task
        task.add_done_callback(lambda ended: self._ended(entry, ended))

    def _ended(self, entry: Entry, task: asyncio.Task[None]) -> None:
        """Have the job looked at again, whatever came of the work."""
        del self._tasks[entry.metadata.uid]
        if task.cancelled():
            return
        if (error := task.exception()) is not None:
            # Who leads no more writes nothing, and ends.
            _LOG.error("could not %s", task.get_name(), exc_info=error, extra=log_fields())
        self._queue.add(entry.key)

    def _unforeseen(self, doing: str, error: Exception) -> Refusal:
        """Tell of an error that nobody foresaw, and return it as what is learnt."""
        name = type(error).__name__
        _LOG.error(
            "%s: a defect of the operator", doing, exc_info=error, extra=log_fields(error=name)
        )
        self._count_error(doing, name)
        return internal_refusal(doing, name)

    async def end(self) -> None:
        """Cancel what goes on beside the workers, and return when it has ended."""
        tasks = tuple(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def forget(self, uid: str) -> None:
        """Keep nothing of an object that is gone."""
        self._staging.discard(uid)
        self._sources.forget(uid)

    def start_upload(self, entry: Entry, action: act.UploadArtifact) -> None:
        """Upload an artifact beside the workers, since it may take long; the job is looked at again afterwards."""
        self._start(entry, "upload the artifact of", self._upload(entry, action))

    async def _upload(self, entry: Entry, action: act.UploadArtifact) -> None:
        try:
            answer = await self._upload_staged(entry, action)
        except NotLeadingError:
            raise
        except Exception as error:  # noqa: BLE001 - the job says so, and is tried again
            answer = self._unforeseen("uploading the artifact", error)
        at = self._clock.now()
        self._learn(
            entry,
            lambda known: known.upload_answered(action.job_id, answer, at=at, epoch=action.epoch),
        )

    async def _upload_staged(self, entry: Entry, action: act.UploadArtifact) -> Refusal | None:
        """Upload what was built; what is not there any more is built anew."""
        principal = principal_of(entry.key.namespace, action.caller)
        uid = entry.metadata.uid
        content = self._staging.open(uid, action.artifact.sha256, self._fence)
        if content is None:
            self._learn(entry, lambda known: replace(known, sources=None))
            return Refusal(kind=RefusalKind.UNAVAILABLE, message="the artifact is being built anew")
        with content:
            async with self._lock(action.artifact.uri or action.job_id):
                answer = await self._having(action.job_id).upload_artifact(
                    principal, action.job_id, action.artifact, content
                )
        if answer is None:
            self._staging.discard(uid, action.artifact.sha256)
        return answer

    def _learn(self, entry: Entry, learn: Callable[[JobKnown], JobKnown]) -> None:
        self._memory.learn_job(entry.metadata.uid, learn)
