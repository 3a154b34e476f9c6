"""The operations of Data Science."""

from collections.abc import Mapping

from oci_emulator.calls.call import Answer, Call, Endpoint
from oci_emulator.calls.paging import MAXIMUM, items_page
from oci_emulator.services.datascience.artifacts import Artifacts
from oci_emulator.services.datascience.job_runs import JobRuns
from oci_emulator.services.datascience.jobs import Jobs
from oci_emulator.services.datascience.projects import Projects
from oci_emulator.services.datascience.schedules import Schedules
from oci_emulator.services.datascience.shapes import SHAPES
from oci_emulator.services.work_requests import WorkRequests

PROJECTS = "data-science-projects"
JOBS = "data-science-jobs"
RUNS = "data-science-job-runs"
SCHEDULES = "data-science-schedules"
WORK = "data-science-work-requests"


def endpoints(
    *,
    projects: Projects,
    jobs: Jobs,
    artifacts: Artifacts,
    runs: JobRuns,
    schedules: Schedules,
    work: WorkRequests,
) -> Mapping[str, Endpoint]:
    """The operations on projects, jobs, artifacts, runs, schedules, work requests and shapes."""
    return {
        **_projects(projects),
        **_jobs(jobs),
        **_runs(runs),
        **_schedules(schedules),
        "CreateJobArtifact": Endpoint(handle=artifacts.upload, verb="use", family=JOBS),
        "GetJobArtifactContent": Endpoint(handle=artifacts.content, verb="read", family=JOBS),
        "HeadJobArtifact": Endpoint(handle=artifacts.head, verb="read", family=JOBS),
        "GetWorkRequest": Endpoint(handle=work.get, verb="read", family=WORK),
        "CancelWorkRequest": Endpoint(handle=work.cancel, verb="manage", family=WORK),
        "ListWorkRequests": Endpoint(handle=work.list_all, verb="inspect", family=WORK),
        "ListWorkRequestLogs": Endpoint(handle=work.logs, verb="read", family=WORK),
        "ListWorkRequestErrors": Endpoint(handle=work.errors, verb="read", family=WORK),
        "ListJobShapes": Endpoint(handle=_list_shapes, verb="inspect", family=JOBS),
        "ListFastLaunchJobConfigs": Endpoint(handle=_list_fast_launch, verb="inspect", family=JOBS),
    }


def _projects(projects: Projects) -> Mapping[str, Endpoint]:
    return {
        "CreateProject": Endpoint(
            handle=projects.create, verb="manage", family=PROJECTS, again=projects.again
        ),
        "GetProject": Endpoint(handle=projects.get, verb="read", family=PROJECTS),
        "ListProjects": Endpoint(handle=projects.list_all, verb="inspect", family=PROJECTS),
        "UpdateProject": Endpoint(handle=projects.update, verb="use", family=PROJECTS),
        "DeleteProject": Endpoint(handle=projects.delete, verb="manage", family=PROJECTS),
        "ChangeProjectCompartment": Endpoint(handle=projects.move, verb="manage", family=PROJECTS),
    }


def _jobs(jobs: Jobs) -> Mapping[str, Endpoint]:
    return {
        "CreateJob": Endpoint(handle=jobs.create, verb="manage", family=JOBS, again=jobs.again),
        "GetJob": Endpoint(handle=jobs.get, verb="read", family=JOBS),
        "ListJobs": Endpoint(handle=jobs.list_all, verb="inspect", family=JOBS),
        "UpdateJob": Endpoint(handle=jobs.update, verb="use", family=JOBS),
        "DeleteJob": Endpoint(handle=jobs.delete, verb="manage", family=JOBS),
        "ChangeJobCompartment": Endpoint(handle=jobs.move, verb="manage", family=JOBS),
    }


def _runs(runs: JobRuns) -> Mapping[str, Endpoint]:
    return {
        "CreateJobRun": Endpoint(handle=runs.create, verb="manage", family=RUNS, again=runs.again),
        "GetJobRun": Endpoint(handle=runs.get, verb="read", family=RUNS),
        "ListJobRuns": Endpoint(handle=runs.list_all, verb="inspect", family=RUNS),
        "UpdateJobRun": Endpoint(handle=runs.update, verb="use", family=RUNS),
        "CancelJobRun": Endpoint(handle=runs.cancel, verb="use", family=RUNS),
        "DeleteJobRun": Endpoint(handle=runs.delete, verb="manage", family=RUNS),
        "ChangeJobRunCompartment": Endpoint(handle=runs.move, verb="manage", family=RUNS),
    }


def _schedules(schedules: Schedules) -> Mapping[str, Endpoint]:
    return {
        "CreateSchedule": Endpoint(
            handle=schedules.create, verb="manage", family=SCHEDULES, again=schedules.again
        ),
        "GetSchedule": Endpoint(handle=schedules.get, verb="read", family=SCHEDULES),
        "ListSchedules": Endpoint(handle=schedules.list_all, verb="inspect", family=SCHEDULES),
        "UpdateSchedule": Endpoint(handle=schedules.update, verb="use", family=SCHEDULES),
        "ActivateSchedule": Endpoint(handle=schedules.activate, verb="use", family=SCHEDULES),
        "DeactivateSchedule": Endpoint(handle=schedules.deactivate, verb="use", family=SCHEDULES),
        "ChangeScheduleCompartment": Endpoint(
            handle=schedules.move, verb="manage", family=SCHEDULES
        ),
        "DeleteSchedule": Endpoint(handle=schedules.delete, verb="manage", family=SCHEDULES),
    }


def _list_shapes(call: Call) -> Answer:
    call.require(call.query["compartmentId"])
    return items_page([shape.as_json() for shape in SHAPES], call, default_limit=MAXIMUM)


def _list_fast_launch(call: Call) -> Answer:
    call.require(call.query["compartmentId"])
    configurations = [shape.as_fast_launch() for shape in SHAPES if shape.fast_launch]
    return items_page(configurations, call, default_limit=MAXIMUM)
