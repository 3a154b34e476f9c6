"""Applications and runs of OCI Data Flow (API version 20200129).

Its lists accept one filter besides the compartment, and no id. So only the whole list of the compartment proves that
something does not exist. No document says whether sorting counts as a filter, so lists are requested in their default
order, the newest first, and reversed here. https://docs.oracle.com/iaas/api/#/en/data-flow/20200129/RunSummary/ListRuns
"""

from __future__ import annotations

from functools import partial
from typing import BinaryIO

from ocijobs.api.job.status import Artifact
from ocijobs.backends.data_flow.requests import (
    ApplicationRequest,
    ApplicationRunRequest,
    ApplicationSettings,
)
from ocijobs.backends.job_record import JobRecord
from ocijobs.backends.records import Absent, JobState, Refusal, RefusalKind, RunRecord, RunState
from ocijobs.backends.requests import JobChange, JobCreation, RunCreation, expect
from ocijobs.cloud.calls import Calls
from ocijobs.cloud.clients import Principal, Service
from ocijobs.cloud.code_storage import CodeStorage
from ocijobs.cloud.data_flow_models import (
    application_record,
    application_run_record,
    create_application_details,
    create_run_details,
    update_application_details,
)
from ocijobs.cloud.rate import Lane
from ocijobs.cloud.service_calls import ServiceCalls, first, is_unclear
from ocijobs.reconcile.polling import PAGE_SIZE

_LIVING = frozenset({JobState.ACTIVE, JobState.INACTIVE})


