"""OCI Data Flow: each run has a Spark of its own, a driver and executors."""

from __future__ import annotations

from ocijobs.api.shared.backend import Backend
from ocijobs.backends.records import RunState
from ocijobs.backends.traits import BackendTraits

DATA_FLOW = BackendTraits(
    name=Backend.DATA_FLOW,
    title="Data Flow",
    job_type="dataflowapplication",
    run_type="dataflowrun",
    job_page="data-flow/apps/details",
    run_page="data-flow/runs/details",
    run_states=(
        RunState.ACCEPTED,
        RunState.IN_PROGRESS,
        RunState.CANCELING,
        RunState.STOPPING,
        RunState.SUCCEEDED,
        RunState.FAILED,
        RunState.CANCELED,
        RunState.STOPPED,
    ),
    ended_well="the run has ended well",
    code_in_bucket=True,
    keeps_logs=True,
)
"""The page of a run is the one that ADS links to; that of an application is named like it."""
