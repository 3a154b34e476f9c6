"""Work requests of Data Science: what deletes jobs and projects."""

from collections.abc import Callable

from oci_emulator.clock import timestamp
from oci_emulator.foundation import Foundation
from oci_emulator.resources import Resource, Selection
from oci_emulator.server.calls import Answer, Call, shown
from oci_emulator.server.paging import items_page

KIND = "datascienceworkrequest"


class WorkRequests:
    """Each is ACCEPTED, IN_PROGRESS and SUCCEEDED, one lag after the other."""

    def __init__(self, foundation: Foundation) -> None:
        self._foundation = foundation
        self._finish: dict[str, Callable[[str, float], None]] = {}
        foundation.timers.on_due(KIND, self._proceed)

    def on_finish(self, operation: str, finish: Callable[[str, float], None]) -> None:
        """Register what an operation does when it SUCCEEDED: a function of OCID and time."""
        self._finish[operation] = finish

    def accept(self, operation: str, target: Resource, now: float) -> Resource:
        """Take an operation on a resource on.

        ``operation``: the operationType, such as JOB_DELETE.
        """
        identifier = self._foundation.new_ocid("datascienceworkrequest")
        return self._foundation.add(
            Resource(
                id=identifier,
                kind=KIND,
                compartment=target.compartment,
                parent=target.id,
                created=now,
                due=now + self._foundation.lags.job_delete,
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
                            "entityUri": f"/20190101/{target.kind}s/{target.id}",
                        }
                    ],
                    "percentComplete": 0.0,
                    "timeAccepted": timestamp(now),
                },
                inner={
                    "logs": [{"message": f"{operation} accepted.", "timestamp": timestamp(now)}]
                },
            )
        )

    def _proceed(self, work_request: Resource, moment: float) -> None:
        body = work_request.body
        work_request.due = None
        if body["status"] == "ACCEPTED":
            body |= {
                "status": "IN_PROGRESS",
                "timeStarted": timestamp(moment),
                "percentComplete": 50.0,
            }
            work_request.due = moment + self._foundation.lags.job_delete
        else:
            self._finish[body["operationType"]](work_request.parent, moment)
            body |= {
                "status": "SUCCEEDED",
                "timeFinished": timestamp(moment),
                "percentComplete": 100.0,
            }
            body["resources"][0]["actionType"] = "DELETED"
        work_request.inner["logs"].append(
            {
                "message": f"{body['operationType']} {body['status'].lower()}.",
                "timestamp": timestamp(moment),
            }
        )
        self._foundation.save(work_request)

    def get(self, call: Call) -> Answer:
        """GetWorkRequest."""
        answer = shown(self._find(call))
        answer.headers["retry-after"] = "1"
        return answer

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
        return self._foundation.page(call, Selection(kind=KIND, equal=equal, fields=fields))

    def logs(self, call: Call) -> Answer:
        """ListWorkRequestLogs."""
        entries = self._find(call).inner["logs"]
        return items_page(entries, call, default_limit=self._foundation.rules.default_page_size)

    def errors(self, call: Call) -> Answer:
        """ListWorkRequestErrors: what is accepted here doesn't fail later."""
        self._find(call)
        return Answer(body=[])

    def _find(self, call: Call) -> Resource:
        return self._foundation.find(call, KIND, call.path["workRequestId"])
