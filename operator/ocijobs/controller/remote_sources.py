"""Sources outside the manifest and the cluster's ConfigMaps: what each is at, and its files."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ocijobs.api.source import FluxSource, GitRepositorySource, HttpSource, ObjectStorageSource
from ocijobs.artifact.archives import check_size, files_of, files_under, in_folder
from ocijobs.artifact.files import (
    Content,
    Files,
    SourceError,
    SourceMissingError,
    SourceUnreachableError,
    sha256_of,
)
from ocijobs.artifact.repositories import GitCredentials, Repositories
from ocijobs.artifact.web import Web, file_name
from ocijobs.cloud.clients import Principal
from ocijobs.cloud.object_storage import ObjectStorage, StoredObject
from ocijobs.kube.reads import FluxArtifact, ObjectReader
from ocijobs.reconcile.remote import Refusal, RefusalKind


class RemoteSource(Protocol):
    """One source, as it is at one time.

    Both methods raise SourceMissingError, SourceUnreachableError or SourceError, and ApiError.
    """

    async def version(self) -> str:
        """Return what tells this state of the source from another; asking costs little."""
        ...

    async def files(self, folder: Path) -> Files:
        """Fetch the files that the version is of, into a folder."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What remote sources are read with."""

    reader: ObjectReader
    storage: ObjectStorage
    web: Web
    repositories: Repositories
    limit_bytes: int

    async def secret(self, namespace: str, name: str | None) -> Mapping[str, bytes]:
        """Return the data of a Secret, if one is named.

        Raises:
            SourceMissingError: if there is none.
            ApiError: if it can't be read.
        """
        if name is None:
            return {}
        found = await self.reader.secret(namespace, name)
        if found is None:
            raise SourceMissingError(f"there is no Secret {name}")
        return found.data


class BucketFiles:
    """An object of Object Storage, or all under a prefix."""

    def __init__(self, means: Means, source: ObjectStorageSource, principal: Principal) -> None:
        self._means, self._uri = means, source.uri
        region = source.region or principal.region
        self._principal = Principal(identity=principal.identity, region=region)
        self._stored: tuple[StoredObject, ...] = ()

    async def version(self) -> str:
        """Return a digest of names and ETags."""
        stored = await self._means.storage.stored(self._principal, self._uri)
        if isinstance(stored, Refusal):
            raise _refused(f"{self._uri} can't be listed", stored)
        if not stored:
            raise SourceMissingError(f"there is no object {self._uri}")
        check_size(sum(each.size for each in stored), self._means.limit_bytes)
        self._stored = stored
        return _digest(*(f"{each.name} {each.version}" for each in stored))

    async def files(self, folder: Path) -> Files:
        """Fetch the objects; a single archive is unpacked."""
        (folder / "fetched").mkdir()
        fetched: dict[str, Path] = {}
        for index, each in enumerate(self._stored):
            target = folder / "fetched" / str(index)
            answer = await self._means.storage.download(self._principal, self._uri, each, target)
            if isinstance(answer, Refusal):
                raise _refused(f"object {each.name} can't be read", answer)
            fetched[each.name] = target
        limit = self._means.limit_bytes
        if not self._uri.endswith("/"):
            (name, path), *_ = fetched.items()
            unpacked = folder / "unpacked"
            unpacked.mkdir()
            return files_of(path, name.rpartition("/")[2], unpacked, limit)
        prefix = self._uri.partition("@")[2].partition("/")[2]
        files: dict[str, Content] = {n.removeprefix(prefix): p for n, p in fetched.items()}
        for name in files:
            if ".." in name.split("/") or name.startswith("/"):
                raise SourceError(f"object {name} has no name of a file")
        return files


class WebFiles:
    """A file or an archive from the web, held to its SHA-256."""

    def __init__(self, means: Means, source: HttpSource, namespace: str) -> None:
        self._means, self._source, self._namespace = means, source, namespace

    async def version(self) -> str:
        """Return the SHA-256 that the spec wants: nothing else is ever taken."""
        return f"sha256:{self._source.sha256}"

    async def files(self, folder: Path) -> Files:
        """Fetch the file; an archive is unpacked."""
        source, limit = self._source, self._means.limit_bytes
        name, target = file_name(source.url), folder / "fetched"
        secret = source.secret_ref.name if source.secret_ref is not None else None
        headers = _authorization(await self._means.secret(self._namespace, secret), secret)
        await self._means.web.fetch(source.url, target, limit=limit, headers=headers)
        if (found := sha256_of(target)) != source.sha256:
            raise SourceError(
                f"{source.url} has SHA-256 {found}, and http.sha256 wants {source.sha256}"
            )
        unpacked = folder / "unpacked"
        unpacked.mkdir()
        return files_of(target, name, unpacked, limit)


