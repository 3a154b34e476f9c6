"""Runs: of an application, or of ``execute``, which makes an application for itself."""

from oci_emulator.calls.call import Answer, Call, shown
from oci_emulator.calls.errors import conflict, invalid, missing, not_found
from oci_emulator.services.dataflow import lifecycle, shapes
from oci_emulator.services.dataflow.applications import Applications
from oci_emulator.services.dataflow.checks import check_durations, filled_arguments
from oci_emulator.services.dataflow.files import FileError, Files
from oci_emulator.services.dataflow.owned import (
    APPLICATION,
    RUN,
    find,
    new,
    owner_of,
    page,
    require_creation,
    steady,
    variables_of,
)
from oci_emulator.services.dataflow.pools import Pools
from oci_emulator.services.dataflow.progression import Progression
from oci_emulator.services.dataflow.references import References
from oci_emulator.services.dataflow.settings import FIELDS, overridden, settled
from oci_emulator.services.datascience.plans import PlanError
from oci_emulator.services.foundation import Foundation, check_names
from oci_emulator.state.resources import Resource, Selection
from oci_emulator.time.clock import timestamp

_WITH_EXECUTE = ("driverShape", "executorShape", "numExecutors", "sparkVersion")
_DURATIONS = {"maxDurationInMinutes", "idleTimeoutInMinutes"}
_OF_RUN = ("displayName", "freeformTags", "definedTags", "compartmentId")


class Runs:
    """Runs."""

    def __init__(
        self,
        foundation: Foundation,
        *,
        applications: Applications,
        pools: Pools,
        references: References,
        progression: Progression,
        files: Files,
    ) -> None:
        self._foundation = foundation
        self._applications = applications
        self._pools = pools
        self._references = references
        self._progression = progression
        self._files = files

    def create(self, call: Call) -> Answer:
        """CreateRun: it keeps the application as it is now."""
        details = call.body
        require_creation(call, "DATAFLOW_RUN_CREATE")
        check_names(details)
        rules = self._foundation.rules
        application = self._application(call)
        # One that was just made of execute has all of the request already.
        own = details if "applicationId" in details else {}
        settings = settled(overridden(application.body, own, rules), rules)
        self._references.check(call, settings)
        body = {
            "displayName": application.name,
            **{name: details[name] for name in _OF_RUN if name in details},
            **settings,
            **self._references.network(call, settings),
            "applicationId": application.id,
            "totalOCpu": shapes.total_ocpus(settings),
        }
        run = new(self._foundation, call, RUN, body, parent=application.id)
        run.inner["arguments"] = filled_arguments(settings)
        if rules.run_arguments == "filled" and run.inner["arguments"]:
            run.body["arguments"] = run.inner["arguments"]
        self._check_files(run, call.now)
        try:
            self._progression.begin(run)
        except PlanError as error:
            raise invalid(f"freeformTags: {error}") from None
        self._pools.used_by(run, call.now)
        return shown(run)

    def _application(self, call: Call) -> Resource:
        """The application of a new run, which is made if there is none yet.

        Raises:
            ServiceError: 400, neither or both of applicationId and execute are given; 404, 409.
        """
        details = call.body
        both = "applicationId" in details and "execute" in details
        if both and self._foundation.rules.execute_with_application == "refuse":
            raise invalid("execute: can't be given together with applicationId")
        if "applicationId" not in details:
            if "execute" not in details:
                raise missing("applicationId: is required, unless there is execute")
            return self._made_of(call)
        identifier = details["applicationId"]
        application = self._foundation.resources.get(APPLICATION, identifier)
        if application is None:
            raise not_found(f"application {identifier[:255]}")
        call.require(
            application.compartment,
            verb="read",
            family="dataflow-application",
            variables=variables_of(application),
        )
        if application.state != "ACTIVE":
            raise conflict(
                "IncorrectState", f"Application {identifier} is {application.state}, not ACTIVE."
            )
        return application

    def _made_of(self, call: Call) -> Resource:
        """A new application of what a run executes."""
        details = call.body
        for name in _WITH_EXECUTE:
            if name not in details:
                raise missing(f"{name}: is required with execute")
        call.require(
            details["compartmentId"],
            family="dataflow-application",
            variables={"request.permission": "DATAFLOW_APPLICATION_CREATE"},
        )
        fields = {name: details[name] for name in (*FIELDS, *_OF_RUN) if name in details}
        name = settled(fields, self._foundation.rules)["fileUri"].rpartition("/")[2]
        return self._applications.add(call, {"displayName": name, **fields})

    def _check_files(self, run: Resource, now: float) -> None:
        if self._foundation.rules.file_check == "at-run":
            return
        try:
            self._files.check(owner_of(run), run.body, now)
        except FileError as error:
            raise invalid(str(error)) from None

    def get(self, call: Call) -> Answer:
        """GetRun."""
        return shown(self._find(call))

    def again(self, identifier: str) -> Answer:
        """The answer to a replayed creation."""
        return self._foundation.again(RUN, identifier)

    def list_all(self, call: Call) -> Answer:
        """ListRuns."""
        return page(self._foundation, call, Selection(kind=RUN))

    def update(self, call: Call) -> Answer:
        """UpdateRun: tags at any time, durations until it is over."""
        run = self._find(call)
        call.match(run)
        if _DURATIONS & call.body.keys() and run.state not in lifecycle.CANCELABLE:
            raise conflict("IncorrectState", f"Run {run.id} is {run.state}.")
        durations = {name: call.body[name] for name in _DURATIONS if name in call.body}
        check_durations({"type": run.body["type"], **durations}, self._foundation.rules)
        self._foundation.retag(run, call.body)
        run.body |= durations
        self._progression.reschedule(run, call.now)
        return shown(run)

    def move(self, call: Call) -> Answer:
        """ChangeRunCompartment: of a run that is over."""
        run = steady(self._foundation, call, RUN, call.path["runId"], lifecycle.MOVABLE)
        run.body["timeUpdated"] = timestamp(call.now)
        return self._foundation.move(call, run)

    def delete(self, call: Call) -> Answer:
        """DeleteRun: cancels it, or stops it; its record stays."""
        run = self._find(call)
        call.match(run)
        if run.state in lifecycle.CANCELABLE:
            self._progression.cancel(run, call.now)
        elif self._foundation.rules.delete_ended_run == "conflict":
            raise conflict(
                "IncorrectState", f"Run {run.id} is {run.state} and can't be canceled any more."
            )
        return Answer(status=204, resource=run.id)

    def _find(self, call: Call) -> Resource:
        return find(self._foundation, call, RUN, call.path["runId"])
