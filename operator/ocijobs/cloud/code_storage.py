"""Code of Spark jobs in Object Storage. It is put there once, object by object, and deleted with its job.

A folder has one state of the code. So an object that exists already is either the same one or somebody else's: it is
compared, and never overwritten. https://docs.oracle.com/iaas/api/#/en/objectstorage/20160918/Object/PutObject
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import IO, Any, BinaryIO

from ocijobs.api.job.status import Artifact
from ocijobs.backends.records import Refusal, RefusalKind
from ocijobs.cloud.calls import Calls
from ocijobs.cloud.clients import Principal, Service
from ocijobs.cloud.object_storage import OBJECTS_A_PAGE, ObjectAddress
from ocijobs.cloud.service_calls import ServiceCalls, is_unclear

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Member:
    """A file of the archive: its name there, its size, and the MD5 of its content in Base64."""

    name: str
    size: int
    md5: str


class _Body:
    """The content of a member, read while it is sent. Its size is known before."""

    def __init__(self, stream: IO[bytes], size: int) -> None:
        self._stream, self._size = stream, size

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        while chunk := self.read(_CHUNK):
            yield chunk

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        return self._stream.read(size)


class CodeStorage:
    """Puts code into folders of Object Storage and deletes folders, as the job's identity."""

    def __init__(self, calls: Calls) -> None:
        self._service = ServiceCalls(calls, Service.OBJECT_STORAGE)

    async def upload(
        self, principal: Principal, artifact: Artifact, content: BinaryIO
    ) -> Refusal | None:
        """Put the members of an archive into the artifact's folder; None if they are all there now.

        Args:
            principal: as whom.
            artifact: its `uri` names the folder.
            content: an archive that is not compressed, of the objects; read as they are sent.

        Raises:
            ValueError: if the artifact has no folder.
        """
        if artifact.uri is None:
            raise ValueError("code of a Spark job has a folder")
        place = ObjectAddress.parse(artifact.uri)
        for member in await asyncio.to_thread(_members, content):
            refusal = await self._put(principal, place, member, content)
            if refusal is not None:
                return refusal
        return None

    async def _put(
        self, principal: Principal, place: ObjectAddress, member: _Member, content: BinaryIO
    ) -> Refusal | None:
        """Put a member, unless it is there (PutObject with `If-None-Match: *`, HeadObject where that is refused)."""
        name = place.object_name(member.name)

        def send(client: Any) -> None:
            with zipfile.ZipFile(content) as archive, archive.open(member.name) as stream:
                client.put_object(
                    place.namespace,
                    place.bucket,
                    name,
                    _Body(stream, member.size) if member.size else b"",
                    if_none_match="*",
                    content_md5=member.md5,
                )

        refusal = await self._service.done(principal, "PutObject", send)
        if refusal is None or refusal.kind is not RefusalKind.CONFLICT:
            return refusal
        same = await self._service.read(
            principal,
            "HeadObject",
            lambda client: _is(
                member, client.head_object(place.namespace, place.bucket, name).headers
            ),
        )
        if isinstance(same, Refusal):
            # What is not there was no object in the way: the refusal has another cause.
            return refusal if is_unclear(same) else same
        return None if same else _taken(place.uri(name))

    async def delete(self, principal: Principal, uri: str) -> Refusal | None:
        """Delete all objects of a folder (ListObjects, all pages; DeleteObject); None if there are none now.

        Raises:
            ValueError: if the address is a whole bucket.
        """
        place = ObjectAddress.parse(uri)
        if not place.prefix:
            raise ValueError(f"{uri} is a whole bucket, and code has a folder of its own")
        names = await self._names(principal, place)
        if isinstance(names, Refusal):
            return None if is_unclear(names) else names
        for name in names:
            refusal = await self._service.ended(
                principal, "DeleteObject", partial(_delete, place, name)
            )
            if refusal is not None and not is_unclear(refusal):
                return refusal
        return None

    async def _names(self, principal: Principal, place: ObjectAddress) -> list[str] | Refusal:
        names: list[str] = []
        start: str | None = None
        while True:
            page = await self._service.read(principal, "ListObjects", partial(_list, place, start))
            if isinstance(page, Refusal):
                return page
            names.extend(item.name for item in page.objects)
            start = page.next_start_with
            if not start:
                return names


def _members(content: BinaryIO) -> tuple[_Member, ...]:
    with zipfile.ZipFile(content) as archive:
        return tuple(
            _Member(name=info.filename, size=info.file_size, md5=_md5(archive, info))
            for info in archive.infolist()
        )


def _md5(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> str:
    total = hashlib.md5(usedforsecurity=False)
    with archive.open(info) as stream:
        while chunk := stream.read(_CHUNK):
            total.update(chunk)
    return base64.b64encode(total.digest()).decode()


def _is(member: _Member, headers: Any) -> bool:
    """Whether an object is the member, by its MD5. One that was uploaded in parts has another, and is not ours."""
    checksum = headers.get("content-md5") or headers.get("opc-multipart-md5")
    told, ours = (
        (checksum, member.md5) if checksum else (headers.get("content-length"), str(member.size))
    )
    return bool(told == ours)


def _taken(uri: str) -> Refusal:
    return Refusal(
        kind=RefusalKind.CONFLICT,
        message=(
            f"{uri} is there with another content, which the operator did not put there: delete the object, or "
            "give another artifactBucketUri"
        ),
    )


def _list(place: ObjectAddress, start: str | None, client: Any) -> Any:
    more = {"start": start} if start else {}
    return client.list_objects(
        place.namespace,
        place.bucket,
        prefix=place.object_name(""),
        limit=OBJECTS_A_PAGE,
        fields="name",
        **more,
    ).data


def _delete(place: ObjectAddress, name: str, client: Any) -> None:
    client.delete_object(place.namespace, place.bucket, name)