class RepositoryFiles:
    """A commit of a Git repository."""

    def __init__(
        self, means: Means, source: GitRepositorySource, namespace: str, folder: Path
    ) -> None:
        self._means, self._source, self._namespace = means, source, namespace
        self._folder = folder
        self._commit = ""
        self._credentials: GitCredentials | None = None

    async def version(self) -> str:
        """Return the commit that the reference names now."""
        source = self._source
        self._commit = await self._means.repositories.commit(
            source.url, source.ref, await self._secret(), self._folder
        )
        return f"{self._commit}"

    async def files(self, folder: Path) -> Files:
        """Check the commit out."""
        work = folder / "fetched"
        work.mkdir()
        url = self._source.url
        await self._means.repositories.fetch(url, self._commit, await self._secret(), work)
        files = files_under(work, self._means.limit_bytes)
        return in_folder(files, self._source.path, f"commit {self._commit}")

    async def _secret(self) -> GitCredentials:
        if self._credentials is None:
            ref = self._source.secret_ref
            data = await self._means.secret(self._namespace, ref.name if ref else None)
            self._credentials = GitCredentials(
                username=data.get("username", b"").decode(errors="replace").strip(),
                password=data.get("password", b"").decode(errors="replace").strip(),
                identity=data.get("identity", b""),
                known_hosts=data.get("known_hosts", b""),
            )
        return self._credentials


class FluxFiles:
    """The artifact of a source of Flux."""

    def __init__(self, means: Means, source: FluxSource, namespace: str) -> None:
        self._means, self._source, self._namespace = means, source, namespace
        self._artifact: FluxArtifact | None = None

    async def version(self) -> str:
        """Return the revision and digest of the artifact."""
        kind, name = self._source.kind.value, self._source.name
        artifact = await self._means.reader.flux_artifact(self._namespace, kind, name)
        if artifact is None:
            raise SourceMissingError(f"there is no {kind} {name} of Flux")
        if not artifact.url or not artifact.digest.startswith("sha256:"):
            raise SourceMissingError(f"{kind} {name} of Flux has no artifact yet")
        self._artifact = artifact
        return f"{artifact.revision} {artifact.digest}".strip()

    async def files(self, folder: Path) -> Files:
        """Fetch the artifact, hold it to its digest, and unpack it."""
        artifact = self._artifact
        if artifact is None:
            raise AssertionError  # pragma: no cover - the version is asked for first
        target, unpacked = folder / "fetched", folder / "unpacked"
        unpacked.mkdir()
        await self._means.web.fetch(artifact.url, target, limit=self._means.limit_bytes)
        if f"sha256:{sha256_of(target)}" != artifact.digest:
            # Flux has fetched a newer one meanwhile, and its status tells of it in a moment.
            raise SourceUnreachableError(f"{artifact.url} is not what {artifact.digest} tells of")
        files = files_of(target, "artifact.tar.gz", unpacked, self._means.limit_bytes)
        return in_folder(files, self._source.path, f"artifact {artifact.revision}")


def _authorization(secret: Mapping[str, bytes], name: str | None) -> dict[str, str]:
    if name is None:
        return {}
    if "bearerToken" in secret:
        return {"Authorization": f"Bearer {secret['bearerToken'].decode().strip()}"}
    if "username" in secret and "password" in secret:
        pair = secret["username"].strip() + b":" + secret["password"].strip()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
    raise SourceMissingError(f"Secret {name} has neither bearerToken nor username and password")


def _refused(what: str, refusal: Refusal) -> SourceMissingError | SourceUnreachableError:
    message = f"{what}: {refusal.message}"
    if refusal.kind in {RefusalKind.UNAVAILABLE, RefusalKind.THROTTLED}:
        return SourceUnreachableError(message)
    return SourceMissingError(message)


def _digest(*lines: str) -> str:
    return f"sha256:{hashlib.sha256(chr(10).join(lines).encode()).hexdigest()}"
