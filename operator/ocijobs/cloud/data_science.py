"""Jobs and job runs of OCI Data Science (API version 20190101)."""

from __future__ import annotations

from functools import partial
from typing import BinaryIO

from ocijobs.api.job.status import Artifact
from ocijobs.backends.data_science.requests import JobRequest, JobSettings, RunRequest
from ocijobs.backends.job_record import JobRecord
from ocijobs.backends.records import (
    Absent,
    JobState,
    Refusal,
    RunRecord,
    RunState,
)
from ocijobs.backends.requests import JobChange, JobCreation, RunCreation, expect
from ocijobs.cloud.calls import Calls
from ocijobs.cloud.clients import Principal, Service
from ocijobs.cloud.data_science_models import (
    create_job_details,
    create_job_run_details,
    job_record,
    run_record,
    update_job_details,
)
from ocijobs.cloud.rate import Lane
from ocijobs.cloud.service_calls import OLDEST_FIRST, ServiceCalls, first, is_unclear
from ocijobs.reconcile.polling import PAGE_SIZE

_LIVING = frozenset({JobState.CREATING, JobState.ACTIVE})


class DataScience:
    """The infrastructure `dataScienceJob`."""

    def __init__(self, calls: Calls) -> None:
        self._service = ServiceCalls(calls, Service.DATA_SCIENCE)

    async def create_job(
        self, principal: Principal, request: JobCreation, token: str
    ) -> JobRecord | Refusal:
        """Create a job (CreateJob)."""
        details = create_job_details(expect(request, JobRequest))
        return await self._service.write(
            principal,
            "CreateJob",
            lambda client: job_record(client.create_job(details, opc_retry_token=token).data),
        )

    async def search_jobs(
        self, principal: Principal, compartment_id: str, project_id: str | None, owner: str
    ) -> JobRecord | Refusal | None:
        """Return the oldest job with the owner tag (ListJobs, all pages: it has no filter for tags)."""
        found = await self._service.pages(
            principal,
            "ListJobs",
            lambda client, page: client.list_jobs(
                compartment_id, project_id=project_id, limit=PAGE_SIZE, **OLDEST_FIRST, **page
            ),
            job_record,
        )
        return first(found, lambda each: each.owner == owner and each.state in _LIVING)

    async def look_up_job(
        self, principal: Principal, compartment_id: str, job_id: str
    ) -> JobRecord | Absent | Refusal:
        """Return a job (GetJob; ListJobs by id after a 404)."""
        answer = await self._service.read(
            principal,
            "GetJob",
            lambda client: job_record(client.get_job(job_id).data, complete=True),
        )
        if not is_unclear(answer):
            return answer
        found = await self._service.pages(
            principal,
            "ListJobs",
            lambda client, page: client.list_jobs(compartment_id, id=job_id, **page),
            job_record,
        )
        return first(found, lambda each: each.id == job_id) or Absent()

    async def upload_artifact(
        self, principal: Principal, job_id: str, artifact: Artifact, content: BinaryIO
    ) -> Refusal | None:
        """Upload the artifact unless there is one (HeadJobArtifact, CreateJobArtifact: it can be uploaded once)."""
        head = await self._service.read(
            principal, "HeadJobArtifact", lambda client: client.head_job_artifact(job_id).status
        )
        if not isinstance(head, Refusal):
            return None
        if not is_unclear(head):
            return head
        disposition = f"attachment; filename={artifact.name}"
        return await self._service.done(
            principal,
            "CreateJobArtifact",
            lambda client: client.create_job_artifact(
                job_id, content, content_disposition=disposition
            ),
        )

    async def update_job(
        self, principal: Principal, job_id: str, settings: JobChange
    ) -> Refusal | None:
        """Send the settings (UpdateJob)."""
        details = update_job_details(expect(settings, JobSettings))
        return await self._service.done(
            principal, "UpdateJob", lambda client: client.update_job(job_id, details)
        )

    async def count_active_runs(
        self, principal: Principal, compartment_id: str, job_id: str
    ) -> int | Refusal:
        """Return how many runs of a job are active (ListJobRuns by job, all pages)."""
        found = await self._list_runs(principal, compartment_id, Lane.WORK, job_id=job_id)
        return found if isinstance(found, Refusal) else sum(run.state.active for run in found)

    async def delete_job(self, principal: Principal, job_id: str) -> Refusal | None:
        """Delete a job (DeleteJob, without its runs' records)."""
        return await self._service.ended(
            principal,
            "DeleteJob",
            lambda client: client.delete_job(job_id, delete_related_job_runs=False),
        )

    async def create_run(
        self, principal: Principal, request: RunCreation, token: str
    ) -> RunRecord | Refusal:
        """Create a run (CreateJobRun)."""
        details = create_job_run_details(expect(request, RunRequest))
        return await self._service.write(
            principal,
            "CreateJobRun",
            lambda client: run_record(
                client.create_job_run(details, opc_retry_token=token).data, complete=True
            ),
        )

    async def search_runs(
        self, principal: Principal, compartment_id: str, job_id: str, owner: str
    ) -> RunRecord | Refusal | None:
        """Return the oldest run of the job with the owner tag (ListJobRuns by job, all pages)."""
        found = await self._list_runs(principal, compartment_id, Lane.WORK, job_id=job_id)
        return first(found, lambda run: run.owner == owner and run.job_id == job_id)

    async def look_up_run(
        self, principal: Principal, compartment_id: str, run_id: str
    ) -> RunRecord | Absent | Refusal:
        """Return a run (GetJobRun; ListJobRuns by id after a 404)."""
        answer = await self._service.read(
            principal,
            "GetJobRun",
            lambda client: run_record(client.get_job_run(run_id).data, complete=True),
        )
        if not is_unclear(answer):
            return answer
        found = await self._list_runs(principal, compartment_id, Lane.WORK, id=run_id)
        return first(found, lambda run: run.id == run_id) or Absent()

    async def cancel_run(self, principal: Principal, run_id: str) -> Refusal | None:
        """Cancel a run (CancelJobRun)."""
        return await self._service.ended(
            principal, "CancelJobRun", lambda client: client.cancel_job_run(run_id)
        )

    async def delete_run(self, principal: Principal, run_id: str) -> Refusal | None:
        """Delete the record of a run (DeleteJobRun)."""
        return await self._service.ended(
            principal, "DeleteJobRun", lambda client: client.delete_job_run(run_id)
        )

    async def list_runs(
        self,
        principal: Principal,
        compartment_id: str,
        *,
        state: RunState | None = None,
        job_id: str | None = None,
        run_id: str | None = None,
    ) -> tuple[RunRecord, ...] | Refusal:
        """Return all runs that match the filters (ListJobRuns, all pages)."""
        filters = {"lifecycle_state": state, "job_id": job_id, "id": run_id}
        given = {name: str(value) for name, value in filters.items() if value is not None}
        return await self._list_runs(principal, compartment_id, Lane.POLL, **given)

    async def _list_runs(
        self, principal: Principal, compartment_id: str, lane: Lane, **filters: str
    ) -> tuple[RunRecord, ...] | Refusal:
        return await self._service.pages(
            principal,
            "ListJobRuns",
            lambda client, page: client.list_job_runs(
                compartment_id, limit=PAGE_SIZE, **OLDEST_FIRST, **filters, **page
            ),
            partial(run_record, complete=False),
            lane=lane,
        )
