"""Applications: what runs are made from, of which everything can change but compartment and type."""

from oci_emulator.calls.call import Answer, Call, shown
from oci_emulator.calls.errors import conflict
from oci_emulator.formats.jsontypes import JsonObject
from oci_emulator.services.dataflow import lifecycle
from oci_emulator.services.dataflow.owned import (
    APPLICATION,
    RUN,
    find,
    new,
    page,
    require_creation,
    steady,
)
from oci_emulator.services.dataflow.progression import Progression
from oci_emulator.services.dataflow.references import References
from oci_emulator.services.dataflow.settings import changed, settled
from oci_emulator.services.foundation import Foundation, check_names
from oci_emulator.services.work_requests import WorkRequests
from oci_emulator.state.resources import Resource, Selection
from oci_emulator.time.clock import timestamp

_CASCADE = "CASCADING_DELETE_APPLICATION"
"""The emulator's own name: the SDK has names for operations on private endpoints only."""
_CASCADE_SECONDS = 1800.0


class Applications:
    """Applications."""

    def __init__(
        self,
        foundation: Foundation,
        work: WorkRequests,
        references: References,
        progression: Progression,
    ) -> None:
        self._foundation = foundation
        self._work = work
        self._references = references
        self._progression = progression
        foundation.timers.on_due(APPLICATION, self._due)
        work.on_finish(_CASCADE, self._cascaded)

    def create(self, call: Call) -> Answer:
        """CreateApplication."""
        require_creation(call, "DATAFLOW_APPLICATION_CREATE")
        check_names(call.body)
        return shown(self.add(call, call.body))

    def add(self, call: Call, details: JsonObject) -> Resource:
        """Keep a new application; a run of ``execute`` makes one too.

        Raises:
            ServiceError: 400 or 404, it can't be one.
        """
        body = settled(details, self._foundation.rules)
        self._references.check(call, body)
        body["lifecycleState"] = "ACTIVE"
        return self._foundation.add(new(self._foundation, call, APPLICATION, body))

    def get(self, call: Call) -> Answer:
        """GetApplication."""
        return shown(find(self._foundation, call, APPLICATION, call.path["applicationId"]))

    def again(self, identifier: str) -> Answer:
        """The answer to a replayed creation."""
        return self._foundation.again(APPLICATION, identifier)

    def list_all(self, call: Call) -> Answer:
        """ListApplications."""
        return page(self._foundation, call, Selection(kind=APPLICATION))

    def update(self, call: Call) -> Answer:
        """UpdateApplication: runs that there are stay as they are."""
        application = self._active(call)
        check_names(call.body)
        body = settled(changed(application.body, call.body), self._foundation.rules)
        self._references.check(call, body)
        application.body = body
        self._foundation.retag(application, call.body)
        body["timeUpdated"] = timestamp(call.now)
        return shown(self._foundation.save(application))

    def move(self, call: Call) -> Answer:
        """ChangeApplicationCompartment: its runs stay where they are."""
        return self._foundation.move(call, self._active(call))

    def delete(self, call: Call) -> Answer:
        """DeleteApplication: its runs stay, as they are never deleted."""
        application = self._active(call)
        rules = self._foundation.rules
        active = self._active_runs(application)
        if active and rules.delete_application_with_active_runs == "conflict":
            raise conflict(
                rules.active_runs_code,
                f"Application {application.id} has {len(active)} active runs, {active[0].id} for one.",
            )
        self._delete(application, call.now)
        return Answer(status=204, resource=application.id)

    def delete_with_runs(self, call: Call) -> Answer:
        """CascadingDeleteApplication: DELETED when all its runs are over."""
        application = self._active(call)
        application.body |= {"lifecycleState": "DELETING", "timeUpdated": timestamp(call.now)}
        self._foundation.save(application)
        for run in self._active_runs(application):
            if run.state in lifecycle.CANCELABLE:
                self._progression.cancel(run, call.now)
        return self._work.accept(_CASCADE, application, call.now)

    def _cascaded(self, work_request: Resource, moment: float) -> str | None:
        application = self._foundation.resources.get(APPLICATION, work_request.parent)
        if application is None:
            return f"{work_request.parent} is gone."
        active = self._active_runs(application)
        if not active:
            self._delete(application, moment)
            return ""
        if moment < work_request.created + _CASCADE_SECONDS:
            return None
        application.body["lifecycleState"] = "ACTIVE"
        self._foundation.save(application)
        return f"Run {active[0].id} is still {active[0].state}."

    def _active_runs(self, application: Resource) -> list[Resource]:
        runs = self._foundation.resources.select(
            Selection(kind=RUN, equal={"parent": application.id})
        )
        return [run for run in runs if run.state in lifecycle.ACTIVE]

    def _delete(self, application: Resource, moment: float) -> None:
        application.body |= {"lifecycleState": "DELETED", "timeUpdated": timestamp(moment)}
        application.due = moment + self._foundation.rules.deleted_visible_seconds
        self._foundation.save(application)

    def _due(self, application: Resource, moment: float) -> None:  # noqa: ARG002  # a timer's step
        self._foundation.resources.remove(application.id)

    def _active(self, call: Call) -> Resource:
        return steady(self._foundation, call, APPLICATION, call.path["applicationId"], ("ACTIVE",))
