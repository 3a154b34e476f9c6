"""Ends what an object that was let go has left in OCI, for the command line."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass

from ocijobs.api.orphan import Orphan, UnknownLaunch
from ocijobs.backends.job_record import JobRecord
from ocijobs.backends.records import Absent, JobState, Refusal, RefusalKind, RunRecord, RunState
from ocijobs.backends.registry import UnknownBackendError, backend_of
from ocijobs.cloud.clients import Principal
from ocijobs.cloud.job_service import JobService

_GONE = frozenset({JobState.DELETED, JobState.DELETING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What could not be ended, and what stays for good, as messages."""

    unended: tuple[str, ...]
    stays: tuple[str, ...]


class Leftover:
    """Cancels and deletes. Each call is safe to repeat, and a resource that can't be seen does not count as gone."""

    def __init__(
        self,
        services: Mapping[str, JobService],
        principal: Principal,
        orphan: Orphan,
    ) -> None:
        self._services, self._principal, self._orphan = services, principal, orphan
        self._stays: list[str] = []

    async def end(self) -> Ended:
        """End all that is left, and return what could not be ended, and what stays."""
        left = self._orphan.left
        answers = [
            *[(f"run {run_id}", await _told(self._cancel(run_id))) for run_id in left.run_ids],
            *[(each.owner, await _told(self._end_unknown(each))) for each in left.unknown],
            *[
                (f"record of run {run_id}", await _told(self._forget(run_id)))
                for run_id in left.record_ids
            ],
            *[(f"job {job_id}", await _told(self._delete(job_id))) for job_id in left.job_ids],
        ]
        unended = (f"{what}: {refusal.message}" for what, refusal in answers if refusal is not None)
        code = (f"{uri}: another job may have the same code" for uri in left.code_uris)
        return Ended(unended=tuple(unended), stays=(*self._stays, *code))

    @property
    def _compartment(self) -> str:
        return self._orphan.compartment_id or ""

    async def _cancel(self, run_id: str) -> Refusal | None:
        """Make a run end; None if it is ending, or has ended."""
        oci = self._services[backend_of(run_id).name]
        refusal = await oci.cancel_run(self._principal, run_id)
        if refusal is None:
            return None
        found = await oci.look_up_run(self._principal, self._compartment, run_id)
        return None if _ended(found) else refusal

    async def _forget(self, run_id: str) -> Refusal | None:
        """Delete the record of a run; None if it is gone, or stays because its service deletes none."""
        backend = backend_of(run_id)
        if not backend.deletes_records:
            self._stays.append(f"record of run {run_id}: {backend.title} deletes none")
            return None
        oci = self._services[backend.name]
        refusal = await oci.delete_run(self._principal, run_id)
        if refusal is None:
            return None
        found = await oci.look_up_run(self._principal, self._compartment, run_id)
        gone = isinstance(found, RunRecord) and found.state is RunState.DELETED
        return None if gone or isinstance(found, Absent) else refusal

    async def _delete(self, job_id: str) -> Refusal | None:
        """Delete an OCI job; None if OCI has begun, or it is gone."""
        oci = self._services[backend_of(job_id).name]
        refusal = await oci.delete_job(self._principal, job_id)
        if refusal is None:
            return None
        found = await oci.look_up_job(self._principal, self._compartment, job_id)
        if isinstance(found, Absent) or (isinstance(found, JobRecord) and found.state in _GONE):
            return None
        if refusal.kind is RefusalKind.CONFLICT:
            active = await oci.count_active_runs(self._principal, self._compartment, job_id)
            if active == 0:
                # As with a job that is deleted: OCI may refuse while records of its runs remain.
                self._stays.append(f"job {job_id}: {refusal.message}")
                return None
        return refusal

    async def _end_unknown(self, unknown: UnknownLaunch) -> Refusal | None:
        """End what a creation with an unknown outcome has made; None if it made nothing, or OCI has begun."""
        if unknown.job_id is not None:
            oci = self._services[backend_of(unknown.job_id).name]
            run = await oci.search_runs(
                self._principal, self._compartment, unknown.job_id, unknown.owner
            )
            if isinstance(run, RunRecord):
                return None if run.state.ended else await self._cancel(run.id)
            return run
        for oci in self._services.values():
            job = await oci.search_jobs(
                self._principal, self._compartment, self._orphan.project_id, unknown.owner
            )
            if isinstance(job, Refusal):
                return job
            if job is not None:
                return await self._delete(job.id)
        return None


async def _told(answer: Awaitable[Refusal | None]) -> Refusal | None:
    """Return an answer; if no known service has the OCID, a message that says so."""
    try:
        return await answer
    except UnknownBackendError as error:
        return Refusal(kind=RefusalKind.INVALID, message=str(error))


def _ended(found: RunRecord | Absent | Refusal) -> bool:
    """Whether a run has ended, or is about to end."""
    if isinstance(found, Absent):
        return True
    return isinstance(found, RunRecord) and (
        found.state.ended
        or found.state in {RunState.DELETED, RunState.CANCELING, RunState.STOPPING}
    )
