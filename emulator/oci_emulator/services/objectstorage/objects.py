"""Objects: put, get, head, delete and list."""

from collections.abc import Mapping
from dataclasses import replace
from email.utils import formatdate

from oci_emulator.calls import ranges
from oci_emulator.calls.call import Answer, Call
from oci_emulator.calls.errors import ServiceError, invalid
from oci_emulator.calls.paging import limit_of
from oci_emulator.formats.jsontypes import JsonObject
from oci_emulator.services.foundation import Foundation
from oci_emulator.services.objectstorage.buckets import Buckets, if_match_failed
from oci_emulator.services.objectstorage.listing import Listing, summary
from oci_emulator.services.objectstorage.table import ObjectTable, StoredObject
from oci_emulator.state.content import Content, TooLarge
from oci_emulator.state.resources import Resource, new_etag

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
        headers = {**_headers(stored), **client_request_id(call)}
        for parameter, header in _OVERRIDES.items():
            if parameter in call.query:
                headers[header] = _header_value(parameter, call.query[parameter])
        path = self._foundation.content.path(stored.content)
        return ranges.answer_with(path, stored.size, headers, call.headers.get("range"))

    def head(self, call: Call) -> Answer:
        """HeadObject."""
        stored = self._find(call)
        if call.headers.get("if-none-match") in {"*", stored.etag}:
            return Answer(status=304, headers={"etag": stored.etag})
        path = self._foundation.content.path(stored.content)
        headers = {**_headers(stored), **client_request_id(call)}
        return ranges.answer_with(path, stored.size, headers, None)

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

    def rename(self, call: Call) -> Answer:
        """RenameObject: in place of one that has the name, unless the request says otherwise."""
        bucket = self._buckets.find(call)
        details = call.body
        source = self._named(bucket, details["sourceName"])
        target = self._table.get(bucket.id, check_name(details["newName"]))
        _check_etag(source, details.get("srcObjIfMatchETag"))
        if "newObjIfMatchETag" in details:
            _check_etag(target, details["newObjIfMatchETag"])
        unwanted = details.get("newObjIfNoneMatchETag")
        if unwanted is not None and target is not None and unwanted in {"*", target.etag}:
            raise ServiceError(
                412, "IfNoneMatchFailed", f"The object '{target.name}' exists: {target.etag!r}."
            )
        if source.name == details["newName"]:
            raise invalid("newName: is the name that the object has")
        renamed = replace(
            source, name=details["newName"], etag=new_etag(), created=call.now, modified=call.now
        )
        self._table.remove(bucket.id, source.name)
        self._table.put(bucket.id, renamed)
        if target is not None:
            self._foundation.content.remove(target.content)
        return Answer(
            headers={
                "etag": renamed.etag,
                "last-modified": formatdate(call.now, usegmt=True),
                **client_request_id(call),
            },
            resource=bucket.id,
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
        listing = Listing(self._table, bucket.id, query, delimiter)
        objects, prefixes, following = listing.page(limit)
        body: JsonObject = {"objects": [summary(stored, fields) for stored in objects]}
        if delimiter:
            body["prefixes"] = prefixes
        if following is not None:
            body["nextStartWith"] = following
        return Answer(body=body, headers=client_request_id(call), resource=bucket.id)

    def _find(self, call: Call) -> StoredObject:
        bucket = self._buckets.find(call)
        if "versionId" in call.query:
            raise invalid("versionId: this emulator keeps no versions of objects")
        stored = self._named(bucket, call.path["objectName"])
        _check_etag(stored, call.headers.get("if-match"))
        return stored

    def _named(self, bucket: Resource, name: str) -> StoredObject:
        stored = self._table.get(bucket.id, name)
        if stored is None:
            raise ServiceError(
                404,
                "ObjectNotFound",
                f"The object '{name[:_LONGEST_NAME]}' was not found in the bucket '{bucket.name}'",
            )
        return stored

    def check_conditions(self, call: Call, bucket: Resource, name: str) -> None:
        """Check ``if-match`` and ``if-none-match`` of a request that writes an object.

        Raises:
            ServiceError: 412, there is or isn't such an object.
        """
        stored = self._table.get(bucket.id, name)
        etag = stored.etag if stored else ""
        _check_etag(stored, call.headers.get("if-match"))
        unwanted = call.headers.get("if-none-match")
        if unwanted is not None and unwanted != "*":
            raise invalid("if-none-match: must be '*' to write only what doesn't exist")
        if unwanted is not None and stored is not None:
            raise ServiceError(
                412, "IfNoneMatchFailed", f"The object '{name}' exists, its etag is {etag!r}."
            )


def _check_etag(stored: StoredObject | None, expected: str | None) -> None:
    """Compare an object's etag with the one that a request names, if it names one.

    Raises:
        ServiceError: 412, it has another, or there is no such object.
    """
    etag = stored.etag if stored else ""
    if expected is not None and (stored is None or expected not in {"*", etag}):
        raise if_match_failed(etag)


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
