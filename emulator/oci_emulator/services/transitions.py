"""Changes of resources that work requests carry out."""

from collections.abc import Callable, Mapping

from oci_emulator.calls.call import Answer, Call, shown
from oci_emulator.formats.jsontypes import JsonObject
from oci_emulator.services.foundation import Foundation
from oci_emulator.services.work_requests import WorkRequests
from oci_emulator.state.resources import Resource
from oci_emulator.time.clock import timestamp

Settled = Callable[[Resource, float], None]
"""What else is done with a resource that a work request has changed, at that time."""


class Transitions:
    """Begins changes of one kind of resources, and settles them with their work requests.

    Args:
        states: operation type -> the state that it ends in; empty for the one before it.
        settled: called before the changed resource is kept.
    """

    def __init__(
        self,
        foundation: Foundation,
        work: WorkRequests,
        *,
        kind: str,
        states: Mapping[str, str],
        settled: Settled | None = None,
    ) -> None:
        self._foundation = foundation
        self._work = work
        self._kind = kind
        self._settled = settled
        for operation, state in states.items():
            work.on_finish(operation, self._settle(state))

    def create(self, operation: str, resource: Resource, call: Call) -> Answer:
        """Keep a new resource; the answer shows it, and names its work request."""
        self._foundation.add(resource)
        accepted = self._work.accept(operation, resource, call.now)
        answer = shown(resource, status=accepted.status)
        answer.headers |= accepted.headers
        return answer

    def begin(
        self,
        operation: str,
        resource: Resource,
        now: float,
        changes: JsonObject | None = None,
        *,
        state: str = "UPDATING",
    ) -> Answer:
        """Change a resource; the answer names the work request with which that is over."""
        resource.inner["before"] = resource.state
        resource.body |= {
            **(changes or {}),
            "lifecycleState": state,
            "timeUpdated": timestamp(now),
        }
        resource.compartment = resource.body["compartmentId"]
        resource.due = None
        self._foundation.save(resource)
        return self._work.accept(operation, resource, now)

    def _settle(self, state: str) -> Callable[[Resource, float], str]:
        def settle(work_request: Resource, moment: float) -> str:
            resource = self._foundation.resources.get(self._kind, work_request.parent)
            if resource is None:
                return f"{work_request.parent} is gone."
            resource.body["lifecycleState"] = state or resource.inner["before"]
            if self._settled is not None:
                self._settled(resource, moment)
            if resource.state == "DELETED":
                resource.due = moment + self._foundation.rules.deleted_visible_seconds
            self._foundation.save(resource)
            return ""

        return settle
