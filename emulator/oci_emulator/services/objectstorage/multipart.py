"""Multipart uploads: begun, filled part by part, committed or aborted."""

import base64
import hashlib
import uuid
from typing import Any

from oci_emulator.calls.call import Answer, Call
from oci_emulator.calls.errors import ServiceError, conflict, invalid
from oci_emulator.calls.paging import items_page
from oci_emulator.formats.jsontypes import JsonObject
from oci_emulator.services.foundation import Foundation
from oci_emulator.services.objectstorage.buckets import Buckets
from oci_emulator.services.objectstorage.objects import (
    Objects,
    check_name,
    client_request_id,
    kept_headers,
    receive,
)
from oci_emulator.services.objectstorage.table import ObjectTable, Part, Upload
from oci_emulator.state.resources import Resource, new_etag
from oci_emulator.time.clock import timestamp

_PART_NUMBERS = range(1, 10001)
_DETAIL_HEADERS = {
    "contentType": "content-type",
    "contentLanguage": "content-language",
    "contentEncoding": "content-encoding",
    "contentDisposition": "content-disposition",
    "cacheControl": "cache-control",
    "storageTier": "storage-tier",
}


class MultipartUploads:
    """Multipart uploads."""

    def __init__(
        self, foundation: Foundation, buckets: Buckets, objects: Objects, table: ObjectTable
    ) -> None:
        self._foundation = foundation
        self._buckets = buckets
        self._objects = objects
        self._table = table
        self._committing: set[str] = set()

    def create(self, call: Call) -> Answer:
        """CreateMultipartUpload."""
        bucket = self._buckets.find(call)
        details = call.body
        name = check_name(details["object"])
        self._objects.check_conditions(call, bucket, name)
        headers = {
            header: details[field] for field, header in _DETAIL_HEADERS.items() if field in details
        }
        for key, value in details.get("metadata", {}).items():
            lower = key.lower()
            headers[lower if lower.startswith("opc-meta-") else f"opc-meta-{lower}"] = value
        upload = Upload(
            id=str(uuid.uuid4()),
            bucket=bucket.id,
            name=name,
            created=call.now,
            headers=kept_headers(headers),
        )
        self._table.add_upload(upload)
        return Answer(
            body=_shown(upload, bucket),
            headers={
                "location": f"/n/{bucket.parent}/b/{bucket.name}/u/{uuid.uuid4()}",
                **client_request_id(call),
            },
            resource=bucket.id,
        )

    async def upload_part(self, call: Call) -> Answer:
        """UploadPart."""
        self._find(call)
        number = call.query["uploadPartNum"]
        if number not in _PART_NUMBERS:
            raise invalid(f"uploadPartNum: must be 1 to {_PART_NUMBERS[-1]}, not {number}")
        content = await receive(self._foundation, call)
        try:
            upload = self._find(call)
        except ServiceError:
            self._foundation.content.remove(content.id)
            raise
        for part in self._table.parts(upload.id):
            if part.number == number:
                self._foundation.content.remove(part.content)
        part = Part(
            number=number,
            content=content.id,
            size=content.size,
            md5=content.md5,
            etag=new_etag(),
        )
        self._table.put_part(upload.id, part)
        return Answer(
            headers={
                "etag": part.etag,
                "opc-content-md5": content.md5,
                **client_request_id(call),
            }
        )

    async def commit(self, call: Call) -> Answer:
        """CommitMultipartUpload: the chosen parts become the object."""
        upload = self._find(call)
        bucket = self._buckets.find(call)
        self._objects.check_conditions(call, bucket, upload.name)
        parts = self._chosen(call, upload)
        self._committing.add(upload.id)
        try:
            content = await self._foundation.content.join(part.content for part in parts)
        finally:
            self._committing.discard(upload.id)
        digests = b"".join(base64.b64decode(part.md5) for part in parts)
        md5 = hashlib.md5(digests, usedforsecurity=False).digest()
        multipart_md5 = f"{base64.b64encode(md5).decode()}-{len(parts)}"
        stored = self._objects.store(
            bucket, upload.name, content, upload.headers, call.now, multipart_md5=multipart_md5
        )
        self._forget(upload)
        return Answer(
            headers={
                "etag": stored.etag,
                "opc-multipart-md5": multipart_md5,
                **client_request_id(call),
            },
            resource=bucket.id,
        )

    def _chosen(self, call: Call, upload: Upload) -> list[Part]:
        """The parts to commit; every part is either chosen or excluded."""
        parts = {part.number: part for part in self._table.parts(upload.id)}
        chosen: list[JsonObject] = call.body["partsToCommit"]
        if not chosen:
            raise _invalid_part("An upload needs a part to commit.")
        for wanted in chosen:
            part = parts.get(wanted["partNum"])
            if part is None or part.etag != wanted["etag"]:
                raise _invalid_part(
                    f"There is no part {wanted['partNum']} with the etag {wanted['etag'][:100]!r}."
                )
        numbers = [wanted["partNum"] for wanted in chosen]
        excluded: list[Any] = call.body.get("partsToExclude", [])
        left_out = parts.keys() - set(numbers) - set(excluded)
        if left_out or len(set(numbers)) != len(numbers):
            raise _invalid_part(
                "Each part must be committed once or excluded:"
                f" {sorted(left_out) or 'some are named twice'}."
            )
        return [parts[number] for number in sorted(numbers)]

    def abort(self, call: Call) -> Answer:
        """AbortMultipartUpload."""
        self._forget(self._find(call))
        return Answer(status=204, headers=client_request_id(call))

    def _forget(self, upload: Upload) -> None:
        for part in self._table.parts(upload.id):
            self._foundation.content.remove(part.content)
        self._table.remove_upload(upload.id)

    def list_all(self, call: Call) -> Answer:
        """ListMultipartUploads."""
        bucket = self._buckets.find(call)
        uploads = [_shown(upload, bucket) for upload in self._table.uploads(bucket.id)]
        return items_page(uploads, call, default_limit=_PAGE, maximum=_PAGE)

    def list_parts(self, call: Call) -> Answer:
        """ListMultipartUploadParts."""
        upload = self._find(call)
        parts = [
            {
                "partNumber": part.number,
                "etag": part.etag,
                "md5": part.md5,
                "size": part.size,
            }
            for part in self._table.parts(upload.id)
        ]
        return items_page(parts, call, default_limit=_PAGE, maximum=_PAGE)

    def _find(self, call: Call) -> Upload:
        bucket = self._buckets.find(call)
        upload = self._table.upload(call.query["uploadId"])
        if upload is None or upload.bucket != bucket.id or upload.name != call.path["objectName"]:
            raise ServiceError(
                404, "NoSuchUpload", f"There is no upload {call.query['uploadId'][:100]!r}."
            )
        if upload.id in self._committing:
            raise conflict("Conflict", f"Upload {upload.id} is being committed.")
        return upload


_PAGE = 1000


def _shown(upload: Upload, bucket: Resource) -> JsonObject:
    return {
        "namespace": bucket.parent,
        "bucket": bucket.name,
        "object": upload.name,
        "uploadId": upload.id,
        "timeCreated": timestamp(upload.created),
        "storageTier": upload.headers.get("storage-tier", "Standard"),
    }


def _invalid_part(message: str) -> ServiceError:
    return ServiceError(400, "InvalidUploadPart", message)
