"""Projects, which jobs belong to."""

from oci_emulator.calls.call import Answer, Call, shown
from oci_emulator.calls.errors import conflict, not_found
from oci_emulator.formats.jsontypes import JsonObject
from oci_emulator.services.foundation import Foundation, check_names
from oci_emulator.services.work_requests import WorkRequests
from oci_emulator.state.resources import Resource, Selection
from oci_emulator.time.clock import timestamp

KIND = "project"


class Projects:
    """Projects."""

    def __init__(self, foundation: Foundation, work: WorkRequests) -> None:
        self._foundation = foundation
        self._work = work
        foundation.timers.on_due(KIND, self._due)
        work.on_finish("PROJECT_DELETE", self._deleted)

    def create(self, call: Call) -> Answer:
        """CreateProject."""
        call.require(call.body["compartmentId"])
        check_names(call.body)
        tags = self._foundation.tags(call, call.body)
        project = self.add({**call.body, **tags}, call.principal.id, call.now)
        return shown(project)

    def add(self, details: JsonObject, creator: str, now: float, identifier: str = "") -> Resource:
        """Keep a new project.

        ``identifier``: its OCID; a new one by default.
        """
        stamp = timestamp(now)
        body = {
            "displayName": f"datascienceproject{stamp[:19].translate(_NO_MARKS)}",
            "freeformTags": {},
            "definedTags": {},
            **details,
            "id": identifier or self._foundation.new_ocid("datascienceproject"),
            "timeCreated": stamp,
            "createdBy": creator,
            "lifecycleState": "ACTIVE",
        }
        return self._foundation.add(
            Resource(
                id=body["id"],
                kind=KIND,
                compartment=body["compartmentId"],
                created=now,
                body=body,
            )
        )

    def get(self, call: Call) -> Answer:
        """GetProject."""
        return shown(self._find(call))

    def again(self, identifier: str) -> Answer:
        """The answer to a replayed creation."""
        return self._foundation.again(KIND, identifier)

    def list_all(self, call: Call) -> Answer:
        """ListProjects."""
        call.require(call.query["compartmentId"])
        equal = {"compartment": call.query["compartmentId"]}
        return self._foundation.page(call, Selection(kind=KIND, equal=equal))

    def update(self, call: Call) -> Answer:
        """UpdateProject."""
        project = self._active(call)
        check_names(call.body)
        self._foundation.retag(project, call.body)
        project.body |= call.body
        return shown(self._foundation.save(project))

    def move(self, call: Call) -> Answer:
        """ChangeProjectCompartment."""
        project = self._active(call)
        return self._foundation.move(call, project)

    def delete(self, call: Call) -> Answer:
        """DeleteProject: only without jobs."""
        project = self._active(call)
        jobs = Selection(kind="job", equal={"parent": project.id}, without_state="DELETED")
        if self._foundation.resources.count(jobs):
            raise conflict("Conflict", f"Project {project.id} has jobs.")
        project.body["lifecycleState"] = "DELETING"
        self._foundation.save(project)
        return self._work.accept("PROJECT_DELETE", project, call.now)

    def _deleted(self, work_request: Resource, moment: float) -> str:
        project = self._foundation.resources.get(KIND, work_request.parent)
        if project is None:
            return f"{work_request.parent} is gone."
        project.body["lifecycleState"] = "DELETED"
        project.due = moment + self._foundation.rules.deleted_visible_seconds
        self._foundation.save(project)
        return ""

    def _due(self, project: Resource, moment: float) -> None:  # noqa: ARG002  # a timer's step
        self._foundation.resources.remove(project.id)

    def _find(self, call: Call) -> Resource:
        return self._foundation.find(call, KIND, call.path["projectId"])

    def _active(self, call: Call) -> Resource:
        project = self._find(call)
        call.match(project)
        if project.state != "ACTIVE":
            raise conflict("IncorrectState", f"Project {project.id} is {project.state}.")
        return project


_NO_MARKS = str.maketrans("", "", "-:T")


def check_exists(foundation: Foundation, identifier: str) -> None:
    """Check that there is an active project of an OCID, if the rules want that.

    Raises:
        ServiceError: 404, there is none.
    """
    if not foundation.rules.project_check:
        return
    project = foundation.resources.get(KIND, identifier)
    if project is None or project.state != "ACTIVE":
        raise not_found(f"project {identifier[:255]}")
