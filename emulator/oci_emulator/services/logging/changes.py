"""What the work requests of Logging do: make, change and delete log groups and logs."""

from collections.abc import Mapping
from typing import Any

from oci_emulator.calls.call import Answer, Call
from oci_emulator.services.foundation import Foundation
from oci_emulator.services.logging.entries import LogEntries
from oci_emulator.services.work_requests import WorkRequests
from oci_emulator.state.resources import Resource, Selection
from oci_emulator.time.clock import timestamp

GROUP = "loggroup"
LOG = "log"


class LogChanges:
    """Changes of log groups and logs; each is carried out by a work request."""

    def __init__(self, foundation: Foundation, entries: LogEntries, work: WorkRequests) -> None:
        self._foundation = foundation
        self._entries = entries
        self._work = work
        for kind in ("LOG", "LOG_GROUP"):
            work.on_finish(f"CREATE_{kind}", self._create)
            work.on_finish(f"UPDATE_{kind}", self._update)
            work.on_finish(f"MOVE_{kind}", self._update)
            work.on_finish(f"DELETE_{kind}", self._delete)

    def request(
        self,
        operation: str,
        target: Resource,
        call: Call,
        changes: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Take a change on.

        Args:
            operation: the operationType, such as CREATE_LOG.
            target: the resource as it is; for a creation, as it will be.
            call: the request for it.
            changes: fields with their new values.
        """
        inner = {
            "kind": target.kind,
            "new": {"body": target.body, "parent": target.parent},
            "changes": dict(changes or {}),
        }
        return self._work.accept(operation, target, call.now, inner)

    def _create(self, work_request: Resource, moment: float) -> str:  # noqa: ARG002  # like others
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

    def _update(self, work_request: Resource, moment: float) -> str:
        kind, target = work_request.inner["kind"], work_request.parent
        resource = self._foundation.resources.get(kind, target)
        if resource is None:
            return f"{target} was deleted meanwhile."
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

    def _delete(self, work_request: Resource, moment: float) -> str:  # noqa: ARG002  # likewise
        self._foundation.resources.remove(work_request.parent)
        self._entries.drop_log(work_request.parent)
        return ""

    def named(self, kind: str, compartment: str, parent: str, name: str) -> Resource | None:
        """The log group of a name in its compartment, or the log of a name in its group."""
        within = {"compartment": compartment} if kind == GROUP else {"parent": parent}
        selection = Selection(kind=kind, equal={**within, "name": name}, limit=1)
        found = self._foundation.resources.select(selection)
        return found[0] if found else None
