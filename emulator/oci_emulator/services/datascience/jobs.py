"""Jobs: templates of runs, whose settings can change and whose artifact can't."""

from oci_emulator.calls.call import Answer, Call, shown
from oci_emulator.calls.errors import conflict, invalid, not_found
from oci_emulator.formats.jsontypes import JsonObject
from oci_emulator.services.datascience import lifecycle, projects
from oci_emulator.services.datascience.configuration import check_infrastructure, check_job
from oci_emulator.services.datascience.progression import JOB, RUN, Progression
from oci_emulator.services.foundation import Foundation, check_names
from oci_emulator.services.logging.groups import LogGroups
from oci_emulator.services.work_requests import WorkRequests
from oci_emulator.state.resources import Resource, Selection
from oci_emulator.time.clock import timestamp

_EMPTY = {
    "jobConfigurationDetails": {"jobType": "EMPTY"},
    "jobInfrastructureConfigurationDetails": {"jobInfrastructureType": "EMPTY"},
}
"""What the service shows at the top of a multi-node job, whose settings are in its node groups."""


class Jobs:
    """Jobs."""

    def __init__(
        self,
        foundation: Foundation,
        work: WorkRequests,
        groups: LogGroups,
        progression: Progression,
    ) -> None:
        self._foundation = foundation
        self._work = work
        self._groups = groups
        self._progression = progression
        foundation.timers.on_due(JOB, self._due)
        work.on_finish("JOB_DELETE", self._deleted)

    def create(self, call: Call) -> Answer:
        """CreateJob: it is CREATING until its artifact is there, if it needs one."""
        details = call.body
        call.require(details["compartmentId"])
        check_names(details)
        projects.check_exists(self._foundation, details["projectId"])
        check_job(details, self._foundation.rules)
        self._check_log(details.get("jobLogConfigurationDetails", {}))
        stamp = timestamp(call.now)
        body = {
            "displayName": f"datasciencejob{stamp[:19].translate(_NO_MARKS)}",
            **details,
            **self._foundation.tags(call, details),
            "id": self._foundation.new_ocid("datasciencejob"),
            "timeCreated": stamp,
            "createdBy": call.principal.id,
            "lifecycleState": "ACTIVE" if needs_no_artifact(details) else "CREATING",
        }
        if "jobNodeConfigurationDetails" in details:
            body |= _EMPTY
        job = Resource(
            id=body["id"],
            kind=JOB,
            compartment=details["compartmentId"],
            parent=details["projectId"],
            created=call.now,
            body=body,
        )
        return shown(self._foundation.add(job))

    def _check_log(self, log: JsonObject) -> None:
        if self._foundation.rules.log_check == "at-run" or not log.get("enableLogging"):
            return
        group = log["logGroupId"]
        if not self._groups.usable_group(group):
            raise not_found(f"log group {group[:255]}")
        if "logId" in log and not self._groups.usable_log(group, log["logId"]):
            raise not_found(f"log {log['logId'][:255]}")

    def get(self, call: Call) -> Answer:
        """GetJob."""
        return shown(self._find(call))

    def again(self, identifier: str) -> Answer:
        """The answer to a replayed creation."""
        return self._foundation.again(JOB, identifier)

    def list_all(self, call: Call) -> Answer:
        """ListJobs."""
        call.require(call.query["compartmentId"])
        equal = {"compartment": call.query["compartmentId"]}
        if "projectId" in call.query:
            equal["parent"] = call.query["projectId"]
        return self._foundation.page(call, Selection(kind=JOB, equal=equal))

    def update(self, call: Call) -> Answer:
        """UpdateJob: names, tags, infrastructure and storage mounts; nothing else can change."""
        job = self._usable(call)
        check_names(call.body)
        check_infrastructure(call.body, self._foundation.rules)
        if "jobNodeConfigurationDetails" in job.body and (call.body.keys() & _EMPTY.keys()):
            raise invalid(
                "jobInfrastructureConfigurationDetails: a multi-node job has it in its node groups"
            )
        self._foundation.retag(job, call.body)
        job.body |= call.body
        return shown(self._foundation.save(job))

    def move(self, call: Call) -> Answer:
        """ChangeJobCompartment."""
        job = self._usable(call)
        return self._foundation.move(call, job)

    def delete(self, call: Call) -> Answer:
        """DeleteJob: never with active runs; with records of runs only if told to delete them."""
        job = self._usable(call)
        rules = self._foundation.rules
        runs = self._runs(job)
        active = [run for run in runs if run.state in lifecycle.ACTIVE]
        if active:
            raise conflict(
                rules.active_runs_code,
                f"Job {job.id} has {len(active)} active runs, {active[0].id} for one.",
            )
        related = call.query.get("deleteRelatedJobRuns", False)
        if runs and not related and rules.delete_job_with_run_records == "conflict":
            raise conflict(
                "Conflict",
                f"Job {job.id} has {len(runs)} runs: delete them first, or set"
                " deleteRelatedJobRuns.",
            )
        job.body["lifecycleState"] = "DELETING"
        job.inner["deletes runs"] = related
        self._foundation.save(job)
        return self._work.accept("JOB_DELETE", job, call.now)

    def _runs(self, job: Resource) -> list[Resource]:
        """The runs that the job has, without those that are DELETED."""
        selection = Selection(kind=RUN, equal={"parent": job.id}, without_state="DELETED")
        return self._foundation.resources.select(selection)

    def _deleted(self, work_request: Resource, moment: float) -> str:
        job = self._foundation.resources.get(JOB, work_request.parent)
        if job is None:
            return f"{work_request.parent} is gone."
        if job.inner.get("deletes runs"):
            for run in self._runs(job):
                self._progression.delete(run, moment)
        if artifact := job.inner.pop("artifact", None):
            self._foundation.content.remove(artifact["content"])
        job.body["lifecycleState"] = "DELETED"
        job.due = moment + self._foundation.rules.deleted_visible_seconds
        self._foundation.save(job)
        return ""

    def _due(self, job: Resource, moment: float) -> None:  # noqa: ARG002  # a timer's step
        self._foundation.resources.remove(job.id)

    def _find(self, call: Call) -> Resource:
        return self._foundation.find(call, JOB, call.path["jobId"])

    def _usable(self, call: Call) -> Resource:
        """The job, if it has the etag of the request and isn't being deleted."""
        job = self._find(call)
        call.match(job)
        if job.state not in {"ACTIVE", "CREATING"}:
            raise conflict("IncorrectState", f"Job {job.id} is {job.state}.")
        return job


_NO_MARKS = str.maketrans("", "", "-:T")


def needs_no_artifact(details: JsonObject) -> bool:
    """Whether a job can run without an artifact: if all that it runs is in containers."""
    if "jobEnvironmentConfigurationDetails" in details:
        return True
    nodes = details.get("jobNodeConfigurationDetails", {})
    groups = nodes.get("jobNodeGroupConfigurationDetailsList", [])
    return bool(groups) and all("jobEnvironmentConfigurationDetails" in group for group in groups)
