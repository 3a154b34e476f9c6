"""Finds out where the files of a source are: what to ask the fetcher for, and with which rights.

This module reads no source. The fetcher gets the address, and the credential of that one source.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol
from urllib.parse import unquote, urlsplit

from ocijobs.api.job.source import (
    ConfigMapSource,
    FluxSource,
    GitRepositorySource,
    HttpSource,
    ObjectStorageSource,
    Source,
)
from ocijobs.backends.records import Refusal
from ocijobs.backends.records import RefusalKind as OciRefusalKind
from ocijobs.cloud.clients import Principal
from ocijobs.cloud.object_storage import ObjectStorage, StoredObject
from ocijobs.fetcher.protocol import (
    GitCommit,
    GivenFiles,
    Origin,
    RefusalKind,
    SignedObject,
    SourceRefusedError,
    StoredObjects,
    WebFile,
)
from ocijobs.kube.reads import ObjectReader


class RemoteSource(Protocol):
    """One source outside the manifest and the cluster's ConfigMaps, as it is at one time.

    Both methods raise SourceRefusedError and ApiError.
    """

    async def version(self) -> str | GitCommit:
        """Return the version of the source; or the request for the fetcher to find it out."""
        ...

    async def origin(self, version: str) -> Origin:
        """Return where the files of this version are."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What sources need to be looked up."""

    reader: ObjectReader
    storage: ObjectStorage
    limit_bytes: int
    limit_files: int
    trust: str | None = None

    async def secret(self, namespace: str, name: str | None) -> Mapping[str, bytes]:
        """Return the data of a Secret, if one is named.

        Raises:
            SourceRefusedError: if there is none.
            ApiError: if it can't be read.
        """
        if name is None:
            return {}
        found = await self.reader.secret(namespace, name)
        if found is None:
            raise SourceRefusedError(RefusalKind.MISSING, f"there is no Secret {name}")
        return found.data

    async def given(self, source: Source | None, namespace: str) -> GivenFiles:
        """Return the files of a source in the manifest or in a ConfigMap; none if there is no source.

        Raises:
            SourceRefusedError: if there is no such ConfigMap, or a key of it is missing.
            ApiError: if it can't be read.
        """
        if source is None:
            return GivenFiles(files={})
        if source.config_map is None:
            return GivenFiles(files={p: t.encode() for p, t in (source.inline or {}).items()})
        return await self._of_config_map(source.config_map, namespace)

    async def _of_config_map(self, source: ConfigMapSource, namespace: str) -> GivenFiles:
        name, keys = source.name, source.keys
        found = await self.reader.config_map(namespace, name)
        if found is None:
            raise SourceRefusedError(RefusalKind.MISSING, f"there is no ConfigMap {name}")
        wanted = keys if keys is not None else tuple(sorted(found.data))
        if missing := [key for key in wanted if key not in found.data]:
            raise SourceRefusedError(
                RefusalKind.MISSING, f"ConfigMap {name} has no key {', '.join(missing)}"
            )
        return GivenFiles(files={key: found.data[key] for key in wanted})


def remote_source(
    means: Means, source: Source, namespace: str, principal: Principal
) -> RemoteSource:
    """Return the source that a spec names."""
    if source.object_storage is not None:
        return _Bucket(means, source.object_storage, principal)
    if source.http is not None:
        return _Web(means, source.http, namespace)
    if source.git_repository is not None:
        return _Repository(means, source.git_repository, namespace)
    if source.flux is not None:
        return _Flux(means, source.flux, namespace)
    raise AssertionError  # pragma: no cover - the model has exactly one


class _Bucket:
    """An object of Object Storage, or all objects under a prefix."""

    def __init__(self, means: Means, source: ObjectStorageSource, principal: Principal) -> None:
        self._means, self._uri = means, source.uri
        region = source.region or principal.region
        self._principal = Principal(identity=principal.identity, region=region)
        self._version, self._stored = "", tuple[StoredObject, ...]()

    async def version(self) -> str:
        """Return a digest of names and ETags."""
        means = self._means
        stored = await means.storage.stored(self._principal, self._uri, most=means.limit_files)
        if isinstance(stored, Refusal):
            raise _refused(f"{self._uri} can't be listed", stored)
        if not stored:
            raise SourceRefusedError(RefusalKind.MISSING, f"there is no object {self._uri}")
        if len(stored) > means.limit_files:
            raise SourceRefusedError(
                RefusalKind.INVALID,
                f"{self._uri} has more than {means.limit_files} objects, the most that are allowed (setting "
                "sourceFilesLimit): keep data elsewhere, or put the code into an archive",
            )
        if (size := sum(each.size for each in stored)) > means.limit_bytes:
            raise SourceRefusedError(
                RefusalKind.INVALID,
                f"{self._uri} has {size} bytes: it has more than {means.limit_bytes} bytes, the largest artifact that "
                "is allowed (setting artifactLimitBytes): keep data in Object Storage and only code in the source",
            )
        self._stored = stored
        self._version = _digest(*(f"{each.name} {each.version}" for each in stored))
        return self._version

    async def origin(self, version: str) -> Origin:
        """Return signed requests for these objects only; the key that signs them stays in the operator."""
        if not self._stored:
            await self.version()
        if self._version != version:
            # What is recorded must be what is read.
            raise SourceRefusedError(
                RefusalKind.UNREACHABLE,
                f"{self._uri} has changed since it was asked for its version",
            )
        signed = await self._means.storage.signed(self._principal, self._uri, self._stored)
        if isinstance(signed, Refusal):
            raise _refused(f"{self._uri} can't be read", signed)
        single = not self._uri.endswith("/")
        prefix = self._uri.partition("@")[2].partition("/")[2]
        return StoredObjects(
            objects=tuple(
                SignedObject(
                    name=each.name.rpartition("/")[2] if single else each.name.removeprefix(prefix),
                    url=request.url,
                    headers=request.headers,
                )
                for each, request in zip(self._stored, signed, strict=True)
            ),
            unpack=single,
            trust=self._means.trust,
        )


