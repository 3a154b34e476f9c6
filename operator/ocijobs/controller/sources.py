"""Asks the fetcher for a job's sources, and interprets its answer. This module reads no source."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from ocijobs.api.shared.names import ANNOTATION_REQUESTED_AT
from ocijobs.backends.records import Refusal
from ocijobs.backends.records import RefusalKind as CallRefusalKind
from ocijobs.clock import Clock, wall_time
from ocijobs.cloud.clients import Principal
from ocijobs.controller.entry import Entry
from ocijobs.controller.fetcher_client import Fetcher
from ocijobs.controller.origins import Means, RemoteSource, remote_source
from ocijobs.controller.staging import Owner, Staging
from ocijobs.fetcher.protocol import (
    FetchAnswer,
    FetchRefusal,
    FetchRequest,
    Limits,
    Origin,
    RefusalKind,
    SourceRefusedError,
)
from ocijobs.kube.client import ApiError
from ocijobs.reconcile.actions.jobs import ReadSources, ServedSource
from ocijobs.reconcile.known.sources import SourceNamed, SourcesRead
from ocijobs.reconcile.legible import legible

_REFUSALS = {
    RefusalKind.UNREACHABLE: CallRefusalKind.UNAVAILABLE,
    RefusalKind.FULL: CallRefusalKind.NO_ROOM,
    RefusalKind.LIMIT: CallRefusalKind.DIED,
    RefusalKind.DIED: CallRefusalKind.DIED,
}
"""Refusals that say nothing about the source itself."""

Reading = SourcesRead | SourceNamed | Refusal
"""The outcome of a reading: the source, the version that has to be read, or the reason why the fetcher gave no answer.
"""

_LONGEST_VERSION = 512


class SourceReader:
    """Asks for sources, each time that it is called."""

    def __init__(
        self, means: Means, fetcher: Fetcher, limits: Limits, staging: Staging, clock: Clock
    ) -> None:
        self._means, self._fetcher, self._limits = means, fetcher, limits
        self._staging, self._clock = staging, clock
        self._named: dict[str, tuple[str, RemoteSource]] = {}

    async def read(self, entry: Entry, action: ReadSources, principal: Principal) -> Reading:
        """Return the sources as they are now, the version that has to be read, or the reason why there is no answer."""
        began = self._clock.monotonic()
        read = await self._read(entry, action, principal)
        if isinstance(read, Refusal):
            return read
        return replace(read, checked_at=wall_time(self._clock, began))

    async def _read(self, entry: Entry, action: ReadSources, principal: Principal) -> Reading:
        runtime = action.spec.runtime
        where = f"spec.runtime.{runtime.name if runtime is not None else '*'}.source"
        read = SourcesRead(
            checked_at=self._clock.now(),
            generation=entry.metadata.generation,
            requested=entry.metadata.annotations.get(ANNOTATION_REQUESTED_AT, ""),
        )
        try:
            found = await self._found(entry, action, principal)
            if isinstance(found, ServedSource):
                return _unchanged(read, found)
            if isinstance(found, str):
                return SourceNamed(
                    checked_at=read.checked_at,
                    generation=read.generation,
                    requested=read.requested,
                    version=found,
                )
            version, origin = found
            answer = await self._fetch(entry, action, origin)
            if answer.refusal is not None:
                return _refused(replace(read, version=_settled(action)), answer.refusal)
            return _read(read, version, answer)
        except ApiError as error:
            return Refusal(kind=CallRefusalKind.UNAVAILABLE, message=f"{where}: {error}")
        except OSError as error:
            # The operator's own: its disk, or a process that can't be started.
            why = error.strerror or type(error).__name__
            return Refusal(kind=CallRefusalKind.UNAVAILABLE, message=f"{where}: {why}")
        except SourceRefusedError as error:
            told = error.refusal
            return _refused(
                read, FetchRefusal(kind=told.kind, message=f"{where}: {told.message}"[:4096])
            )

    def forget(self, uid: str) -> None:
        """Forget an object that is gone."""
        self._named.pop(uid, None)

    async def _found(
        self, entry: Entry, action: ReadSources, principal: Principal
    ) -> ServedSource | str | tuple[str, Origin]:
        """Return where the files are; or the version of a remote source, if only that is needed."""
        runtime, namespace = action.spec.runtime, entry.key.namespace
        source = runtime.source if runtime is not None else None
        if source is None or not action.spec.reads_remotely:
            return "", await self._means.given(source, namespace)
        uid = entry.metadata.uid
        if action.version is None:
            remote = remote_source(self._means, source, namespace, principal)
            version = _told(await self._version(entry, action, remote))
            self._named[uid] = (version, remote)
            served = action.served
            return served if served is not None and served.version == version else version
        named = self._named.pop(uid, None)
        if named is not None and named[0] == action.version:
            return action.version, await named[1].origin(action.version)
        remote = remote_source(self._means, source, namespace, principal)
        return action.version, await remote.origin(action.version)

    async def _version(self, entry: Entry, action: ReadSources, remote: RemoteSource) -> str:
        version = await remote.version()
        if isinstance(version, str):
            return version
        answer = await self._fetch(entry, action, version)
        if answer.refusal is not None:
            # The fetcher has named the field already.
            raise SourceRefusedError(
                answer.refusal.kind,
                answer.refusal.message.partition(": ")[2] or answer.refusal.message,
            )
        return answer.commit

    async def _fetch(self, entry: Entry, action: ReadSources, origin: Origin) -> FetchAnswer:
        spec = action.spec
        request = FetchRequest(
            job_name=entry.key.name,
            runtime=spec.runtime,
            outputs=spec.outputs,
            language=spec.language,
            origin=origin,
            limits=self._limits,
        )
        owner = Owner(namespace=entry.key.namespace, uid=entry.metadata.uid)
        return await self._fetcher.fetch(
            request, lambda told: self._staging.receive(owner, told.sha256, told.size)
        )


def _settled(action: ReadSources) -> str:
    """Return the version if it shows what is wrong with the source: content at a web address may change."""
    source = action.spec.runtime.source if action.spec.runtime is not None else None
    return "" if source is None or source.http is not None else action.version or ""


def _refused(read: SourcesRead, refusal: FetchRefusal) -> SourcesRead | Refusal:
    if refusal.kind is RefusalKind.MISSING:
        return replace(read, missing=refusal.message)
    if refusal.kind is RefusalKind.INVALID:
        return replace(read, invalid=refusal.message)
    return Refusal(kind=_REFUSALS[refusal.kind], message=refusal.message)


def _read(read: SourcesRead, version: str, answer: FetchAnswer) -> SourcesRead:
    read = replace(read, version=version, digest=answer.digest)
    built = answer.artifact
    if built is None:
        return read
    return replace(
        read, name=built.name, sha256=built.sha256, size=built.size, libraries=built.libraries
    )


def _told(version: str) -> str:
    """Return a version in the form for a status: the checksum of one that is too long or not printable."""
    if len(version) <= _LONGEST_VERSION and legible(version) == version:
        return version
    return hashlib.sha256(version.encode(errors="surrogateescape")).hexdigest()


def _unchanged(read: SourcesRead, served: ServedSource) -> SourcesRead:
    artifact = served.artifact
    return replace(
        read,
        version=served.version,
        digest=served.digest,
        name=artifact.name if artifact is not None else "",
        sha256=artifact.sha256 if artifact is not None else "",
        size=artifact.size if artifact is not None else 0,
        libraries=artifact.libraries if artifact is not None else (),
    )
