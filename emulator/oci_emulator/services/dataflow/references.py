"""What applications and runs refer to: pools, private endpoints, logs."""

from collections.abc import Mapping
from typing import Any

from oci_emulator.calls.call import Call
from oci_emulator.calls.errors import conflict, invalid, not_found
from oci_emulator.formats.jsontypes import JsonObject
from oci_emulator.services.dataflow.owned import POOL, PRIVATE_ENDPOINT
from oci_emulator.services.foundation import Foundation
from oci_emulator.services.logging.groups import LogGroups
from oci_emulator.state.resources import Resource

_SHOWN = {
    "privateEndpointDnsZones": "dnsZones",
    "privateEndpointMaxHostCount": "maxHostCount",
    "privateEndpointNsgIds": "nsgIds",
    "privateEndpointSubnetId": "subnetId",
}
"""Field of a run -> field of its private endpoint."""


class References:
    """Checks what a request refers to."""

    def __init__(self, foundation: Foundation, groups: LogGroups) -> None:
        self._foundation = foundation
        self._groups = groups

    def check(self, call: Call, settings: Mapping[str, Any]) -> None:
        """Check that all is there, and that the caller may use it.

        Raises:
            ServiceError: 404, something isn't, or may not be used; 400, the pool has other shapes.
        """
        self.pool(call, settings)
        self.private_endpoint(call, settings)
        log = settings.get("applicationLogConfig")
        if log is None or self._foundation.rules.log_check == "at-run":
            return
        if not self._groups.usable_log(log["logGroupId"], log["logId"]):
            raise not_found(f"log {log['logId'][:255]}")

    def pool(self, call: Call, settings: Mapping[str, Any]) -> Resource | None:
        """The pool, in any state but DELETED."""
        pool = self._used(call, settings, "poolId", POOL, "dataflow-pool")
        if pool is None or self._foundation.rules.pool_shape == "accept":
            return pool
        shapes = {each.get("shape") for each in pool.body["configurations"]}
        for name in ("driverShape", "executorShape"):
            if settings[name] not in shapes:
                raise invalid(f"{name}: {settings[name][:100]} is no shape of the pool {pool.id}")
        return pool

    def private_endpoint(self, call: Call, settings: Mapping[str, Any]) -> Resource | None:
        """The private endpoint."""
        return self._used(
            call, settings, "privateEndpointId", PRIVATE_ENDPOINT, "dataflow-private-endpoint"
        )

    def network(self, call: Call, settings: Mapping[str, Any]) -> JsonObject:
        """What a run shows of its private endpoint.

        Raises:
            ServiceError: 409, it isn't ACTIVE.
        """
        endpoint = self.private_endpoint(call, settings)
        if endpoint is None:
            return {}
        if endpoint.state != "ACTIVE":
            raise conflict("IncorrectState", f"Private endpoint {endpoint.id} is {endpoint.state}.")
        return {
            name: endpoint.body[field] for name, field in _SHOWN.items() if field in endpoint.body
        }

    def _used(
        self, call: Call, settings: Mapping[str, Any], name: str, kind: str, family: str
    ) -> Resource | None:
        if name not in settings:
            return None
        used = self._foundation.resources.get(kind, settings[name])
        if used is None or used.state == "DELETED":
            raise not_found(f"{name} {settings[name][:255]}")
        call.require(used.compartment, verb="use", family=family)
        return used
