"""Object Storage: what runs have left there, and sources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import quote

from ocijobs.api.run.observed import OutputList
from ocijobs.backends.records import Refusal, RefusalKind
from ocijobs.cloud.calls import Calls, OciRequest
from ocijobs.cloud.clients import Principal, Service
from ocijobs.cloud.sdk import oci
from ocijobs.reconcile.legible import legible
from ocijobs.reconcile.output import read_as_printed, results_of

RESULTS_OBJECT = "results.json"
"""Name of the object, under a run's outputs, in which the driver reports results."""

OBJECTS_A_PAGE = 1000
"""Most that a page of ListObjects may have, in our lists of outputs, of sources and of code."""

_LISTED = 50
_READ_BYTES = 1 << 16
"""Upper bound of `results.json` in bytes. Results in a larger file can't fit into a status, even with escapes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectAddress:
    """A place in Object Storage: `oci://bucket@namespace/prefix`."""

    bucket: str
    namespace: str
    prefix: str

    @classmethod
    def parse(cls, uri: str) -> ObjectAddress:
        """Return the place that an `oci://` address names; the schema has checked its form."""
        bucket, _, rest = uri.removeprefix("oci://").partition("@")
        namespace, _, path = rest.partition("/")
        return cls(bucket=bucket, namespace=namespace, prefix=path.strip("/"))

    def object_name(self, name: str) -> str:
        """Return the full name of an object under the prefix."""
        return f"{self.prefix}/{name}" if self.prefix else name

    def uri(self, object_name: str) -> str:
        """Return the address of an object of the bucket."""
        return f"oci://{self.bucket}@{self.namespace}/{object_name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """An object. `version` changes with its content."""

    name: str
    size: int
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRequest:
    """A signed GET that another process may send: the exact address, and the headers."""

    url: str
    headers: Mapping[str, str] = field(repr=False)


class ObjectStorage:
    """Reads objects as the identity of the run."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def verify(self, principal: Principal) -> Refusal | None:
        """Ask for the tenancy's namespace, which every principal may read; None if OCI accepts the signature."""
        request = self._request(principal, "GetNamespace")
        answer = await self._calls.call(request, lambda client: client.get_namespace().data)
        return answer if isinstance(answer, Refusal) else None

    async def results(
        self, principal: Principal, outputs_uri: str, run_id: str
    ) -> Mapping[str, str] | Refusal | None:
        """Return what the driver of the run reported; None if nothing. A report of another run is ignored."""
        place = ObjectAddress.parse(outputs_uri)

        def read(client: Any) -> bytes:
            name = place.object_name(RESULTS_OBJECT)
            with client.get_object(place.namespace, place.bucket, name).data as stream:
                return _first_bytes(stream.iter_content(_READ_BYTES))

        answer = await self._calls.call(self._request(principal, "GetObject"), read)
        if isinstance(answer, Refusal):
            absent = answer.kind is RefusalKind.NOT_AUTHORIZED_OR_NOT_FOUND
            return None if absent else answer
        try:
            document = read_as_printed(answer)
        except ValueError:
            return None
        if not isinstance(document, dict) or document.get("jobRunId") != run_id:
            return None
        return results_of(document.get("results"))

    async def stored(
        self, principal: Principal, uri: str, *, most: int
    ) -> tuple[StoredObject, ...] | Refusal:
        """Return the object that an address names, or all objects under it if it ends with `/`; perhaps none.

        If there are more than `most` objects, the list is not read to its end: some more than `most` are returned.
        """
        place = ObjectAddress.parse(uri)
        found: list[StoredObject] = []
        folder = uri.endswith("/")
        prefix = place.object_name("") if folder else place.prefix
        start: str | None = None

        def fetch(start: str | None, client: Any) -> Any:
            more = {"start": start} if start else {}
            return client.list_objects(
                place.namespace,
                place.bucket,
                prefix=prefix,
                limit=OBJECTS_A_PAGE,
                fields="name,size,etag,md5",
                **more,
            ).data

        while True:
            request = self._request(principal, "ListObjects")
            page = await self._calls.call(request, partial(fetch, start))
            if isinstance(page, Refusal):
                return page
            wanted = (item for item in page.objects if _is_meant(item.name, place, folder=folder))
            found.extend(map(_stored, wanted))
            start = page.next_start_with
            if not start or (found and not folder) or len(found) > most:
                return tuple(found)

    async def signed(
        self, principal: Principal, uri: str, stored: Sequence[StoredObject]
    ) -> tuple[SignedRequest, ...] | Refusal:
        """Return signed requests that read objects of the address's bucket, for a process without the key.

        Each reads only its object, as it was listed, during the five minutes in which OCI accepts the signature
        (https://docs.oracle.com/en-us/iaas/Content/API/Concepts/signingrequests.htm). Nothing is sent here.
        """
        place = ObjectAddress.parse(uri)

        def sign(client: Any) -> tuple[SignedRequest, ...]:
            return tuple(_signed(client.base_client, place, each) for each in stored)

        return await self._calls.call(self._request(principal, "SignGetObject"), sign)

    async def list_outputs(self, principal: Principal, outputs_uri: str) -> OutputList | Refusal:
        """Return the number of objects under the outputs, and the first of them."""
        place = ObjectAddress.parse(outputs_uri)
        prefix = place.object_name("")

        def fetch(start: str | None, client: Any) -> Any:
            more = {"start": start} if start else {}
            return client.list_objects(
                place.namespace,
                place.bucket,
                prefix=prefix,
                limit=OBJECTS_A_PAGE,
                fields="name",
                **more,
            ).data

        names: list[str] = []
        count, start = 0, None
        while True:
            request = self._request(principal, "ListObjects")
            page = await self._calls.call(request, partial(fetch, start))
            if isinstance(page, Refusal):
                return page
            count += len(page.objects)
            names.extend(item.name for item in page.objects[: _LISTED - len(names)])
            start = page.next_start_with
            if not start:
                uris = tuple(legible(place.uri(name)) for name in names)
                return OutputList(count=count, objects=uris)

    @staticmethod
    def _request(principal: Principal, operation: str) -> OciRequest:
        return OciRequest(principal=principal, service=Service.OBJECT_STORAGE, operation=operation)


def _signed(base_client: Any, place: ObjectAddress, stored: StoredObject) -> SignedRequest:
    names = (place.namespace, place.bucket, stored.name)
    namespace, bucket, name = (quote(each, safe="") for each in names)
    url = f"{base_client.endpoint}/n/{namespace}/b/{bucket}/o/{name}"
    prepared = oci.base_client.requests.Request(
        "GET", url, headers={"if-match": stored.version}
    ).prepare()
    signed = base_client.signer.do_request_sign(prepared)
    return SignedRequest(url=signed.url, headers=dict(signed.headers))


def _first_bytes(chunks: Iterable[bytes]) -> bytes:
    """Return the whole content, or None if it is larger than the bound."""
    content = b""
    for chunk in chunks:
        content += chunk
        if len(content) > _READ_BYTES:
            return b""
    return content


def _is_meant(name: str, place: ObjectAddress, *, folder: bool) -> bool:
    """Whether an object belongs to an address: a folder has all objects below it, another address one object."""
    return (folder and not name.endswith("/")) or name == place.prefix


def _stored(item: Any) -> StoredObject:
    return StoredObject(name=item.name, size=item.size or 0, version=item.etag or item.md5)
