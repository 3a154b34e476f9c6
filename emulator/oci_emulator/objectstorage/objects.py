"""Objects: put, get, head, delete and list."""

from collections.abc import Mapping
from email.utils import formatdate

from oci_emulator.clock import timestamp
from oci_emulator.content import Content, TooLarge
from oci_emulator.foundation import Foundation
from oci_emulator.jsontypes import JsonObject
from oci_emulator.objectstorage.buckets import Buckets, if_match_failed
from oci_emulator.objectstorage.table import ObjectTable, StoredObject
from oci_emulator.resources import Resource, new_etag
from oci_emulator.server import ranges
from oci_emulator.server.calls import Answer, Call, FileContent
from oci_emulator.server.errors import ServiceError, invalid
from oci_emulator.server.paging import limit_of

_MAXIMUM_PAGE = 1000
_LONGEST_NAME = 1024
_KEPT_HEADERS = (
    "content-type",
    "content-language",
    "content-encoding",
    "content-disposition",
    "cache-control",
    "storage-tier",
)
_META = "opc-meta-"
_OVERRIDES = {
    "httpResponseContentType": "content-type",
    "httpResponseContentLanguage": "content-language",
    "httpResponseContentEncoding": "content-encoding",
    "httpResponseContentDisposition": "content-disposition",
    "httpResponseCacheControl": "cache-control",
    "httpResponseExpires": "expires",
}


