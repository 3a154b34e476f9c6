"""Reading a job's sources, and building its artifact from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ocijobs.api.job import OCIJobSpec
from ocijobs.api.names import ANNOTATION_REQUESTED_AT
from ocijobs.api.runtime import ConfigMapSource, Source
from ocijobs.artifact.build import SourceError, build_artifact, sources_digest
from ocijobs.artifact.staging import Staging
from ocijobs.clock import Clock
from ocijobs.controller.store import Entry
from ocijobs.kube.client import ApiError
from ocijobs.kube.reads import ObjectReader
from ocijobs.reconcile.job.known import SourcesRead
from ocijobs.reconcile.remote import Refusal, RefusalKind


class _MissingError(Exception):
    """Something that the source names does not exist; the message says what."""


class SourceReader:
    """Reads sources as often as it is asked to."""

    def __init__(self, reader: ObjectReader, staging: Staging, clock: Clock) -> None:
        self._reader, self._staging, self._clock = reader, staging, clock

    async def read(self, entry: Entry, spec: OCIJobSpec) -> SourcesRead | Refusal:
        """Return what the sources are now; a refusal is the API server's, not that something is missing."""
        read = SourcesRead(
            at=self._clock.now(),
            generation=entry.metadata.generation,
            requested=entry.metadata.annotations.get(ANNOTATION_REQUESTED_AT, ""),
        )
        try:
            files = await self._files(entry.key.namespace, spec.runtime.variant.source)
        except ApiError as error:
            return Refusal(kind=RefusalKind.UNAVAILABLE, message=f"source not read: {error}")
        except _MissingError as error:
            return replace(read, missing=str(error))
        digest = sources_digest(files)
        try:
            artifact = build_artifact(entry.key.name, spec, files)
        except SourceError as error:
            return replace(read, digest=digest, invalid=str(error))
        return replace(
            read,
            digest=digest,
            name=artifact.name,
            sha256=self._staging.put(artifact),
            size=len(artifact.content),
        )

    async def _files(self, namespace: str, source: Source) -> Mapping[str, bytes]:
        if source.inline is not None:
            return {path: text.encode() for path, text in source.inline.items()}
        if source.config_map is not None:
            return await self._config_map(namespace, source.config_map)
        raise AssertionError  # pragma: no cover - the model has exactly one

    async def _config_map(self, namespace: str, source: ConfigMapSource) -> Mapping[str, bytes]:
        found = await self._reader.config_map(namespace, source.name)
        if found is None:
            raise _MissingError(f"there is no ConfigMap {source.name}")
        wanted = source.keys if source.keys is not None else tuple(sorted(found.data))
        if missing := [key for key in wanted if key not in found.data]:
            raise _MissingError(f"ConfigMap {source.name} has no key {', '.join(missing)}")
        return {key: found.data[key] for key in wanted}