class _Web:
    """A file or an archive from the web, checked against its SHA-256."""

    def __init__(self, means: Means, source: HttpSource, namespace: str) -> None:
        self._means, self._source, self._namespace = means, source, namespace

    async def version(self) -> str:
        """Return the SHA-256 from the spec: no other content is accepted."""
        return f"sha256:{self._source.sha256}"

    async def origin(self, version: str) -> Origin:
        """Return the address, with the credentials from the Secret."""
        source = self._source
        secret = source.secret_ref.name if source.secret_ref is not None else None
        headers = _authorization(await self._means.secret(self._namespace, secret), secret)
        return WebFile(
            url=source.url,
            name=_file_name(source.url),
            sha256=version.removeprefix("sha256:"),
            headers=headers,
        )


class _Repository:
    """A commit of a Git repository."""

    def __init__(self, means: Means, source: GitRepositorySource, namespace: str) -> None:
        self._means, self._source, self._namespace = means, source, namespace

    async def version(self) -> str | GitCommit:
        """Return the commit from the spec; else a request for the fetcher to ask the repository."""
        ref = self._source.ref
        if ref is not None and ref.commit is not None:
            return ref.commit
        return await self._asked(None)

    async def origin(self, version: str) -> Origin:
        """Return the commit."""
        return await self._asked(version)

    async def _asked(self, commit: str | None) -> GitCommit:
        source = self._source
        data = await self._means.secret(
            self._namespace, source.secret_ref.name if source.secret_ref else None
        )
        return GitCommit(
            url=source.url,
            branch=source.ref.branch if source.ref is not None else None,
            tag=source.ref.tag if source.ref is not None else None,
            commit=commit,
            path=source.path,
            username=data.get("username", b"").decode(errors="replace").strip(),
            password=data.get("password", b"").decode(errors="replace").strip(),
            identity=data.get("identity", b""),
            known_hosts=data.get("known_hosts", b""),
        )


class _Flux:
    """The artifact of a source of Flux."""

    def __init__(self, means: Means, source: FluxSource, namespace: str) -> None:
        self._means, self._source, self._namespace = means, source, namespace
        self._url = ""

    async def version(self) -> str:
        """Return the revision and digest of the artifact."""
        kind, name = self._source.kind.value, self._source.name
        artifact = await self._means.reader.flux_artifact(self._namespace, kind, name)
        if artifact is None:
            raise SourceRefusedError(RefusalKind.MISSING, f"there is no {kind} {name} of Flux")
        if not artifact.url or not artifact.digest.startswith("sha256:"):
            raise SourceRefusedError(
                RefusalKind.MISSING, f"{kind} {name} of Flux has no artifact yet"
            )
        self._url = artifact.url
        return f"{artifact.revision} {artifact.digest}".strip()

    async def origin(self, version: str) -> Origin:
        """Return the address. If Flux has fetched a newer artifact meanwhile, its status will name it in a moment."""
        if not self._url:
            version = await self.version()
        return WebFile(
            url=self._url,
            name="artifact.tar.gz",
            sha256=version.rpartition("sha256:")[2],
            moves_on=True,
            path=self._source.path,
        )


def _authorization(secret: Mapping[str, bytes], name: str | None) -> dict[str, str]:
    if name is None:
        return {}
    if "bearerToken" in secret:
        token = secret["bearerToken"].decode(errors="replace").strip()
        return {"Authorization": f"Bearer {token}"}
    if "username" in secret and "password" in secret:
        pair = secret["username"].strip() + b":" + secret["password"].strip()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
    raise SourceRefusedError(
        RefusalKind.MISSING, f"Secret {name} has neither bearerToken nor username and password"
    )


def _file_name(url: str) -> str:
    """Return the file name at the end of an address.

    Raises:
        SourceRefusedError: if there is none.
    """
    name = PurePosixPath(unquote(urlsplit(url).path)).name
    if not name or name.startswith("."):
        raise SourceRefusedError(RefusalKind.INVALID, f"{url} ends with no name of a file")
    return name


def _refused(what: str, refusal: Refusal) -> SourceRefusedError:
    passing = refusal.kind in {OciRefusalKind.UNAVAILABLE, OciRefusalKind.THROTTLED}
    kind = RefusalKind.UNREACHABLE if passing else RefusalKind.MISSING
    return SourceRefusedError(kind, f"{what}: {refusal.message}")


def _digest(*lines: str) -> str:
    return f"sha256:{hashlib.sha256(chr(10).join(lines).encode()).hexdigest()}"
