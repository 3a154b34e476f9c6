"""Kueue's side of a run: whether Kueue is there, and its Workload."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ocijobs.api.kueue import KUEUE_API_VERSION, KUEUE_GROUP, WORKLOAD
from ocijobs.api.shared.metadata import ObjectKey
from ocijobs.api.shared.names import FIELD_MANAGER
from ocijobs.kube.apply_body import APPLY_PATCH
from ocijobs.kube.client import ApiError, KubeClient
from ocijobs.kube.resources import list_path, object_path, plural
from ocijobs.kube.writer import Fence

_FINISHER = f"{FIELD_MANAGER}-finish"
"""Field manager of the condition Finished. It needs its own, since server-side apply removes what a manager leaves out.
"""


class Workloads:
    """Reads and writes Workloads, the latter while this process leads."""

    def __init__(self, client: KubeClient, fence: Fence) -> None:
        self._client, self._fence = client, fence

    async def served(self) -> bool:
        """Return whether the API server has Kueue's API in our version.

        Raises:
            ApiError: if there is another answer, or none.
        """
        try:
            document = await self._client.request(
                "GET", f"/apis/{KUEUE_API_VERSION}", resource="discovery"
            )
        except ApiError as error:
            if error.not_found:
                return False
            raise
        return any(each["name"] == plural(WORKLOAD) for each in document["resources"])

    async def priority(self, name: str) -> int | None:
        """Return the value of a WorkloadPriorityClass, or None if there is none of that name.

        Raises:
            ApiError: if there is another answer, or none.
        """
        path = f"/apis/{KUEUE_API_VERSION}/workloadpriorityclasses/{name}"
        try:
            document = await self._client.request("GET", path, resource="workloadpriorityclasses")
        except ApiError as error:
            if error.not_found:
                return None
            raise
        return int(document["value"])

    async def create(self, document: Mapping[str, Any], priority: tuple[str, int] | None) -> Any:
        """Create a Workload and return it.

        Args:
            document: without its priority.
            priority: name and value of its WorkloadPriorityClass.

        Raises:
            ApiError: 409 if there is one of that name; others if it is refused.
        """
        self._fence()
        spec = dict(document["spec"])
        if priority is not None:
            name, value = priority
            reference = {"group": KUEUE_GROUP, "kind": "WorkloadPriorityClass", "name": name}
            spec |= {"priorityClassRef": reference, "priority": value}
        return await self._client.request(
            "POST",
            list_path(WORKLOAD, document["metadata"]["namespace"]),
            resource=plural(WORKLOAD),
            body={**document, "spec": spec},
            query={"fieldManager": FIELD_MANAGER},
        )

    async def patch(
        self, key: ObjectKey, changes: Iterable[Mapping[str, Any]], *, status: bool
    ) -> dict[str, Any]:
        """Change a Workload, or its status, and return it.

        Raises:
            ApiError: 409 if it has changed, so that a test among the changes fails.
        """
        self._fence()
        try:
            return await self._client.request(
                "PATCH",
                object_path(key, "status" if status else ""),
                resource=f"{plural(WORKLOAD)}/status" if status else plural(WORKLOAD),
                body=list(changes),
                query={"fieldManager": FIELD_MANAGER},
                content_type="application/json-patch+json",
            )
        except ApiError as error:
            if error.invalid:
                raise ApiError(409, "Conflict", error.message) from error
            raise

    async def finish(self, key: ObjectKey, condition: Mapping[str, Any]) -> dict[str, Any]:
        """Set the condition Finished and return the Workload.

        Raises:
            ApiError: 404 if it does not exist any more.
        """
        self._fence()
        return await self._client.request(
            "PATCH",
            object_path(key, "status"),
            resource=f"{plural(WORKLOAD)}/status",
            body={
                "apiVersion": KUEUE_API_VERSION,
                "kind": WORKLOAD,
                "metadata": {"name": key.name, "namespace": key.namespace},
                "status": {"conditions": [condition]},
            },
            query={"fieldManager": _FINISHER, "force": "true"},
            content_type=APPLY_PATCH,
        )

    async def delete(self, key: ObjectKey, uid: str) -> dict[str, Any]:
        """Delete a Workload and return the answer: the Workload, if a finalizer still keeps it.

        Raises:
            ApiError: 409 if it is another one, 404 if it does not exist any more.
        """
        self._fence()
        return await self._client.request(
            "DELETE",
            object_path(key),
            resource=plural(WORKLOAD),
            body={"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": uid}},
        )
