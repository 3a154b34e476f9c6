"""Reading a job's sources, and building its artifact from them."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from ocijobs.api.names import ANNOTATION_REQUESTED_AT
from ocijobs.api.source import ConfigMapSource, Source
from ocijobs.artifact.build import build_artifact
from ocijobs.artifact.files import (
    Files,
    SourceError,
    SourceMissingError,
    SourceUnreachableError,
    sources_digest,
)
from ocijobs.artifact.staging import Staging
from ocijobs.clock import Clock, wall_time
from ocijobs.cloud.clients import Principal
from ocijobs.controller.remote_sources import (
    BucketFiles,
    FluxFiles,
    Means,
    RemoteSource,
    RepositoryFiles,
    WebFiles,
)
from ocijobs.controller.store import Entry
from ocijobs.kube.client import ApiError
from ocijobs.reconcile.decision import ReadSources, ServedSource
from ocijobs.reconcile.job.known import SourcesRead
from ocijobs.reconcile.legible import legible
from ocijobs.reconcile.remote import Refusal, RefusalKind

_LONGEST_VERSION = 512


class SourceReader:
    """Reads sources as often as it is asked to."""

    def __init__(self, means: Means, staging: Staging, clock: Clock) -> None:
        self._means, self._staging, self._clock = means, staging, clock

    async def read(
        self, entry: Entry, action: ReadSources, principal: Principal
    ) -> SourcesRead | Refusal:
        """Return what the sources are now; a refusal means that they could not be asked."""
        began = self._clock.monotonic()
        read = await self._read(entry, action, principal)
        return (
            read if isinstance(read, Refusal) else replace(read, at=wall_time(self._clock, began))
        )

    async def _read(
        self, entry: Entry, action: ReadSources, principal: Principal
    ) -> SourcesRead | Refusal:
        runtime = action.spec.runtime
        where = f"spec.runtime.{runtime.name if runtime is not None else '*'}.source"
        read = SourcesRead(
            at=self._clock.now(),
            generation=entry.metadata.generation,
            requested=entry.metadata.annotations.get(ANNOTATION_REQUESTED_AT, ""),
        )
        try:
            with self._staging.workspace() as folder:
                found = await self._find(entry, action, principal, folder)
                if isinstance(found, ServedSource):
                    return _unchanged(read, found)
                version, files = found
                return self._build(replace(read, version=version), entry, action, files, folder)
        except (ApiError, SourceUnreachableError) as error:
            return Refusal(kind=RefusalKind.UNAVAILABLE, message=f"{where}: {error}")
        except SourceMissingError as error:
            return replace(read, missing=f"{where}: {error}")
        except SourceError as error:
            return replace(read, invalid=f"{where}: {error}")

    def _build(
        self, read: SourcesRead, entry: Entry, action: ReadSources, files: Files, folder: Path
    ) -> SourcesRead:
        read = replace(read, digest=sources_digest(files))
        try:
            built = build_artifact(entry.key.name, action.spec, files, folder / "artifact.zip")
        except SourceError as error:
            return replace(read, invalid=str(error))
        if built is None:
            return read
        self._staging.put(entry.metadata.uid, built)
        return replace(
            read,
            name=built.name,
            sha256=built.sha256,
            size=built.size,
            libraries=built.libraries,
        )

    async def _find(
        self, entry: Entry, action: ReadSources, principal: Principal, folder: Path
    ) -> ServedSource | tuple[str, Files]:
        """Return the version and the files of the source, or what the current revision has, if that is the same."""
        runtime, namespace = action.spec.runtime, entry.key.namespace
        source = runtime.source if runtime is not None else None
        if source is None:
            return "", {}
        if source.inline is not None:
            return "", {path: text.encode() for path, text in source.inline.items()}
        if source.config_map is not None:
            return "", await self._config_map(namespace, source.config_map)
        remote = _remote(self._means, source, namespace, principal, folder)
        version = _told(await remote.version())
        if action.served is not None and action.served.version == version:
            return action.served
        return version, await remote.files(folder)

    async def _config_map(self, namespace: str, source: ConfigMapSource) -> Files:
        found = await self._means.reader.config_map(namespace, source.name)
        if found is None:
            raise SourceMissingError(f"there is no ConfigMap {source.name}")
        wanted = source.keys if source.keys is not None else tuple(sorted(found.data))
        if missing := [key for key in wanted if key not in found.data]:
            raise SourceMissingError(f"ConfigMap {source.name} has no key {', '.join(missing)}")
        return {key: found.data[key] for key in wanted}


def _told(version: str) -> str:
    """Return a version as a status can tell it: of one that is long or not legible, its checksum."""
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


def _remote(
    means: Means, source: Source, namespace: str, principal: Principal, folder: Path
) -> RemoteSource:
    if source.object_storage is not None:
        return BucketFiles(means, source.object_storage, principal)
    if source.http is not None:
        return WebFiles(means, source.http, namespace)
    if source.git_repository is not None:
        return RepositoryFiles(means, source.git_repository, namespace, folder)
    if source.flux is not None:
        return FluxFiles(means, source.flux, namespace)
    raise AssertionError  # pragma: no cover - the model has exactly one
