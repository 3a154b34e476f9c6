"""The operator's data in its own namespace: copies of credentials in Secrets, and orphans in ConfigMaps.

Each copy and each orphan is an object of its own. So no write needs a read before it, and a repeated write changes
nothing.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from ocijobs.api import kinds
from ocijobs.api.orphan import Orphan
from ocijobs.api.shared.metadata import ObjectKey
from ocijobs.api.shared.names import (
    ANNOTATION_CREDENTIALS_VERSION,
    ANNOTATION_IDENTITY,
    ANNOTATION_IDENTITY_UID,
    LABEL_CREDENTIALS_COPY,
    LABEL_ORPHAN,
)
from ocijobs.kube.client import OBJECTS_A_PAGE, ApiError, KubeClient
from ocijobs.kube.resources import core_path

_ORPHAN_KEY = "orphan.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialsCopy:
    """A copy of the Secret of an identity. `version` identifies its content."""

    identity: ObjectKey
    uid: str
    version: str
    data: Mapping[str, bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class ListedOrphan:
    """An entry of the list of orphans, with the name of its ConfigMap."""

    name: str
    orphan: Orphan


class OwnNamespace:
    """Secrets and ConfigMaps of the operator's own namespace. It does not touch those of others.

    `fence` raises if this process may not write any more.
    """

    def __init__(
        self, client: KubeClient, namespace: str, fence: Callable[[], None] = lambda: None
    ) -> None:
        self._client, self._namespace, self._fence = client, namespace, fence

    async def copies(self) -> list[CredentialsCopy]:
        """Return all copies of credentials.

        Raises:
            ApiError: if the list could not be read to its end.
        """
        copies = [
            _copy(document) async for document in self._list("secrets", LABEL_CREDENTIALS_COPY)
        ]
        return [copy for copy in copies if copy is not None]

    async def keep_copy(self, copy: CredentialsCopy) -> None:
        """Write a copy of credentials, over a former one.

        Raises:
            ApiError: if the API server does not take it.
        """
        self._fence()
        document = {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": LABEL_CREDENTIALS_COPY,
            "metadata": {
                "name": copy_name(copy.identity),
                "namespace": self._namespace,
                "labels": {LABEL_CREDENTIALS_COPY: "true"},
                "annotations": {
                    ANNOTATION_IDENTITY: f"{copy.identity.namespace}/{copy.identity.name}",
                    ANNOTATION_IDENTITY_UID: copy.uid,
                    ANNOTATION_CREDENTIALS_VERSION: copy.version,
                },
            },
            "data": {key: base64.b64encode(value).decode() for key, value in copy.data.items()},
        }
        try:
            await self._create("secrets", document)
        except ApiError as error:
            if not error.conflict:
                raise
            path = core_path("secrets", self._namespace, copy_name(copy.identity))
            await self._client.request("PUT", path, resource="secrets", body=document)

    async def drop_copy(self, identity: ObjectKey) -> None:
        """Delete the copy of an identity's credentials, if there is one.

        Raises:
            ApiError: if the API server does not delete it.
        """
        self._fence()
        await self._delete("secrets", copy_name(identity))

    async def orphans(self) -> list[ListedOrphan]:
        """Return the list of orphans, the oldest first.

        Raises:
            ApiError: if the list could not be read to its end.
        """
        listed = [_orphan(document) async for document in self._list("configmaps", LABEL_ORPHAN)]
        return sorted(
            (each for each in listed if each is not None),
            key=lambda each: (each.orphan.since, each.name),
        )

    async def list_orphan(self, orphan: Orphan) -> None:
        """Add an entry to the list of orphans, unless it is there.

        Raises:
            ApiError: if the API server does not take it.
        """
        self._fence()
        document = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": f"ocijobs-orphan-{orphan.uid}",
                "namespace": self._namespace,
                "labels": {LABEL_ORPHAN: "true"},
            },
            "data": {_ORPHAN_KEY: json.dumps(orphan.document(), indent=1)},
        }
        try:
            await self._create("configmaps", document)
        except ApiError as error:
            if not error.conflict:
                raise

    async def remove_orphan(self, name: str) -> None:
        """Take an entry from the list of orphans, if it is there.

        Raises:
            ApiError: if the API server does not delete it.
        """
        await self._delete("configmaps", name)

    async def _create(self, resource: str, document: dict[str, Any]) -> None:
        await self._client.request(
            "POST", core_path(resource, self._namespace), resource=resource, body=document
        )

    async def _delete(self, resource: str, name: str) -> None:
        try:
            path = core_path(resource, self._namespace, name)
            await self._client.request("DELETE", path, resource=resource)
        except ApiError as error:
            if not error.not_found:
                raise

    async def _list(self, resource: str, label: str) -> AsyncIterator[dict[str, Any]]:
        token = ""
        while True:
            query = {"labelSelector": label, "limit": str(OBJECTS_A_PAGE)}
            query |= {"continue": token} if token else {}
            page = await self._client.request(
                "GET", core_path(resource, self._namespace), resource=resource, query=query
            )
            for document in page["items"]:
                yield document
            token = page["metadata"].get("continue", "")
            if not token:
                return


def copy_name(identity: ObjectKey) -> str:
    """Return the name of the Secret that has the copy of an identity's credentials."""
    digest = hashlib.sha256(f"{identity.namespace}/{identity.name}".encode()).hexdigest()
    return f"ocijobs-credentials-{digest[:20]}"


def _copy(document: dict[str, Any]) -> CredentialsCopy | None:
    """Return a copy as it was written; None if others have labelled something else as one."""
    annotations = document["metadata"].get("annotations") or {}
    namespace, _, name = annotations.get(ANNOTATION_IDENTITY, "").partition("/")
    identity = ObjectKey(kinds.IDENTITY, namespace, name)
    if document["metadata"]["name"] != copy_name(identity):
        return None
    return CredentialsCopy(
        identity=identity,
        uid=annotations.get(ANNOTATION_IDENTITY_UID, ""),
        version=annotations.get(ANNOTATION_CREDENTIALS_VERSION, ""),
        data={k: base64.b64decode(v) for k, v in (document.get("data") or {}).items()},
    )


def _orphan(document: dict[str, Any]) -> ListedOrphan | None:
    """Return an entry as it was written; None if others have labelled something else as one."""
    text = (document.get("data") or {}).get(_ORPHAN_KEY, "")
    try:
        return ListedOrphan(document["metadata"]["name"], Orphan.model_validate_json(text))
    except ValidationError:
        return None
