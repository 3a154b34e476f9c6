"""Actions of an OCIJob: read its sources, and create, change and delete its OCI jobs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from contextlib import nullcontext
from dataclasses import replace
from weakref import WeakValueDictionary

from ocijobs.backends.records import Refusal, RefusalKind, internal_refusal
from ocijobs.backends.registry import backend_of
from ocijobs.clock import Clock
from ocijobs.cloud.clients import Principal
from ocijobs.cloud.code_storage import CodeStorage
from ocijobs.cloud.directory import Directory
from ocijobs.cloud.job_service import JobService, answer_of_job_call
from ocijobs.controller.entry import Entry
from ocijobs.controller.memory import Memory
from ocijobs.controller.places import backend_called, principal_of
from ocijobs.controller.queue import WorkQueue
from ocijobs.controller.sources import Reading, SourceReader
from ocijobs.controller.staging import Staging
from ocijobs.kube.lease import NotLeadingError
from ocijobs.log_fields import log_fields
from ocijobs.reconcile.actions.jobs import (
    DeleteCode,
    FindName,
    JobCall,
    ListShapes,
    ReadSources,
    UploadArtifact,
)
from ocijobs.reconcile.known.job import JobAnswer
from ocijobs.reconcile.known.sources import SourcesRead

_BUILDS = 4
"""How many sources in the cluster are built at the same time. Remote ones have turns (controller/turns.py)."""

_LOG = logging.getLogger(__name__)


class JobActions:
    """Carries out what was decided about jobs."""

    def __init__(
        self,
        *,
        services: Mapping[str, JobService],
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
        self._services, self._directory = services, directory
        self._code, self._code_in_use = code, code_in_use
        self._code_locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._sources, self._staging = sources, staging
        self._memory, self._queue, self._clock, self._fence = memory, queue, clock, fence
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._builds = asyncio.Semaphore(_BUILDS)

    @property
    def under_way(self) -> int:
        """How many jobs are having their source read or their artifact uploaded, beside the workers."""
        return len(self._tasks)

    async def execute(self, entry: Entry, call: JobCall) -> None:
        """Carry the action out, and learn what it brought."""
        answer = await self._call(call, principal_of(entry.key.namespace, call.caller))
        self._learn(entry, answer)

    async def _call(self, call: JobCall, principal: Principal) -> JobAnswer:
        """Make the call, and return it with its answer."""
        match call:
            case FindName(compartment_id=compartment, name=name):
                return call, await self._directory.find(principal, compartment, name)
            case ListShapes(compartment_id=compartment):
                return call, await self._directory.shapes(principal, compartment)
            case DeleteCode(uri=uri):
                return call, await self._delete_code(principal, uri)
            case _:
                oci = self._services[backend_called(call)]
                return await answer_of_job_call(oci, principal, call)

    def _lock(self, uri: str) -> asyncio.Lock:
        """Return the lock of a folder of code. It exists for as long as it is used."""
        return self._code_locks.setdefault(uri, asyncio.Lock())

    async def _delete_code(self, principal: Principal, uri: str) -> Refusal | None:
        """Delete a folder of code, unless a job has come to have it since that was decided.

        Another job's upload either comes first, and then that job's status names the folder; or
        it finds nothing there.
        """
        async with self._lock(uri):
            if self._code_in_use(uri):
                return None
            return await self._code.delete(principal, uri)

    async def _read(self, entry: Entry, action: ReadSources) -> None:
        principal = principal_of(entry.key.namespace, action.caller)
        read: Reading
        try:
            read = await self._sources.read(entry, action, principal)
        except NotLeadingError:
            raise
        except Exception as error:  # noqa: BLE001 - the job says so, and is tried again
            read = self._unforeseen("reading the source", error)
        self._learn(entry, (action, read))
        served = action.served.artifact if action.served is not None else None
        if isinstance(read, SourcesRead) and served is not None and read.sha256 == served.sha256:
            # The spec is in OCI as it is, and so is this.
            self._staging.discard(entry.metadata.uid, read.sha256)

    def start_reading(self, entry: Entry, action: ReadSources) -> None:
        """Start to read a source beside the workers; the job is queued afterwards."""
        self._start(entry, "read the source of", self._read_beside(entry, action))

    async def _read_beside(self, entry: Entry, action: ReadSources) -> None:
        async with nullcontext() if action.spec.reads_remotely else self._builds:
            await self._read(entry, action)

    def _start(self, entry: Entry, doing: str, work: Coroutine[object, None, None]) -> None:
        """Let work on an object go on in a task of its own, unless one does already."""
        uid = entry.metadata.uid
        if uid in self._tasks:
            work.close()
            return
        task = asyncio.create_task(work, name=f"{doing} {entry.key}")
        self._tasks[uid] = task
        task.add_done_callback(lambda ended: self._ended(entry, ended))

    def _ended(self, entry: Entry, task: asyncio.Task[None]) -> None:
        """Queue the job, whatever the outcome of the work."""
        del self._tasks[entry.metadata.uid]
        if task.cancelled():
            return
        if (error := task.exception()) is not None:
            # Who leads no more writes nothing, and ends.
            _LOG.error("could not %s", task.get_name(), exc_info=error, extra=log_fields())
        self._queue.add(entry.key)

    def _unforeseen(self, doing: str, error: Exception) -> Refusal:
        """Report an unexpected error, and return it as a refusal."""
        name = type(error).__name__
        _LOG.error(
            "%s: a defect of the operator", doing, exc_info=error, extra=log_fields(error=name)
        )
        self._count_error(doing, name)
        return internal_refusal(doing, name)

    async def end(self) -> None:
        """Cancel the tasks beside the workers, and return when they have ended."""
        tasks = tuple(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def forget(self, uid: str) -> None:
        """Forget an object that is gone."""
        self._staging.discard(uid)
        self._sources.forget(uid)

    def start_upload(self, entry: Entry, action: UploadArtifact) -> None:
        """Upload an artifact beside the workers, since it may take long; the job is queued afterwards."""
        self._start(entry, "upload the artifact of", self._upload(entry, action))

    async def _upload(self, entry: Entry, action: UploadArtifact) -> None:
        try:
            answer = await self._upload_staged(entry, action)
        except NotLeadingError:
            raise
        except Exception as error:  # noqa: BLE001 - the job says so, and is tried again
            answer = self._unforeseen("uploading the artifact", error)
        self._learn(entry, (action, answer))

    async def _upload_staged(self, entry: Entry, action: UploadArtifact) -> Refusal | None:
        """Upload the artifact. If it is not in the staging any more, it is built again."""
        principal = principal_of(entry.key.namespace, action.caller)
        uid = entry.metadata.uid
        content = self._staging.open(uid, action.artifact.sha256, self._fence)
        if content is None:
            self._memory.learn_job(uid, lambda known: replace(known, sources=None))
            return Refusal(kind=RefusalKind.UNAVAILABLE, message="the artifact is being built anew")
        with content:
            async with self._lock(action.artifact.uri or action.job_id):
                oci = self._services[backend_of(action.job_id).name]
                answer = await oci.upload_artifact(
                    principal, action.job_id, action.artifact, content
                )
        if answer is None:
            self._staging.discard(uid, action.artifact.sha256)
        return answer

    def _learn(self, entry: Entry, answer: JobAnswer) -> None:
        self._memory.job_answered(entry.metadata.uid, answer, self._clock.now())