class Objects:
    """Objects."""

    def __init__(self, foundation: Foundation, buckets: Buckets, table: ObjectTable) -> None:
        self._foundation = foundation
        self._buckets = buckets
        self._table = table

    async def put(self, call: Call) -> Answer:
        """PutObject."""
        bucket = self._buckets.find(call)
        name = check_name(call.path["objectName"])
        self.check_conditions(call, bucket, name)
        content = await receive(self._foundation, call)
        try:
            # The bucket and the object may have changed while the content came.
            bucket = self._buckets.find(call)
            self.check_conditions(call, bucket, name)
        except ServiceError:
            self._foundation.content.remove(content.id)
            raise
        stored = self.store(
            bucket, name, content, kept_headers(call.headers), call.now, md5=content.md5
        )
        return Answer(
            headers={
                "etag": stored.etag,
                "opc-content-md5": content.md5,
                "last-modified": formatdate(stored.modified, usegmt=True),
                **client_request_id(call),
            },
            resource=bucket.id,
        )

    def store(
        self,
        bucket: Resource,
        name: str,
        content: Content,
        headers: Mapping[str, str],
        now: float,
        *,
        md5: str = "",
        multipart_md5: str = "",
    ) -> StoredObject:
        """Keep content as an object, in place of one of the same name."""
        former = self._table.get(bucket.id, name)
        stored = StoredObject(
            name=name,
            content=content.id,
            size=content.size,
            md5=md5,
            multipart_md5=multipart_md5,
            etag=new_etag(),
            created=former.created if former else now,
            modified=now,
            headers=dict(headers),
        )
        self._table.put(bucket.id, stored)
        if former is not None:
            self._foundation.content.remove(former.content)
        return stored

    def get(self, call: Call) -> Answer:
        """GetObject, whole or a range."""
        stored = self._find(call)
        if call.headers.get("if-none-match") in {"*", stored.etag}:
            return Answer(status=304, headers={"etag": stored.etag})
        part = ranges.parse(call.headers.get("range"), stored.size)
        headers = {**_headers(stored), **client_request_id(call)}
        for parameter, header in _OVERRIDES.items():
            if parameter in call.query:
                headers[header] = _header_value(parameter, call.query[parameter])
        status, start, length = 200, 0, stored.size
        if part is not None:
            status, start, length = 206, part.start, part.length
            headers["content-range"] = part.header
        path = self._foundation.content.path(stored.content)
        return Answer(
            status=status,
            headers=headers,
            content=FileContent(path=path, start=start, length=length),
        )

    def head(self, call: Call) -> Answer:
        """HeadObject."""
        stored = self._find(call)
        if call.headers.get("if-none-match") in {"*", stored.etag}:
            return Answer(status=304, headers={"etag": stored.etag})
        path = self._foundation.content.path(stored.content)
        return Answer(
            headers={**_headers(stored), **client_request_id(call)},
            content=FileContent(path=path, start=0, length=stored.size),
        )

    def delete(self, call: Call) -> Answer:
        """DeleteObject."""
        bucket = self._buckets.find(call)
        stored = self._find(call)
        self._table.remove(bucket.id, stored.name)
        self._foundation.content.remove(stored.content)
        return Answer(
            status=204,
            headers={
                "last-modified": formatdate(call.now, usegmt=True),
                **client_request_id(call),
            },
        )

    def list_all(self, call: Call) -> Answer:
        """ListObjects."""
        bucket = self._buckets.find(call)
        query = call.query
        delimiter = query.get("delimiter", "")
        if delimiter not in {"", "/"}:
            raise invalid("delimiter: only '/' is supported")
        if "start" in query and "startAfter" in query:
            raise invalid("startAfter: can't be given together with start")
        limit = limit_of(query, _MAXIMUM_PAGE, _MAXIMUM_PAGE)
        fields = set(query.get("fields", "name").split(",")) | {"name"}
        listing = _Listing(self._table, bucket.id, query, delimiter)
        objects, prefixes, following = listing.page(limit)
        body: JsonObject = {"objects": [_summary(stored, fields) for stored in objects]}
        if delimiter:
            body["prefixes"] = prefixes
        if following is not None:
            body["nextStartWith"] = following
        return Answer(body=body, headers=client_request_id(call), resource=bucket.id)

    def _find(self, call: Call) -> StoredObject:
        bucket = self._buckets.find(call)
        if "versionId" in call.query:
            raise invalid("versionId: this emulator keeps no versions of objects")
        stored = self._table.get(bucket.id, call.path["objectName"])
        if stored is None:
            raise ServiceError(
                404,
                "ObjectNotFound",
                f"The object '{call.path['objectName'][:_LONGEST_NAME]}' was not found in the"
                f" bucket '{bucket.name}'",
            )
        expected = call.headers.get("if-match")
        if expected not in {None, "*", stored.etag}:
            raise if_match_failed(stored.etag)
        return stored

    def check_conditions(self, call: Call, bucket: Resource, name: str) -> None:
        """Check ``if-match`` and ``if-none-match`` of a request that writes an object.

        Raises:
            ServiceError: 412, there is or isn't such an object.
        """
        stored = self._table.get(bucket.id, name)
        etag = stored.etag if stored else ""
        expected = call.headers.get("if-match")
        if expected is not None and (stored is None or expected not in {"*", etag}):
            raise if_match_failed(etag)
        unwanted = call.headers.get("if-none-match")
        if unwanted is not None and unwanted != "*":
            raise invalid("if-none-match: must be '*' to write only what doesn't exist")
        if unwanted is not None and stored is not None:
            raise ServiceError(
                412, "IfNoneMatchFailed", f"The object '{name}' exists, its etag is {etag!r}."
            )


