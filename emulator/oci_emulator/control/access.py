"""What decides who may do what: policies, compartments, and the keys of clusters."""

from collections.abc import Sequence

from oci_emulator.control.call import ControlCall, Route, only
from oci_emulator.formats.jsontypes import JsonObject
from oci_emulator.principals.verdicts import Verdicts
from oci_emulator.principals.workloads import Workloads
from oci_emulator.services.foundation import Foundation


class AccessControl:
    """Shows and sets policies, makes compartments, registers clusters."""

    def __init__(self, foundation: Foundation, verdicts: Verdicts, workloads: Workloads) -> None:
        self._foundation = foundation
        self._verdicts = verdicts
        self._workloads = workloads

    def routes(self) -> Sequence[Route]:
        """What it answers."""
        return (
            ("GET", "policies", self._get_policies),
            ("PUT", "policies", self._put_policies),
            ("PUT", "compartments/{id}", self._put_compartment),
            ("PUT", "clusters/{id}", self._put_cluster),
        )

    def _get_policies(self, call: ControlCall) -> JsonObject:  # noqa: ARG002  # a handler like others
        return self._verdicts.policies.as_json()

    def _put_policies(self, call: ControlCall) -> JsonObject:
        only(call.body, "statements", "dynamicGroups")
        if "statements" not in call.body:
            raise ValueError("statements: are required")
        self._verdicts.set_policies(call.body)
        return self._get_policies(call)

    def _put_compartment(self, call: ControlCall) -> JsonObject:
        only(call.body, "name", "description", "compartmentId")
        compartments = self._foundation.compartments
        identifier = call.path["id"]
        found = compartments.get(identifier)
        if found is None:
            parent = call.body.get("compartmentId", self._foundation.tenancy.id)
            name = call.body.get("name", identifier.rpartition(".")[2][:100])
            found = compartments.add(
                name=name,
                description=call.body.get("description", name),
                parent=parent,
                created=self._foundation.clock.now(),
                identifier=identifier,
            )
        return found.body

    def _put_cluster(self, call: ControlCall) -> JsonObject:
        key_set = call.body.get("jwks")
        if not isinstance(key_set, dict):
            raise ValueError(  # noqa: TRY004  # it is answered 400
                "jwks: the key set of the cluster, as /openid/v1/jwks shows it"
            )
        self._workloads.put(call.path["id"], key_set)
        return {"id": call.path["id"]}
