"""The only writer of our objects: status by server-side apply, the finalizer by JSON patch.

Both carry the resourceVersion that was decided on, so that a decision never lands on an object that has changed, or
on another of the same name (409, and 422 for a patch, mean: decide again). A uid guards nothing on `/status`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ocijobs.api.metadata import ObjectKey, ObjectMeta
from ocijobs.api.names import API_VERSION, FIELD_MANAGER, FINALIZER
from ocijobs.kube.client import ApiError, KubeClient
from ocijobs.kube.resources import object_path, plural

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
            ApiError: 409 if the object has changed since, 422 if the API server refuses the status.
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
            content_type="application/apply-patch+yaml",
        )

    async def add_finalizer(self, key: ObjectKey, metadata: ObjectMeta) -> dict[str, Any]:
        """Hold the object, and return it as it is then.

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
        """Let the object go, and return it as it was last.

        Raises:
            ApiError: 422 if the object has changed since.
        """
        path = f"/metadata/finalizers/{metadata.finalizers.index(FINALIZER)}"
        return await self._patch(
            key,
            metadata,
            [{"op": "test", "path": path, "value": FINALIZER}, {"op": "remove", "path": path}],
        )

    async def delete(self, key: ObjectKey, metadata: ObjectMeta) -> None:
        """Delete the object, and in the background what it owns.

        Raises:
            ApiError: 409 if the object has changed since.
        """
        self._fence()
        await self._client.request(
            "DELETE",
            object_path(key),
            resource=plural(key.kind),
            body={
                "apiVersion": "v1",
                "kind": "DeleteOptions",
                "propagationPolicy": "Background",
                "preconditions": {
                    "uid": metadata.uid,
                    "resourceVersion": metadata.resource_version,
                },
            },
        )

    async def _patch(
        self, key: ObjectKey, metadata: ObjectMeta, changes: list[dict[str, Any]]
    ) -> dict[str, Any]:
        self._fence()
        unchanged = [
            {"op": "test", "path": "/metadata/uid", "value": metadata.uid},
            {
                "op": "test",
                "path": "/metadata/resourceVersion",
                "value": metadata.resource_version,
            },
        ]
        try:
            return await self._client.request(
                "PATCH",
                object_path(key),
                resource=plural(key.kind),
                body=[*unchanged, *changes],
                content_type="application/json-patch+json",
            )
        except ApiError as error:
            if error.invalid:
                # A failed test and a refused document are both 422; either way the object is looked at anew.
                raise ApiError(409, "Conflict", error.message) from error
            raise
