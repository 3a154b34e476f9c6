"""Statements of sessions."""

from oci_emulator.calls.call import Answer, Call, shown
from oci_emulator.calls.errors import ServiceError, conflict, not_found
from oci_emulator.calls.paging import collection
from oci_emulator.services.dataflow.owned import RUN, find
from oci_emulator.services.dataflow.progression import Progression
from oci_emulator.services.foundation import Foundation
from oci_emulator.state.resources import Resource, Selection
from oci_emulator.time.clock import timestamp

KIND = "dataflowstatement"
_ACTIVE = ("ACCEPTED", "IN_PROGRESS")


class Statements:
    """Statements: simulated in simulated runs, and refused in those that really run.

    The output of a simulated one is what the plan of its run writes.
    """

    def __init__(self, foundation: Foundation, progression: Progression) -> None:
        self._foundation = foundation
        self._progression = progression
        foundation.timers.on_due(KIND, self._due)
        progression.on_end(self._run_ended)

    def create(self, call: Call) -> Answer:
        """CreateStatement: in a session that is IN_PROGRESS."""
        run = self._session(call)
        if run.state != "IN_PROGRESS":
            raise conflict("IncorrectState", f"Run {run.id} is {run.state}, not IN_PROGRESS.")
        if run.inner["mode"] == "process":
            raise ServiceError(
                501,
                "NotImplemented",
                "This emulator executes no statements: only those of simulated runs are answered.",
            )
        number = run.inner.get("statements", 0) + 1
        run.inner |= {"statements": number, "active": call.now}
        self._progression.reschedule(run, call.now)
        statement = Resource(
            id=f"{run.id}/{number}",
            kind=KIND,
            compartment=run.compartment,
            parent=run.id,
            created=call.now,
            due=call.now + self._foundation.lags.work_request,
            body={
                "id": number,
                "runId": run.id,
                "code": call.body["code"],
                "lifecycleState": "ACCEPTED",
                "progress": 0.0,
                "timeCreated": timestamp(call.now),
            },
        )
        return shown(self._foundation.add(statement))

    def get(self, call: Call) -> Answer:
        """GetStatement."""
        return shown(self._find(call))

    def list_all(self, call: Call) -> Answer:
        """ListStatements."""
        run = self._session(call)
        selection = Selection(kind=KIND, equal={"parent": run.id})
        return collection(self._foundation.page(call, selection))

    def delete(self, call: Call) -> Answer:
        """DeleteStatement: cancels it; its record stays."""
        statement = self._find(call)
        call.match(statement)
        if statement.state in _ACTIVE:
            statement.body["lifecycleState"] = "CANCELLING"
            statement.due = call.now + self._foundation.lags.canceling
            self._foundation.save(statement)
        elif self._foundation.rules.delete_ended_run == "conflict":
            raise conflict("IncorrectState", f"The statement is {statement.state}.")
        return Answer(status=204)

    def _due(self, statement: Resource, moment: float) -> None:
        statement.due = None
        match statement.state:
            case "ACCEPTED":
                statement.body |= {"lifecycleState": "IN_PROGRESS", "progress": 0.5}
                statement.due = moment + self._foundation.lags.work_request
            case "IN_PROGRESS":
                self._succeed(statement, moment)
            case "CANCELLING":
                self._end(statement, "CANCELLED", moment)
        self._foundation.save(statement)

    def _succeed(self, statement: Resource, moment: float) -> None:
        run = self._foundation.resources.get(RUN, statement.parent)
        lines = run.inner.get("output", []) if run else []
        self._end(statement, "SUCCEEDED", moment)
        statement.body |= {
            "progress": 1.0,
            "output": {"status": "OK", "data": {"type": "TEXT_PLAIN", "value": "\n".join(lines)}},
        }

    def _end(self, statement: Resource, state: str, moment: float) -> None:
        statement.body |= {"lifecycleState": state, "timeCompleted": timestamp(moment)}
        statement.due = None

    def _run_ended(self, run: Resource, moment: float) -> None:
        """Cancel what a session leaves undone."""
        if run.body["type"] != "SESSION":
            return
        for statement in self._foundation.resources.select(
            Selection(kind=KIND, equal={"parent": run.id})
        ):
            if statement.due is not None:
                self._end(statement, "CANCELLED", moment)
                self._foundation.save(statement)

    def _session(self, call: Call) -> Resource:
        run = find(self._foundation, call, RUN, call.path["runId"])
        if run.body["type"] != "SESSION":
            raise conflict(
                "IncorrectState", f"Run {run.id} is of type {run.body['type']}, not SESSION."
            )
        return run

    def _find(self, call: Call) -> Resource:
        run = self._session(call)
        number = call.path["statementId"]
        statement = self._foundation.resources.get(KIND, f"{run.id}/{number}")
        if statement is None:
            raise not_found(f"statement {number[:255]}")
        return statement
