"""The port to a service that runs jobs in OCI: the same few calls for each service.

Every call is safe to repeat. It returns OCI's answer or a refusal, and raises nothing for an answer of OCI.
"""

from __future__ import annotations

from typing import BinaryIO, Protocol, assert_never

from ocijobs.api.job.status import Artifact
from ocijobs.backends.job_record import JobRecord
from ocijobs.backends.records import Absent, Refusal, RunRecord, RunState
from ocijobs.backends.requests import JobChange, JobCreation, RunCreation
from ocijobs.cloud.clients import Principal
from ocijobs.reconcile.actions.jobs import (
    BackendJobCall,
    CreateJob,
    DeleteJob,
    ListActiveRuns,
    LookUpJob,
    SearchJobs,
    UpdateJob,
)
from ocijobs.reconcile.actions.runs import (
    BackendRunCall,
    CancelRun,
    CreateRun,
    DeleteRun,
    LookUpRun,
    SearchRuns,
)
from ocijobs.reconcile.known.job import JobAnswer
from ocijobs.reconcile.known.run import RunAnswer
from ocijobs.reconcile.output import RunOutput


class JobService(Protocol):
    """Jobs and runs in one of OCI's services."""

    async def create_job(
        self, principal: Principal, request: JobCreation, token: str
    ) -> JobRecord | Refusal:
        """Create a job. The same token and request answer the same job for 24 hours."""
        ...

    async def search_jobs(
        self, principal: Principal, compartment_id: str, project_id: str | None, owner: str
    ) -> JobRecord | Refusal | None:
        """Return the oldest job with the owner tag, or None if the complete list has none."""
        ...

    async def look_up_job(
        self, principal: Principal, compartment_id: str, job_id: str
    ) -> JobRecord | Absent | Refusal:
        """Return a job; Absent if OCI answers 404 and a complete list does not have it."""
        ...

    async def upload_artifact(
        self, principal: Principal, job_id: str, artifact: Artifact, content: BinaryIO
    ) -> Refusal | None:
        """Upload the artifact of a job that has none yet; None if the job has an artifact now."""
        ...

    async def update_job(
        self, principal: Principal, job_id: str, settings: JobChange
    ) -> Refusal | None:
        """Send the settings that can be changed in place; None if OCI accepted them."""
        ...

    async def count_active_runs(
        self, principal: Principal, compartment_id: str, job_id: str
    ) -> int | Refusal:
        """Return how many runs of a job are active, from a complete list of all its runs."""
        ...

    async def delete_job(self, principal: Principal, job_id: str) -> Refusal | None:
        """Delete a job, but not the records of its runs; None if OCI has begun."""
        ...

    async def create_run(
        self, principal: Principal, request: RunCreation, token: str
    ) -> RunRecord | Refusal:
        """Create a run. The same token and request answer the same run for 24 hours."""
        ...

    async def search_runs(
        self, principal: Principal, compartment_id: str, job_id: str, owner: str
    ) -> RunRecord | Refusal | None:
        """Return the oldest run of the job with the owner tag, or None if the complete list has none."""
        ...

    async def look_up_run(
        self, principal: Principal, compartment_id: str, run_id: str
    ) -> RunRecord | Absent | Refusal:
        """Return a run; Absent if OCI answers 404 and a complete list does not have it."""
        ...

    async def cancel_run(self, principal: Principal, run_id: str) -> Refusal | None:
        """Cancel a run; None if OCI has begun."""
        ...

    async def delete_run(self, principal: Principal, run_id: str) -> Refusal | None:
        """Delete the record of an ended run; None if it is gone. Some services refuse."""
        ...

    async def list_runs(
        self,
        principal: Principal,
        compartment_id: str,
        *,
        state: RunState | None = None,
        job_id: str | None = None,
        run_id: str | None = None,
    ) -> tuple[RunRecord, ...] | Refusal:
        """Return all runs of the compartment in a state, of a job, or of an id, by the shared poll's lane.

        Data Flow accepts one of the three at a time.
        """
        ...


class RunLogReader(Protocol):
    """Logs that an infrastructure keeps of its runs itself."""

    async def read(
        self, principal: Principal, run_id: str, *, results: bool
    ) -> RunOutput | Refusal:
        """Return the output of a run that has ended; `results` wants result lines beside the last ones."""
        ...


async def answer_of_job_call(
    oci: JobService, principal: Principal, call: BackendJobCall
) -> JobAnswer:
    """Make a call about a job, and return it with its answer."""
    match call:
        case CreateJob(request=request, token=token):
            return call, await oci.create_job(principal, request, token)
        case SearchJobs(compartment_id=compartment, project_id=project, owner=owner):
            return call, await oci.search_jobs(principal, compartment, project, owner)
        case LookUpJob(compartment_id=compartment, job_id=job_id):
            return call, await oci.look_up_job(principal, compartment, job_id)
        case UpdateJob(job_id=job_id, settings=settings):
            return call, await oci.update_job(principal, job_id, settings)
        case ListActiveRuns(compartment_id=compartment, job_id=job_id):
            return call, await oci.count_active_runs(principal, compartment, job_id)
        case DeleteJob(job_id=job_id):
            return call, await oci.delete_job(principal, job_id)
        case _:
            assert_never(call)


async def answer_of_run_call(
    oci: JobService, principal: Principal, call: BackendRunCall
) -> RunAnswer:
    """Make a call about a run, and return it with its answer."""
    match call:
        case CreateRun(request=request, token=token):
            return call, await oci.create_run(principal, request, token)
        case SearchRuns(compartment_id=compartment, job_id=job_id, owner=owner):
            return call, await oci.search_runs(principal, compartment, job_id, owner)
        case LookUpRun(compartment_id=compartment, run_id=run_id):
            return call, await oci.look_up_run(principal, compartment, run_id)
        case CancelRun(run_id=run_id):
            return call, await oci.cancel_run(principal, run_id)
        case DeleteRun(run_id=run_id):
            return call, await oci.delete_run(principal, run_id)
        case _:
            assert_never(call)
