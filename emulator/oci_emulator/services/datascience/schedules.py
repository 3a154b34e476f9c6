"""Schedules: job runs that are created by themselves, again and again."""

from collections.abc import Callable
from typing import Any

from oci_emulator.calls.call import Answer, Call, shown
from oci_emulator.calls.errors import ServiceError, conflict
from oci_emulator.calls.principal import Principal
from oci_emulator.formats.jsontypes import JsonObject
from oci_emulator.services.datascience.projects import check_exists
from oci_emulator.services.foundation import Foundation, check_names
from oci_emulator.services.transitions import Transitions
from oci_emulator.services.work_requests import WorkRequests
from oci_emulator.state.resources import Resource, Selection
from oci_emulator.time.clock import timestamp

KIND = "schedule"
_TYPE = "datascienceschedule"
_STEADY = ("ACTIVE", "INACTIVE")
_STATES = {
    "CREATE": "ACTIVE",
    "ACTIVATE": "ACTIVE",
    "DEACTIVATE": "INACTIVE",
    "UPDATE": "",
    "MOVE": "",
    "DELETE": "DELETED",
}

Perform = Callable[[str, str, Principal, JsonObject, float], Answer]
"""Carries out an operation of a service for a principal, as if it had been requested then."""


class Schedules:
    """Schedules; what changes them is carried out by work requests.

    A schedule is a principal of its own: what it may create, policies say of the resource type
    ``datascienceschedule``.
    """

    def __init__(self, foundation: Foundation, work: WorkRequests) -> None:
        self._foundation = foundation
        self._perform: Perform | None = None
        foundation.timers.on_due(KIND, self._due)
        self._transitions = Transitions(
            foundation,
            work,
            kind=KIND,
            states={f"SCHEDULE_{name}": state for name, state in _STATES.items()},
            settled=self._plan,
        )

    def attach(self, perform: Perform) -> None:
        """Say what carries out the requests of schedules."""
        self._perform = perform

    def create(self, call: Call) -> Answer:
        """CreateSchedule: ACTIVE when its work request is done."""
        details = call.body
        call.require(details["compartmentId"])
        check_names(details)
        check_exists(self._foundation, details["projectId"])
        _check(details)
        body = {
            **details,
            **self._foundation.tags(call, details),
            "id": self._foundation.new_ocid(_TYPE),
            "createdBy": call.principal.id,
            "timeCreated": timestamp(call.now),
            "timeUpdated": timestamp(call.now),
            "lifecycleState": "CREATING",
        }
        schedule = Resource(
            id=body["id"],
            kind=KIND,
            compartment=details["compartmentId"],
            parent=details["projectId"],
            created=call.now,
            body=body,
        )
        return self._transitions.create("SCHEDULE_CREATE", schedule, call)

    def get(self, call: Call) -> Answer:
        """GetSchedule."""
        return shown(self._find(call))

    def again(self, identifier: str) -> Answer:
        """The answer to a replayed creation."""
        return self._foundation.again(KIND, identifier)

    def list_all(self, call: Call) -> Answer:
        """ListSchedules."""
        call.require(call.query["compartmentId"])
        equal = {"compartment": call.query["compartmentId"]}
        if "projectId" in call.query:
            equal["parent"] = call.query["projectId"]
        return self._foundation.page(call, Selection(kind=KIND, equal=equal))

    def update(self, call: Call) -> Answer:
        """UpdateSchedule."""
        schedule = self._steady(call)
        check_names(call.body)
        _check(call.body)
        self._foundation.retag(schedule, call.body)
        return self._transitions.begin("SCHEDULE_UPDATE", schedule, call.now, call.body)

    def move(self, call: Call) -> Answer:
        """ChangeScheduleCompartment."""
        schedule = self._steady(call)
        target = call.body["compartmentId"]
        call.require(target)
        changes = {"compartmentId": target}
        return self._transitions.begin("SCHEDULE_MOVE", schedule, call.now, changes)

    def activate(self, call: Call) -> Answer:
        """ActivateSchedule: it fires again, but not for the times that it missed."""
        schedule = self._steady(call, "INACTIVE")
        return self._transitions.begin("SCHEDULE_ACTIVATE", schedule, call.now)

    def deactivate(self, call: Call) -> Answer:
        """DeactivateSchedule."""
        schedule = self._steady(call, "ACTIVE")
        return self._transitions.begin("SCHEDULE_DEACTIVATE", schedule, call.now)

    def delete(self, call: Call) -> Answer:
        """DeleteSchedule: what it has created stays."""
        schedule = self._steady(call)
        return self._transitions.begin("SCHEDULE_DELETE", schedule, call.now, state="DELETING")

    def _plan(self, schedule: Resource, after: float) -> None:
        """Note when an active schedule fires next."""
        schedule.due = None
        if schedule.state == "ACTIVE":
            from oci_emulator.services.datascience import triggers  # noqa: PLC0415  # when it is first needed: many emulators never do

            trigger = schedule.body["trigger"]
            schedule.due = triggers.following(trigger, after, created=schedule.created)
        schedule.body.pop("timeNextScheduledRun", None)
        if schedule.due is not None:
            schedule.body["timeNextScheduledRun"] = timestamp(schedule.due)

    def _due(self, schedule: Resource, moment: float) -> None:
        if schedule.state == "DELETED":
            self._foundation.resources.remove(schedule.id)
            return
        schedule.body |= {
            "timeLastScheduleRun": timestamp(moment),
            "lastScheduleRunDetails": self._fire(schedule, moment),
        }
        self._plan(schedule, moment)
        self._foundation.save(schedule)

    def _fire(self, schedule: Resource, moment: float) -> str:
        """Create a job run as the schedule's own principal; what came of it."""
        if self._perform is None:
            raise RuntimeError("nothing carries out the requests of schedules")
        principal = Principal(
            kind="resource",
            id=schedule.id,
            tenancy=self._foundation.tenancy.id,
            compartment=schedule.compartment,
            resource_type=_TYPE,
        )
        details = schedule.body["action"]["actionDetails"]["createJobRunDetails"]
        try:
            answer = self._perform("datascience", "CreateJobRun", principal, details, moment)
        except ServiceError as error:
            return f"Job run creation failed: {error.code}: {error.message}"
        return f"Job run {answer.resource} created."

    def _find(self, call: Call) -> Resource:
        return self._foundation.find(call, KIND, call.path["scheduleId"])

    def _steady(self, call: Call, *states: str) -> Resource:
        """The schedule, if it has the etag of the request and nothing changes it now."""
        schedule = self._find(call)
        call.match(schedule)
        if schedule.state not in (states or _STEADY):
            raise conflict("IncorrectState", f"Schedule {schedule.id} is {schedule.state}.")
        return schedule


def _check(details: JsonObject) -> None:
    """Check trigger and action, as far as a request has them.

    Raises:
        ServiceError: 400, one breaks a rule; 501, the action needs a service that isn't here.
    """
    if "trigger" in details:
        from oci_emulator.services.datascience import triggers  # noqa: PLC0415  # when it is first needed: many emulators never do

        triggers.check(details["trigger"])
    action: Any = details.get("action")
    if action is not None and action["actionDetails"]["httpActionType"] != "CREATE_JOB_RUN":
        raise ServiceError(
            501,
            "NotImplemented",
            "action.actionDetails.httpActionType: this emulator has CREATE_JOB_RUN alone.",
        )