class _Listing:
    """A walk over the names of a bucket that leaps over what a prefix stands for."""

    def __init__(
        self, table: ObjectTable, bucket: str, query: Mapping[str, str], delimiter: str
    ) -> None:
        self._table = table
        self._bucket = bucket
        self._prefix = query.get("prefix", "")
        self._end = query.get("end")
        self._delimiter = delimiter
        self._start = query.get("start") or query.get("startAfter") or ""
        self._exclusive = "startAfter" in query

    def page(self, limit: int) -> tuple[list[StoredObject], list[str], str | None]:
        """Objects, prefixes, and the name that the next page starts with, if there is one."""
        objects: list[StoredObject] = []
        prefixes: list[str] = []
        position, exclusive = self._start, self._exclusive
        if position < self._prefix:
            position, exclusive = self._prefix, False
        while (stored := self._next(position, exclusive=exclusive)) is not None:
            if len(objects) + len(prefixes) == limit:
                return objects, prefixes, stored.name
            common = self._common_prefix(stored.name)
            if common:
                prefixes.append(common)
                # The first name that doesn't begin with it.
                position, exclusive = common[:-1] + chr(ord(common[-1]) + 1), False
            else:
                objects.append(stored)
                position, exclusive = stored.name, True
        return objects, prefixes, None

    def _next(self, position: str, *, exclusive: bool) -> StoredObject | None:
        stored = self._table.first_from(self._bucket, position, exclusive=exclusive)
        if stored is None or not stored.name.startswith(self._prefix):
            return None
        if self._end is not None and stored.name >= self._end:
            return None
        return stored

    def _common_prefix(self, name: str) -> str:
        if not self._delimiter:
            return ""
        index = name.find(self._delimiter, len(self._prefix))
        return name[: index + 1] if index >= 0 else ""


def check_name(name: str) -> str:
    """The name, if an object can have it.

    Raises:
        ServiceError: 400, it can't.
    """
    size = len(name.encode())
    if not 1 <= size <= _LONGEST_NAME or set(name) & set("\r\n\0"):
        raise ServiceError(
            400,
            "InvalidObjectName",
            f"An object's name has 1 to {_LONGEST_NAME} bytes and no line breaks.",
        )
    return name


async def receive(foundation: Foundation, call: Call) -> Content:
    """Receive the content of a request and compare it with its ``Content-MD5``.

    Raises:
        ServiceError: 400, they differ; 413, it is too large.
    """
    maximum = foundation.rules.object_maximum_bytes
    try:
        content = await foundation.content.receive(call.stream, maximum)
    except TooLarge:
        raise ServiceError(
            413, "RequestEntityTooLarge", f"An object of one request has at most {maximum} bytes."
        ) from None
    expected = call.headers.get("content-md5")
    if expected is not None and expected != content.md5:
        foundation.content.remove(content.id)
        raise ServiceError(
            400,
            "UnmatchedContentMD5",
            f"The computed MD5 of the request body ({content.md5}) does not match the Content-MD5"
            f" header ({expected})",
        )
    return content


def kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """What a request says of its content, in lower case.

    Raises:
        ServiceError: 400, a value can't be a header of the answers.
    """
    kept = {name: headers[name] for name in _KEPT_HEADERS if name in headers}
    meta = {name.lower(): headers[name] for name in headers if name.lower().startswith(_META)}
    for name, value in (kept | meta).items():
        _header_value(name, value)
    return kept | meta


def client_request_id(call: Call) -> dict[str, str]:
    """The header in which Object Storage gives a client's own request id back."""
    given = call.headers.get("opc-client-request-id")
    return {} if given is None else {"opc-client-request-id": given}


def _headers(stored: StoredObject) -> dict[str, str]:
    headers = {
        "content-type": "application/octet-stream",
        "storage-tier": "Standard",
        **stored.headers,
        "etag": stored.etag,
        "last-modified": formatdate(stored.modified, usegmt=True),
        "accept-ranges": "bytes",
    }
    if stored.md5:
        headers["content-md5"] = stored.md5
    else:
        headers["opc-multipart-md5"] = stored.multipart_md5
    return headers


def _header_value(parameter: str, value: str) -> str:
    if not value.isprintable() or not value.isascii():
        raise invalid(f"{parameter}: is no value of a header")
    return value


def _summary(stored: StoredObject, fields: set[str]) -> JsonObject:
    """An object as a list shows it; fields other than the name only if they are asked for."""
    document = {
        "name": stored.name,
        "size": stored.size,
        "md5": stored.md5 or stored.multipart_md5,
        "etag": stored.etag,
        "timeCreated": timestamp(stored.created),
        "timeModified": timestamp(stored.modified),
        "storageTier": stored.headers.get("storage-tier", "Standard"),
    }
    return {name: value for name, value in document.items() if name in fields}
