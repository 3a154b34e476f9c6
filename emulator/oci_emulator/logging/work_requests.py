"""Work requests of Logging: they make, change and delete log groups and logs."""

from collections.abc import Mapping
from typing import Any

from oci_emulator.clock import timestamp
from oci_emulator.foundation import Foundation
from oci_emulator.logging.entries import LogEntries
from oci_emulator.resources import Resource, Selection
from oci_emulator.server.calls import Answer, Call, shown
from oci_emulator.server.paging import items_page

GROUP = "loggroup"
LOG = "log"
WORK_REQUEST = "logworkrequest"

_ACTIONS = {"CREATE": "CREATED", "UPDATE": "UPDATED", "MOVE": "UPDATED", "DELETE": "DELETED"}


class LogWorkRequests:
    """Each is ACCEPTED, IN_PROGRESS and SUCCEEDED, and what it does is done with the last."""

    def __init__(self, foundation: Foundation, entries: LogEntries) -> None:
        self._foundation = foundation
        self._entries = entries
        foundation.timers.on_due(WORK_REQUEST, self._proceed)

    def request(
        self,
        operation: str,
        target: Resource,
        call: Call,
        changes: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Take a change on.

        ``operation``: the operationType, such as CREATE_LOG.
        ``target``: the resource as it is; for a creation, as it will be.
        ``changes``: fields with their new values.
        """
        identifier = self._foundation.new_ocid("logworkrequest")
        work_request = Resource(
            id=identifier,
            kind=WORK_REQUEST,
            compartment=target.compartment,
            parent=target.id,
            created=call.now,
            due=call.now + self._foundation.lags.work_request,
            body={
                "id": identifier,
                "operationType": operation,
                "status": "ACCEPTED",
                "compartmentId": target.compartment,
                "resources": [
                    {
                        "actionType": "IN_PROGRESS",
                        "entityType": target.kind,
                        "identifier": target.id,
                        "entityUri": f"/{target.kind}s/{target.id}",
                    }
                ],
                "percentComplete": 0.0,
                "timeAccepted": timestamp(call.now),
            },
            inner={
                "kind": target.kind,
                "new": {"body": target.body, "parent": target.parent},
                "changes": dict(changes or {}),
                "logs": [{"message": f"{operation} accepted.", "timestamp": timestamp(call.now)}],
            },
        )
        self._foundation.add(work_request)
        return Answer(status=202, headers={"opc-work-request-id": identifier}, resource=target.id)

    def _proceed(self, work_request: Resource, moment: float) -> None:
        body = work_request.body
        work_request.due = None
        if body["status"] == "ACCEPTED":
            body |= {
                "status": "IN_PROGRESS",
                "timeStarted": timestamp(moment),
                "percentComplete": 50.0,
            }
            work_request.due = moment + self._foundation.lags.work_request
        else:
            failure = self._carry_out(work_request, moment)
            body |= {
                "status": "FAILED" if failure else "SUCCEEDED",
                "timeFinished": timestamp(moment),
                "percentComplete": 100.0,
            }
            if failure:
                work_request.inner["errors"] = [
                    {"code": "Conflict", "message": failure, "timestamp": timestamp(moment)}
                ]
            else:
                verb = body["operationType"].partition("_")[0]
                body["resources"][0]["actionType"] = _ACTIONS[verb]
        work_request.inner["logs"].append(
            {
                "message": f"{body['operationType']} {body['status'].lower()}.",
                "timestamp": timestamp(moment),
            }
        )
        self._foundation.save(work_request)

    def _carry_out(self, work_request: Resource, moment: float) -> str:
        """Do it; an explanation if it can't be done any more."""
        resources = self._foundation.resources
        verb = work_request.body["operationType"].partition("_")[0]
        kind, target = work_request.inner["kind"], work_request.parent
        if verb == "CREATE":
            return self._create(work_request)
        resource = resources.get(kind, target)
        if resource is None:
            return f"{target} was deleted meanwhile."
        if verb == "DELETE":
            resources.remove(target)
            self._entries.drop_log(target)
            return ""
        resource.body |= {**work_request.inner["changes"], "timeLastModified": timestamp(moment)}
        resource.parent = resource.body.get("logGroupId", "")
        if resource.compartment != resource.body["compartmentId"]:
            self._move(resource)
        self._foundation.save(resource)
        return ""

    def _move(self, resource: Resource) -> None:
        """Bring a resource, and the logs of a group, to the compartment that its body names."""
        resource.compartment = resource.body["compartmentId"]
        if resource.kind != GROUP:
            return
        logs = Selection(kind=LOG, equal={"parent": resource.id})
        for log in self._foundation.resources.select(logs):
            log.compartment = log.body["compartmentId"] = resource.compartment
            self._foundation.save(log)

    def _create(self, work_request: Resource) -> str:
        new = work_request.inner["new"]
        kind, name = work_request.inner["kind"], new["body"]["displayName"]
        if self.named(kind, work_request.compartment, new["parent"], name) is not None:
            return f"There is a {kind} named {name!r} already."
        self._foundation.add(
            Resource(
                id=work_request.parent,
                kind=kind,
                compartment=work_request.compartment,
                parent=new["parent"],
                created=work_request.created,
                body=new["body"],
            )
        )
        return ""

    def named(self, kind: str, compartment: str, parent: str, name: str) -> Resource | None:
        """The log group of a name in its compartment, or the log of a name in its group."""
        within = {"compartment": compartment} if kind == GROUP else {"parent": parent}
        selection = Selection(kind=kind, equal={**within, "name": name}, limit=1)
        found = self._foundation.resources.select(selection)
        return found[0] if found else None

    def get(self, call: Call) -> Answer:
        """GetWorkRequest."""
        answer = shown(self._find(call))
        answer.headers["retry-after"] = "1"
        return answer

    def list_all(self, call: Call) -> Answer:
        """ListWorkRequests."""
        call.require(call.query["compartmentId"])
        equal = {"compartment": call.query["compartmentId"]}
        if "status" in call.query:
            equal["state"] = call.query["status"]
        return self._foundation.page(call, Selection(kind=WORK_REQUEST, equal=equal))

    def logs(self, call: Call) -> Answer:
        """ListWorkRequestLogs."""
        entries = self._find(call).inner["logs"]
        return items_page(entries, call, default_limit=self._foundation.rules.default_page_size)

    def errors(self, call: Call) -> Answer:
        """ListWorkRequestErrors."""
        return Answer(body=self._find(call).inner.get("errors", []))

    def _find(self, call: Call) -> Resource:
        return self._foundation.find(call, WORK_REQUEST, call.path["workRequestId"])
