"""Job runs."""

from oci_emulator.calls.call import Answer, Call, shown
from oci_emulator.calls.errors import ServiceError, conflict, invalid, not_found
from oci_emulator.formats.jsontypes import JsonObject
from oci_emulator.services.datascience import lifecycle
from oci_emulator.services.datascience.configuration import check_run
from oci_emulator.services.datascience.plans import PlanError
from oci_emulator.services.datascience.progression import JOB, RUN, Progression
from oci_emulator.services.datascience.projects import check_exists
from oci_emulator.services.foundation import Foundation, check_names
from oci_emulator.state.resources import Resource, Selection
from oci_emulator.time.clock import timestamp


class JobRuns:
    """Job runs."""

    def __init__(self, foundation: Foundation, progression: Progression) -> None:
        self._foundation = foundation
        self._progression = progression

    def create(self, call: Call) -> Answer:
        """CreateJobRun: of a job that is ACTIVE."""
        details = call.body
        call.require(details["compartmentId"])
        check_names(details)
        job = self._job(call, details)
        rules = self._foundation.rules
        self._check_limit()
        settings = check_run(job.body, details, rules)
        body = {
            "displayName": f"{job.name}-run-{_minute(call.now)}",
            "jobConfigurationOverrideDetails": {"jobType": rules.run_without_override},
            **details,
            **self._foundation.tags(call, details),
            "id": self._foundation.new_ocid("datasciencejobrun"),
            "timeAccepted": timestamp(call.now),
            "createdBy": call.principal.id,
            "jobInfrastructureConfigurationDetails": settings.infrastructure,
        }
        if "jobStorageMountConfigurationDetailsList" in job.body:
            name = "jobStorageMountConfigurationDetailsList"
            body[name] = job.body[name]
        if settings.nodes:
            body["nodeGroupDetailsList"] = _node_groups(settings.nodes)
        self._add_log(body, settings.log, call.now)
        run = Resource(
            id=body["id"],
            kind=RUN,
            compartment=details["compartmentId"],
            parent=job.id,
            created=call.now,
            body=body,
        )
        try:
            return shown(self._progression.begin(run))
        except PlanError as error:
            raise invalid(f"freeformTags: {error}") from None

    def _check_limit(self) -> None:
        rules = self._foundation.rules
        if not rules.active_runs_maximum:
            return
        active = sum(
            self._foundation.resources.count(Selection(kind=RUN, equal={"state": state}))
            for state in lifecycle.ACTIVE
        )
        if active >= rules.active_runs_maximum:
            raise ServiceError(
                400,
                rules.active_runs_maximum_code,
                f"The tenancy has {active} active job runs, which is the limit.",
            )

    def _job(self, call: Call, details: JsonObject) -> Resource:
        job = self._foundation.resources.get(JOB, details["jobId"])
        if job is None:
            raise not_found(f"job {details['jobId'][:255]}")
        call.require(job.compartment, verb="read", family="data-science-jobs")
        if job.state != "ACTIVE":
            raise conflict("IncorrectState", f"Job {job.id} is {job.state}, it must be ACTIVE.")
        check_exists(self._foundation, details["projectId"])
        return job

    def _add_log(self, body: JsonObject, log: JsonObject, now: float) -> None:
        """Name the run's log in it, if that is known from the beginning."""
        if not log.get("enableLogging"):
            return
        automatic = log.get("enableAutoLogCreation", False)
        if automatic and self._foundation.rules.auto_log_appears == "at-provisioning":
            return
        found = self._progression.log_details(log, body["id"], now)
        if found is not None:
            body["logDetails"] = found

    def get(self, call: Call) -> Answer:
        """GetJobRun."""
        return shown(self._find(call))

    def again(self, identifier: str) -> Answer:
        """The answer to a replayed creation."""
        return self._foundation.again(RUN, identifier)

    def list_all(self, call: Call) -> Answer:
        """ListJobRuns."""
        call.require(call.query["compartmentId"])
        equal = {"compartment": call.query["compartmentId"]}
        if "jobId" in call.query:
            equal["parent"] = call.query["jobId"]
        return self._foundation.page(call, Selection(kind=RUN, equal=equal))

    def update(self, call: Call) -> Answer:
        """UpdateJobRun: its name and tags."""
        run = self._find(call)
        call.match(run)
        strict = self._foundation.rules.update_run_while_accepted == "conflict"
        if run.state == "DELETED" or (strict and run.state in lifecycle.NOT_UPDATABLE):
            raise conflict("IncorrectState", f"Job run {run.id} is {run.state}.")
        check_names(call.body)
        self._foundation.retag(run, call.body)
        run.body |= call.body
        return shown(self._foundation.save(run))

    def move(self, call: Call) -> Answer:
        """ChangeJobRunCompartment."""
        run = self._find(call)
        call.match(run)
        if run.state == "DELETED":
            raise conflict("IncorrectState", f"Job run {run.id} is {run.state}.")
        return self._foundation.move(call, run)

    def cancel(self, call: Call) -> Answer:
        """CancelJobRun."""
        run = self._find(call)
        call.match(run)
        if run.state not in lifecycle.CANCELABLE:
            raise conflict(
                "IncorrectState", f"Job run {run.id} is {run.state} and can't be canceled."
            )
        self._progression.cancel(run, call.now)
        return Answer(status=204, resource=run.id)

    def delete(self, call: Call) -> Answer:
        """DeleteJobRun: of a run that is over."""
        run = self._find(call)
        call.match(run)
        if run.state not in lifecycle.ENDED:
            raise conflict(
                "IncorrectState", f"Job run {run.id} is {run.state}: only what is over can go."
            )
        self._progression.delete(run, call.now)
        return Answer(status=204, resource=run.id)

    def _find(self, call: Call) -> Resource:
        return self._foundation.find(call, RUN, call.path["jobRunId"])


def _minute(moment: float) -> str:
    return timestamp(moment)[:19].replace("T", "-")


def _node_groups(nodes: JsonObject) -> list[JsonObject]:
    """The node groups of a run, as it shows them."""
    return [
        {"name": group["name"], "lifecycleState": "CREATING"}
        for group in nodes.get("jobNodeGroupConfigurationDetailsList", [])
    ]
