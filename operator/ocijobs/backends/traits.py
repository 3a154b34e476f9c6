"""What decisions depend on of a service that runs jobs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ocijobs.api.shared.backend import Backend
from ocijobs.backends.records import RunRecord, RunState


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendTraits:
    """A service that runs jobs, as decisions see it.

    What has a default is a capability, and the default is to lack it.

    Attributes:
        name: the service in `status.backend`.
        title: the service in messages for people.
        job_type: type in the OCIDs of its jobs.
        run_type: type in the OCIDs of its runs.
        job_page: path of a job's page in the console, up to its OCID.
        run_page: path of a run's page in the console, up to its OCID.
        run_states: lifecycleStates that its runs have, in the order of the lifecycle.
        ended_well: message of a run that has succeeded.
        needs_project: whether jobs and runs are in a project.
        code_in_bucket: whether code is in Object Storage, where the job names it; else it is the job's artifact.
        deletes_records: whether the record of a run that has ended can be deleted.
        filters_combine: whether one list can be of a job and of a state.
        lists_in_part: whether lists lack what a run in progress tells by itself: its log and its nodes.
        tells_start: whether a run in progress tells when its code started; else that is when it was first seen.
        keeps_logs: whether it keeps the output of its runs itself; else the output is in OCI Logging, or nowhere.
        measured: whether Monitoring has what runs use of their machines.
        exit_code: reads the exit code of a run; it is None of a run whose code none is told of.
    """

    name: Backend
    title: str
    job_type: str
    run_type: str
    job_page: str
    run_page: str
    run_states: tuple[RunState, ...]
    ended_well: str
    needs_project: bool = False
    code_in_bucket: bool = False
    deletes_records: bool = False
    filters_combine: bool = False
    lists_in_part: bool = False
    tells_start: bool = False
    keeps_logs: bool = False
    measured: bool = False
    exit_code: Callable[[RunRecord], int | None] | None = None

    @property
    def active_states(self) -> tuple[RunState, ...]:
        """States of a run that has not ended: listed in this order, a run that moves on is not missed."""
        return tuple(state for state in self.run_states if state.active)
