"""Private endpoints: what runs reach a private network through."""

from oci_emulator.calls.call import Answer, Call, shown
from oci_emulator.calls.errors import conflict, invalid, missing
from oci_emulator.calls.paging import collection
from oci_emulator.formats.jsontypes import JsonObject
from oci_emulator.services.dataflow.owned import (
    PRIVATE_ENDPOINT,
    find,
    new,
    page,
    require_creation,
    steady,
)
from oci_emulator.services.dataflow.progression import Progression
from oci_emulator.services.foundation import Foundation, check_names
from oci_emulator.services.transitions import Transitions
from oci_emulator.services.work_requests import WorkRequests
from oci_emulator.state.resources import Resource, Selection

_HOSTS = 256
"""Host counts are rounded up to multiples of this."""
_STATES = {"CREATE": "ACTIVE", "UPDATE": "", "MOVE": "", "DELETE": "DELETED"}


class PrivateEndpoints:
    """Private endpoints; what changes them is carried out by work requests."""

    def __init__(
        self, foundation: Foundation, work: WorkRequests, progression: Progression
    ) -> None:
        self._foundation = foundation
        self._progression = progression
        self._transitions = Transitions(
            foundation,
            work,
            kind=PRIVATE_ENDPOINT,
            states={f"{name}_PRIVATE_ENDPOINT": state for name, state in _STATES.items()},
        )
        foundation.timers.on_due(PRIVATE_ENDPOINT, self._due)

    def create(self, call: Call) -> Answer:
        """CreatePrivateEndpoint."""
        require_creation(call, "DATAFLOW_PRIVATE_ENDPOINT_CREATE")
        check_names(call.body)
        body = {
            "displayName": "dataflowprivateendpoint",
            **_rounded(call.body),
            "lifecycleState": "CREATING",
        }
        endpoint = new(self._foundation, call, PRIVATE_ENDPOINT, body)
        answer = self._transitions.create("CREATE_PRIVATE_ENDPOINT", endpoint, call)
        answer.headers["location"] = f"{call.operation.path}/{endpoint.id}"
        return answer

    def get(self, call: Call) -> Answer:
        """GetPrivateEndpoint."""
        identifier = call.path["privateEndpointId"]
        return shown(find(self._foundation, call, PRIVATE_ENDPOINT, identifier))

    def again(self, identifier: str) -> Answer:
        """The answer to a replayed creation."""
        return self._foundation.again(PRIVATE_ENDPOINT, identifier)

    def list_all(self, call: Call) -> Answer:
        """ListPrivateEndpoints."""
        return collection(page(self._foundation, call, Selection(kind=PRIVATE_ENDPOINT)))

    def update(self, call: Call) -> Answer:
        """UpdatePrivateEndpoint."""
        endpoint = self._active(call)
        check_names(call.body)
        changes = _rounded(call.body)
        self._foundation.retag(endpoint, call.body)
        return self._transitions.begin("UPDATE_PRIVATE_ENDPOINT", endpoint, call.now, changes)

    def move(self, call: Call) -> Answer:
        """ChangePrivateEndpointCompartment."""
        endpoint = self._active(call)
        target = {"compartmentId": call.body["compartmentId"]}
        call.require(target["compartmentId"])
        return self._transitions.begin("MOVE_PRIVATE_ENDPOINT", endpoint, call.now, target)

    def delete(self, call: Call) -> Answer:
        """DeletePrivateEndpoint: not while active runs use it."""
        endpoint = self._active(call)
        if self._progression.has_active("privateEndpointId", endpoint.id):
            raise conflict("IncorrectState", f"Active runs use the private endpoint {endpoint.id}.")
        return self._transitions.begin(
            "DELETE_PRIVATE_ENDPOINT", endpoint, call.now, state="DELETING"
        )

    def _due(self, endpoint: Resource, moment: float) -> None:  # noqa: ARG002  # a timer's step
        self._foundation.resources.remove(endpoint.id)

    def _active(self, call: Call) -> Resource:
        identifier = call.path["privateEndpointId"]
        return steady(self._foundation, call, PRIVATE_ENDPOINT, identifier, ("ACTIVE",))


def _rounded(details: JsonObject) -> JsonObject:
    """The details with the number of hosts that there will be.

    Raises:
        ServiceError: 400, there are no zones, or the number is none.
    """
    if not details.get("dnsZones", True):
        raise missing("dnsZones: needs a zone")
    if "maxHostCount" not in details:
        return details
    count = details["maxHostCount"]
    if count < 1:
        raise invalid(f"maxHostCount: must be 1 or more, not {count}")
    return {**details, "maxHostCount": -(-count // _HOSTS) * _HOSTS}
