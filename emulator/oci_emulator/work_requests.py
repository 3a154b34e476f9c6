"""Work requests: how services carry out what takes its time."""

from collections.abc import Callable

from oci_emulator.clock import timestamp
from oci_emulator.foundation import Foundation
from oci_emulator.jsontypes import JsonObject
from oci_emulator.lags import Lags
from oci_emulator.resources import Resource, Selection
from oci_emulator.server.calls import Answer, Call, shown
from oci_emulator.server.errors import conflict
from oci_emulator.server.paging import items_page

CarryOut = Callable[[Resource, float], str]
"""Does what a work request is for, at a time; an explanation if it can't be done any more."""

_ACTIONS = {
    "CREATE": "CREATED",
    "UPDATE": "UPDATED",
    "MOVE": "UPDATED",
    "ACTIVATE": "UPDATED",
    "DEACTIVATE": "UPDATED",
    "DELETE": "DELETED",
}


class WorkRequests:
    """The work requests of one service.

    Each is ACCEPTED, IN_PROGRESS and SUCCEEDED or FAILED, one lag after the other; what it is for
    is done with the last.

    Args:
        resource_type: in their OCIDs; also their kind.
        lag: how long each state takes.
    """

    def __init__(
        self, foundation: Foundation, *, resource_type: str, lag: Callable[[Lags], float]
    ) -> None:
        self._foundation = foundation
        self._type = resource_type
        self._lag = lag
        self._carry_out: dict[str, CarryOut] = {}
        foundation.timers.on_due(resource_type, self._proceed)

    def on_finish(self, operation: str, carry_out: CarryOut) -> None:
        """Register what is done for an operation type, such as JOB_DELETE."""
        self._carry_out[operation] = carry_out

    def accept(
        self, operation: str, target: Resource, now: float, inner: JsonObject | None = None
    ) -> Answer:
        """Take an operation on a resource on, and answer with the work request's OCID.

        ``target`` is the resource as it is, or as it will be; ``inner`` what the operation needs.
        """
        identifier = self._foundation.new_ocid(self._type)
        resource = {
            "actionType": "IN_PROGRESS",
            "entityType": target.kind,
            "identifier": target.id,
            "entityUri": f"/{target.kind}s/{target.id}",
        }
        work_request = Resource(
            id=identifier,
            kind=self._type,
            compartment=target.compartment,
            parent=target.id,
            created=now,
            due=now + self._lag(self._foundation.lags),
            body={
                "id": identifier,
                "operationType": operation,
                "status": "ACCEPTED",
                "compartmentId": target.compartment,
                "resources": [resource],
                "percentComplete": 0.0,
                "timeAccepted": timestamp(now),
            },
            inner={**(inner or {}), "logs": [], "errors": []},
        )
        _note(work_request, now)
        self._foundation.add(work_request)
        return Answer(status=202, headers={"opc-work-request-id": identifier}, resource=target.id)

    def _proceed(self, work_request: Resource, moment: float) -> None:
        body = work_request.body
        if body["status"] == "ACCEPTED":
            body |= {
                "status": "IN_PROGRESS",
                "timeStarted": timestamp(moment),
                "percentComplete": 50.0,
            }
            work_request.due = moment + self._lag(self._foundation.lags)
        else:
            self._finish(work_request, moment)
            work_request.due = None
        _note(work_request, moment)
        self._foundation.save(work_request)

    def _finish(self, work_request: Resource, moment: float) -> None:
        body = work_request.body
        failure = self._carry_out[body["operationType"]](work_request, moment)
        body |= {
            "status": "FAILED" if failure else "SUCCEEDED",
            "timeFinished": timestamp(moment),
            "percentComplete": 100.0,
        }
        if failure:
            error = {"code": "Conflict", "message": failure, "timestamp": timestamp(moment)}
            work_request.inner["errors"].append(error)
            return
        words = body["operationType"].split("_")
        body["resources"][0]["actionType"] = next(
            action for word, action in _ACTIONS.items() if word in words
        )

    def get(self, call: Call) -> Answer:
        """GetWorkRequest."""
        answer = shown(self._find(call))
        answer.headers["retry-after"] = "1"
        return answer

    def cancel(self, call: Call) -> Answer:
        """CancelWorkRequest: none of the operations here can be canceled any more.

        Raises:
            ServiceError: 409, always.
        """
        work_request = self._find(call)
        call.match(work_request)
        raise conflict(
            "IncorrectState",
            f"Work request {work_request.id} is {work_request.state}:"
            f" {work_request.body['operationType']} can't be canceled.",
        )

    def list_all(self, call: Call) -> Answer:
        """ListWorkRequests; in the order of their acceptance, whatever sortBy says."""
        call.require(call.query["compartmentId"])
        equal = {"compartment": call.query["compartmentId"]}
        for name, column in (("status", "state"), ("resourceId", "parent")):
            if name in call.query:
                equal[column] = call.query[name]
        fields = {}
        if "operationType" in call.query:
            fields["$.operationType"] = call.query["operationType"]
        return self._foundation.page(call, Selection(kind=self._type, equal=equal, fields=fields))

    def logs(self, call: Call) -> Answer:
        """ListWorkRequestLogs."""
        return self._listed(call, "logs")

    def errors(self, call: Call) -> Answer:
        """ListWorkRequestErrors."""
        return self._listed(call, "errors")

    def _listed(self, call: Call, name: str) -> Answer:
        entries = self._find(call).inner[name]
        return items_page(entries, call, default_limit=self._foundation.rules.default_page_size)

    def _find(self, call: Call) -> Resource:
        return self._foundation.find(call, self._type, call.path["workRequestId"])


def _note(work_request: Resource, moment: float) -> None:
    """Write the state into the work request's log."""
    body = work_request.body
    message = f"{body['operationType']} {body['status'].lower()}."
    work_request.inner["logs"].append({"message": message, "timestamp": timestamp(moment)})
