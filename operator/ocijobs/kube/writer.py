"""The only writer of our objects: status by server-side apply, the finalizer by JSON patch, and objects of others.

The first two send the resourceVersion that the decision was based on. So a decision never changes an object that has
changed since, or another object of the same name; 409, or 422 for a patch, means that a new decision is needed. A uid
does not protect a write of `/status`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ocijobs.api.shared.metadata import ObjectKey, ObjectMeta
from ocijobs.api.shared.names import API_VERSION, FIELD_MANAGER, FINALIZER
from ocijobs.kube.apply_body import APPLY_PATCH
from ocijobs.kube.client import ApiError, KubeClient
from ocijobs.kube.resources import list_path, object_path, plural

Fence = Callable[[], None]
"""Raises if this process may not write any more."""


class ObjectWriter:
    """Writes status and finalizer of objects, while this process leads."""

    def __init__(self, client: KubeClient, fence: Fence) -> None:
        self._client = client
        self._fence = fence

    async def write_status(
        self, key: ObjectKey, metadata: ObjectMeta, status: dict[str, Any]
    ) -> dict[str, Any]:
        """Replace the status and return the object as it is then.

        Raises:
            ApiError: 409 if the object has changed since; `refused` if the API server does not take the status.
        """
        self._fence()
        return await self._client.request(
            "PATCH",
            object_path(key, "status"),
            resource=f"{plural(key.kind)}/status",
            body={
                "apiVersion": API_VERSION,
                "kind": key.kind,
                "metadata": {
                    "name": key.name,
                    "namespace": key.namespace,
                    "uid": metadata.uid,
                    "resourceVersion": metadata.resource_version,
                },
                "status": status,
            },
            query={"fieldManager": FIELD_MANAGER, "force": "true"},
            content_type=APPLY_PATCH,
        )

    async def add_finalizer(self, key: ObjectKey, metadata: ObjectMeta) -> dict[str, Any]:
        """Add the finalizer, and return the object as it is then.

        Raises:
            ApiError: 422 if the object has changed since; the API server refuses it for one that is being deleted.
        """
        change: dict[str, Any]
        if metadata.finalizers:
            change = {"op": "add", "path": "/metadata/finalizers/-", "value": FINALIZER}
        else:
            change = {"op": "add", "path": "/metadata/finalizers", "value": [FINALIZER]}
        return await self._patch(key, metadata, [change])

    async def remove_finalizer(self, key: ObjectKey, metadata: ObjectMeta) -> dict[str, Any]:
        """Remove the finalizer, and return the object as it was last.

        Raises:
            ApiError: 422 if the object has changed since.
        """
        path = f"/metadata/finalizers/{metadata.finalizers.index(FINALIZER)}"
        return await self._patch(
            key,
            metadata,
            [{"op": "test", "path": path, "value": FINALIZER}, {"op": "remove", "path": path}],
        )

    async def create(self, document: dict[str, Any]) -> dict[str, Any]:
        """Create an object of ours and return it.

        Raises:
            ApiError: 409 if there is one of that name, 422 if the document is refused, 403 if it is forbidden now.
        """
        self._fence()
        kind, metadata = document["kind"], document["metadata"]
        return await self._client.request(
            "POST",
            list_path(kind, metadata["namespace"]),
            resource=plural(kind),
            body=document,
            query={"fieldManager": FIELD_MANAGER},
        )

    async def edit_spec(self, key: ObjectKey, uid: str, spec: Mapping[str, bool]) -> dict[str, Any]:
        """Set fields of an object's spec and return the object. Other changes, made meanwhile, stay.

        Raises:
            ApiError: 409 if it is another object by now.
        """
        self._fence()
        changes = [{"op": "add", "path": f"/spec/{name}", "value": v} for name, v in spec.items()]
        return await self._apply(key, [_same_uid(uid), *changes])

    async def delete(self, key: ObjectKey, uid: str, resource_version: str | None = None) -> None:
        """Delete an object; what it owns is deleted in the background.

        Raises:
            ApiError: 409 if it is another one, or has changed since that version.
        """
        self._fence()
        version = {"resourceVersion": resource_version} if resource_version is not None else {}
        await self._client.request(
            "DELETE",
            object_path(key),
            resource=plural(key.kind),
            body={
                "apiVersion": "v1",
                "kind": "DeleteOptions",
                "propagationPolicy": "Background",
                "preconditions": {"uid": uid, **version},
            },
        )

    async def _patch(
        self, key: ObjectKey, metadata: ObjectMeta, changes: list[dict[str, Any]]
    ) -> dict[str, Any]:
        self._fence()
        version = {
            "op": "test",
            "path": "/metadata/resourceVersion",
            "value": metadata.resource_version,
        }
        return await self._apply(key, [_same_uid(metadata.uid), version, *changes])

    async def _apply(self, key: ObjectKey, changes: list[dict[str, Any]]) -> dict[str, Any]:
        try:
            return await self._client.request(
                "PATCH",
                object_path(key),
                resource=plural(key.kind),
                body=changes,
                content_type="application/json-patch+json",
            )
        except ApiError as error:
            if error.invalid:
                # A failed test and a refused document are both 422; either way the object is looked at anew.
                raise ApiError(409, "Conflict", error.message) from error
            raise


def _same_uid(uid: str) -> dict[str, Any]:
    return {"op": "test", "path": "/metadata/uid", "value": uid}
