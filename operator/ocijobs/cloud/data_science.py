"""Jobs and job runs of OCI Data Science (API version 20190101)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, BinaryIO, TypeVar

from ocijobs.cloud.calls import Calls, Request
from ocijobs.cloud.clients import Principal, Service
from ocijobs.cloud.data_science_models import (
    create_job_details,
    create_job_run_details,
    job_record,
    run_record,
    update_job_details,
)
from ocijobs.cloud.rate import Lane
from ocijobs.reconcile.job_record import JobRecord
from ocijobs.reconcile.remote import (
    Absent,
    JobState,
    Refusal,
    RefusalKind,
    RunRecord,
    RunState,
)
from ocijobs.reconcile.requests import JobRequest, JobSettings, RunRequest

T = TypeVar("T")

_PAGE = 100
"""The largest page that the lists give."""

_UNCLEAR = RefusalKind.NOT_AUTHORIZED_OR_NOT_FOUND
"""OCI's 404: the resource is not there, or a permission lacks."""

_LIVING = frozenset({JobState.CREATING, JobState.ACTIVE})


_OLDEST_FIRST = {"sort_by": "timeCreated", "sort_order": "ASC"}
"""Order in which what is created while pages are read comes on the last one."""


class DataScience:
    """The infrastructure `dataScienceJob`."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def create_job(
        self, principal: Principal, request: JobRequest, token: str
    ) -> JobRecord | Refusal:
        """Create a job (CreateJob)."""
        details = create_job_details(request)
        return await self._write(
            principal,
            "CreateJob",
            lambda client: job_record(client.create_job(details, opc_retry_token=token).data),
        )

    async def search_jobs(
        self, principal: Principal, compartment_id: str, project_id: str, owner: str
    ) -> JobRecord | Refusal | None:
        """Return the oldest job with the owner tag (ListJobs, all pages: it has no filter for tags)."""
        found = await self._pages(
            principal,
            "ListJobs",
            lambda client, page: client.list_jobs(
                compartment_id, project_id=project_id, limit=_PAGE, **_OLDEST_FIRST, **page
            ),
        )
        if isinstance(found, Refusal):
            return found
        jobs = (job_record(item) for item in found)
        return next((j for j in jobs if j.owner == owner and j.state in _LIVING), None)

    async def look_up_job(
        self, principal: Principal, compartment_id: str, job_id: str
    ) -> JobRecord | Absent | Refusal:
        """Return a job (GetJob; ListJobs by id where that answers 404)."""
        answer = await self._read(
            principal,
            "GetJob",
            lambda client: job_record(client.get_job(job_id).data, complete=True),
        )
        if not isinstance(answer, Refusal) or answer.kind is not _UNCLEAR:
            return answer
        found = await self._pages(
            principal,
            "ListJobs",
            lambda client, page: client.list_jobs(compartment_id, id=job_id, **page),
        )
        if isinstance(found, Refusal):
            return found
        return job_record(found[0]) if found else Absent()

    async def upload_artifact(
        self, principal: Principal, job_id: str, name: str, content: BinaryIO
    ) -> Refusal | None:
        """Upload the artifact unless there is one (HeadJobArtifact, CreateJobArtifact: it can be uploaded once)."""
        head = await self._read(
            principal, "HeadJobArtifact", lambda client: client.head_job_artifact(job_id).status
        )
        if not isinstance(head, Refusal):
            return None
        if head.kind is not RefusalKind.NOT_AUTHORIZED_OR_NOT_FOUND:
            return head
        disposition = f"attachment; filename={name}"
        return await self._done(
            principal,
            "CreateJobArtifact",
            lambda client: client.create_job_artifact(
                job_id, content, content_disposition=disposition
            ),
        )

    async def update_job(
        self, principal: Principal, job_id: str, settings: JobSettings
    ) -> Refusal | None:
        """Send the settings (UpdateJob)."""
        details = update_job_details(settings)
        return await self._done(
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
        return await self._done(
            principal,
            "DeleteJob",
            lambda client: client.delete_job(job_id, delete_related_job_runs=False),
        )

    async def create_run(
        self, principal: Principal, request: RunRequest, token: str
    ) -> RunRecord | Refusal:
        """Create a run (CreateJobRun)."""
        details = create_job_run_details(request)
        return await self._write(
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
        if isinstance(found, Refusal):
            return found
        return next((r for r in found if r.owner == owner and r.job_id == job_id), None)

    async def look_up_run(
        self, principal: Principal, compartment_id: str, run_id: str
    ) -> RunRecord | Absent | Refusal:
        """Return a run (GetJobRun; ListJobRuns by id where that answers 404)."""
        answer = await self._read(
            principal,
            "GetJobRun",
            lambda client: run_record(client.get_job_run(run_id).data, complete=True),
        )
        if not isinstance(answer, Refusal) or answer.kind is not _UNCLEAR:
            return answer
        found = await self._list_runs(principal, compartment_id, Lane.WORK, id=run_id)
        if isinstance(found, Refusal):
            return found
        return found[0] if found else Absent()

    async def cancel_run(self, principal: Principal, run_id: str) -> Refusal | None:
        """Cancel a run (CancelJobRun)."""
        return await self._done(
            principal, "CancelJobRun", lambda client: client.cancel_job_run(run_id)
        )

    async def delete_run(self, principal: Principal, run_id: str) -> Refusal | None:
        """Delete the record of a run (DeleteJobRun)."""
        return await self._done(
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
        """Return all runs that the filters leave (ListJobRuns, all pages)."""
        filters = {"lifecycle_state": state, "job_id": job_id, "id": run_id}
        given = {name: str(value) for name, value in filters.items() if value is not None}
        return await self._list_runs(principal, compartment_id, Lane.POLL, **given)

    async def _list_runs(
        self, principal: Principal, compartment_id: str, lane: Lane, **filters: str
    ) -> tuple[RunRecord, ...] | Refusal:
        found = await self._pages(
            principal,
            "ListJobRuns",
            lambda client, page: client.list_job_runs(
                compartment_id, limit=_PAGE, **_OLDEST_FIRST, **filters, **page
            ),
            lane=lane,
        )
        return (
            found
            if isinstance(found, Refusal)
            else tuple(run_record(item, complete=False) for item in found)
        )

    async def _pages(
        self,
        principal: Principal,
        operation: str,
        fetch: Callable[[Any, dict[str, str]], Any],
        *,
        lane: Lane = Lane.WORK,
    ) -> list[Any] | Refusal:
        """Return the items of all pages, or why one of them was refused: half a list is none."""
        items: list[Any] = []
        page: dict[str, str] = {}
        while True:
            fetched = await self._read(
                principal, operation, partial(_fetch, fetch, page), lane=lane
            )
            if isinstance(fetched, Refusal):
                return fetched
            items.extend(fetched.data)
            if not fetched.next_page:
                return items
            page = {"page": fetched.next_page}

    async def _read(
        self,
        principal: Principal,
        operation: str,
        send: Callable[[Any], T],
        *,
        lane: Lane = Lane.WORK,
    ) -> T | Refusal:
        request = Request(
            principal=principal, service=Service.DATA_SCIENCE, operation=operation, lane=lane
        )
        return await self._calls.call(request, send)

    async def _write(
        self, principal: Principal, operation: str, send: Callable[[Any], T]
    ) -> T | Refusal:
        request = Request(
            principal=principal, service=Service.DATA_SCIENCE, operation=operation, write=True
        )
        return await self._calls.call(request, send)

    async def _done(
        self, principal: Principal, operation: str, send: Callable[[Any], Any]
    ) -> Refusal | None:
        answer = await self._write(principal, operation, send)
        return answer if isinstance(answer, Refusal) else None


def _fetch(fetch: Callable[[Any, dict[str, str]], Any], page: dict[str, str], client: Any) -> Any:
    return fetch(client, page)
