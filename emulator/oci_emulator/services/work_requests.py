"""Work requests: how services carry out what takes its time."""

from collections.abc import Callable

from oci_emulator.calls.call import Answer, Call, shown
from oci_emulator.calls.errors import conflict
from oci_emulator.calls.paging import collection, items_page
from oci_emulator.conduct.lags import Lags
from oci_emulator.formats.jsontypes import JsonObject
from oci_emulator.services.foundation import Foundation
from oci_emulator.state.resources import Resource, Selection
from oci_emulator.time.clock import timestamp

CarryOut = Callable[[Resource, float], str | None]
"""Does what a work request is for, at a time.

An explanation if it can't be done any more; None if it isn't time for it yet.
"""

_ACTIONS = {
    "CREATE": "CREATED",
    "UPDATE": "UPDATED",
    "MOVE": "UPDATED",
    "ACTIVATE": "UPDATED",
    "DEACTIVATE": "UPDATED",
    "START": "UPDATED",
    "STOP": "UPDATED",
    "DELETE": "DELETED",
}


class Form:
    """How a service shows its work requests; this is how most do."""

    operation = "operationType"
    running = "IN_PROGRESS"
    collections = False
    """Whether lists are objects with ``items``."""

    def resource(self, target: Resource, work_request: str) -> JsonObject:  # noqa: ARG002  # others show it
        """What a work request is about."""
        return {
            "actionType": self.running,
            "entityType": target.kind,
            "identifier": target.id,
            "entityUri": f"/{target.kind}s/{target.id}",
        }

    def note(self, message: JsonObject, number: int, work_request: str) -> JsonObject:  # noqa: ARG002  # others show them
        """A line of the log, or an error."""
        return message


class WorkRequests:
    """The work requests of one service.

    Each is ACCEPTED, IN_PROGRESS and SUCCEEDED or FAILED, one lag after the other; what it is for
    is done with the last.

    Args:
        resource_type: in their OCIDs; also their kind.
        lag: how long each state takes.
        form: how they are shown.
    """

    def __init__(
        self,
        foundation: Foundation,
        *,
        resource_type: str,
        lag: Callable[[Lags], float],
        form: Form | None = None,
    ) -> None:
        self._foundation = foundation
        self._form = form or Form()
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
        work_request = Resource(
            id=identifier,
            kind=self._type,
            compartment=target.compartment,
            parent=target.id,
            created=now,
            due=now + self._lag(self._foundation.lags),
            body={
                "id": identifier,
                self._form.operation: operation,
                "status": "ACCEPTED",
                "compartmentId": target.compartment,
                "resources": [self._form.resource(target, identifier)],
                "percentComplete": 0.0,
                "timeAccepted": timestamp(now),
            },
            inner={**(inner or {}), "logs": [], "errors": []},
        )
        self._note(work_request, now)
        self._foundation.add(work_request)
        return Answer(status=202, headers={"opc-work-request-id": identifier}, resource=target.id)

    def _proceed(self, work_request: Resource, moment: float) -> None:
        body = work_request.body
        if body["status"] == "ACCEPTED":
            body |= {
                "status": self._form.running,
                "timeStarted": timestamp(moment),
                "percentComplete": 50.0,
            }
            work_request.due = moment + self._lag(self._foundation.lags)
        elif not self._finish(work_request, moment):
            work_request.due = moment + self._lag(self._foundation.lags)
            self._foundation.save(work_request, visible=False)
            return
        self._note(work_request, moment)
        self._foundation.save(work_request)

    def _finish(self, work_request: Resource, moment: float) -> bool:
        """Do what the work request is for; False if it isn't time for it yet."""
        body = work_request.body
        failure = self._carry_out[body[self._form.operation]](work_request, moment)
        if failure is None:
            return False
        work_request.due = None
        body |= {
            "status": "FAILED" if failure else "SUCCEEDED",
            "timeFinished": timestamp(moment),
            "percentComplete": 100.0,
        }
        if failure:
            error = {"code": "Conflict", "message": failure, "timestamp": timestamp(moment)}
            errors = work_request.inner["errors"]
            errors.append(self._form.note(error, len(errors) + 1, work_request.id))
            return True
        words = body[self._form.operation].split("_")
        body["resources"][0]["actionType"] = next(
            action for word, action in _ACTIONS.items() if word in words
        )
        return True

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
            f" {work_request.body[self._form.operation]} can't be canceled.",
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
        return self._collected(
            self._foundation.page(call, Selection(kind=self._type, equal=equal, fields=fields))
        )

    def logs(self, call: Call) -> Answer:
        """ListWorkRequestLogs."""
        return self._listed(call, "logs")

    def errors(self, call: Call) -> Answer:
        """ListWorkRequestErrors."""
        return self._listed(call, "errors")

    def _listed(self, call: Call, name: str) -> Answer:
        entries = self._find(call).inner[name]
        limit = self._foundation.rules.default_page_size
        return self._collected(items_page(entries, call, default_limit=limit))

    def _collected(self, answer: Answer) -> Answer:
        return collection(answer) if self._form.collections else answer

    def _note(self, work_request: Resource, moment: float) -> None:
        """Write the state into the work request's log."""
        body = work_request.body
        message = f"{body[self._form.operation]} {body['status'].lower()}."
        logs = work_request.inner["logs"]
        line = {"message": message, "timestamp": timestamp(moment)}
        logs.append(self._form.note(line, len(logs) + 1, work_request.id))

    def _find(self, call: Call) -> Resource:
        return self._foundation.find(call, self._type, call.path["workRequestId"])