class DataFlow:
    """The infrastructure `dataFlow`: a job is an application, and its code is in Object Storage."""

    def __init__(self, calls: Calls, code: CodeStorage) -> None:
        self._service = ServiceCalls(calls, Service.DATA_FLOW)
        self._code = code

    async def create_job(
        self, principal: Principal, request: JobCreation, token: str
    ) -> JobRecord | Refusal:
        """Create an application (CreateApplication)."""
        details = create_application_details(expect(request, ApplicationRequest))
        return await self._service.write(
            principal,
            "CreateApplication",
            lambda client: application_record(
                client.create_application(details, opc_retry_token=token).data
            ),
        )

    async def search_jobs(
        self, principal: Principal, compartment_id: str, project_id: str | None, owner: str
    ) -> JobRecord | Refusal | None:
        """Return the oldest application with the owner tag (ListApplications, all pages); there are no projects."""
        del project_id
        found = await self._applications(principal, compartment_id)
        return first(found, lambda each: each.owner == owner and each.state in _LIVING)

    async def look_up_job(
        self, principal: Principal, compartment_id: str, job_id: str
    ) -> JobRecord | Absent | Refusal:
        """Return an application (GetApplication; the compartment's whole list after a 404)."""
        answer = await self._service.read(
            principal,
            "GetApplication",
            lambda client: application_record(client.get_application(job_id).data, complete=True),
        )
        if not is_unclear(answer):
            return answer
        found = await self._applications(principal, compartment_id)
        return first(found, lambda each: each.id == job_id) or Absent()

    async def upload_artifact(
        self, principal: Principal, job_id: str, artifact: Artifact, content: BinaryIO
    ) -> Refusal | None:
        """Put the code where the artifact says; objects that exist already stay."""
        del job_id
        return await self._code.upload(principal, artifact, content)

    async def update_job(
        self, principal: Principal, job_id: str, settings: JobChange
    ) -> Refusal | None:
        """Send the settings (UpdateApplication)."""
        details = update_application_details(expect(settings, ApplicationSettings))
        return await self._service.done(
            principal,
            "UpdateApplication",
            lambda client: client.update_application(details, job_id),
        )

    async def count_active_runs(
        self, principal: Principal, compartment_id: str, job_id: str
    ) -> int | Refusal:
        """Return how many runs of an application are active (ListRuns by application, all pages)."""
        found = await self._runs(principal, compartment_id, application_id=job_id)
        return found if isinstance(found, Refusal) else sum(run.state.active for run in found)

    async def delete_job(self, principal: Principal, job_id: str) -> Refusal | None:
        """Delete an application (DeleteApplication); records of its runs stay."""
        return await self._service.ended(
            principal, "DeleteApplication", lambda client: client.delete_application(job_id)
        )

    async def create_run(
        self, principal: Principal, request: RunCreation, token: str
    ) -> RunRecord | Refusal:
        """Create a run (CreateRun)."""
        details = create_run_details(expect(request, ApplicationRunRequest))
        return await self._service.write(
            principal,
            "CreateRun",
            lambda client: application_run_record(
                client.create_run(details, opc_retry_token=token).data, complete=True
            ),
        )

    async def search_runs(
        self, principal: Principal, compartment_id: str, job_id: str, owner: str
    ) -> RunRecord | Refusal | None:
        """Return the oldest run of the application with the owner tag (ListRuns by application, all pages)."""
        found = await self._runs(principal, compartment_id, application_id=job_id)
        return first(found, lambda run: run.owner == owner and run.job_id == job_id)

    async def look_up_run(
        self, principal: Principal, compartment_id: str, run_id: str
    ) -> RunRecord | Absent | Refusal:
        """Return a run (GetRun; the compartment's whole list after a 404, since the application is unknown)."""
        answer = await self._run(principal, run_id, Lane.WORK)
        if not is_unclear(answer):
            return answer
        found = await self._runs(principal, compartment_id)
        return first(found, lambda run: run.id == run_id) or Absent()

    async def cancel_run(self, principal: Principal, run_id: str) -> Refusal | None:
        """Cancel a run (DeleteRun, which cancels a run that has not ended, and deletes nothing)."""
        return await self._service.ended(
            principal, "DeleteRun", lambda client: client.delete_run(run_id)
        )

    async def delete_run(self, principal: Principal, run_id: str) -> Refusal | None:
        """Refuse: Data Flow keeps the records of runs, and its DeleteRun is for cancelling."""
        del principal, run_id
        return Refusal(kind=RefusalKind.INVALID, message="Data Flow deletes no record of a run")

    async def list_runs(
        self,
        principal: Principal,
        compartment_id: str,
        *,
        state: RunState | None = None,
        job_id: str | None = None,
        run_id: str | None = None,
    ) -> tuple[RunRecord, ...] | Refusal:
        """Return all runs that match the one filter (ListRuns, all pages; GetRun for an id).

        Raises:
            ValueError: if there is not exactly one filter.
        """
        filters = {"lifecycle_state": state, "application_id": job_id, "id": run_id}
        given = {name: str(value) for name, value in filters.items() if value is not None}
        if len(given) != 1:
            raise ValueError(f"lists of Data Flow take one filter, not {len(given)}")
        if run_id is None:
            return await self._runs(principal, compartment_id, Lane.POLL, **given)
        answer = await self._run(principal, run_id, Lane.POLL)
        if isinstance(answer, Refusal):
            return () if is_unclear(answer) else answer
        return (answer,)

    async def _applications(
        self, principal: Principal, compartment_id: str
    ) -> tuple[JobRecord, ...] | Refusal:
        found = await self._service.pages(
            principal,
            "ListApplications",
            lambda client, page: client.list_applications(compartment_id, limit=PAGE_SIZE, **page),
            application_record,
        )
        return found if isinstance(found, Refusal) else found[::-1]

    async def _run(self, principal: Principal, run_id: str, lane: Lane) -> RunRecord | Refusal:
        return await self._service.read(
            principal,
            "GetRun",
            lambda client: application_run_record(client.get_run(run_id).data, complete=True),
            lane=lane,
        )

    async def _runs(
        self, principal: Principal, compartment_id: str, lane: Lane = Lane.WORK, **one_filter: str
    ) -> tuple[RunRecord, ...] | Refusal:
        found = await self._service.pages(
            principal,
            "ListRuns",
            lambda client, page: client.list_runs(
                compartment_id, limit=PAGE_SIZE, **one_filter, **page
            ),
            partial(application_run_record, complete=False),
            lane=lane,
        )
        return found if isinstance(found, Refusal) else found[::-1]
