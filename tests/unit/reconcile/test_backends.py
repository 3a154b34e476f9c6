"""The services that run jobs: each has one value, an OCID tells which, and none is taken for another."""

from __future__ import annotations

from itertools import chain
from typing import Any

import pytest
from oci.data_flow.models import Run
from oci.data_science.models import JobRun

from ocijobs.api.run.phase import Phase
from ocijobs.api.shared.backend import BackendName
from ocijobs.api.shared.conditions import ConditionType, find
from ocijobs.api.shared.reasons import Reason
from ocijobs.backends.backend import Backend
from ocijobs.backends.data_flow.backend import DATA_FLOW
from ocijobs.backends.data_science.backend import DATA_SCIENCE
from ocijobs.backends.records import ACTIVE_RUN_STATES, RunState
from ocijobs.backends.registry import (
    BACKENDS,
    UnknownBackendError,
    backend_for,
    backend_of,
)
from ocijobs.reconcile.job.decide import decide_job
from ocijobs.reconcile.run.decide import decide_run
from ocijobs.testing import (
    SETTLED,
    make_job,
    make_job_observation,
    make_metadata,
    make_ocid,
    make_run,
    make_run_observation,
    make_spark_job,
)

PIPELINE = make_ocid("datasciencepipeline")
"""OCID of what begins like a service that is known, and is of another one."""

TOLD = (
    "OCIDs of type datasciencepipeline are of no jobs or runs; those have the type datasciencejob or "
    "datasciencejobrun (Data Science), dataflowapplication or dataflowrun (Data Flow)"
)


def test_every_backend_has_one_value() -> None:
    assert [backend.name for backend in BACKENDS] == list(BackendName)


def test_the_backend_follows_from_the_infrastructure() -> None:
    jobs = {DATA_SCIENCE: make_job(), DATA_FLOW: make_spark_job()}
    for backend, job in jobs.items():
        assert backend_for(job.spec.infrastructure) is backend
        assert [b for b in BACKENDS if b.is_meant_by(job.spec.infrastructure)] == [backend]


def test_an_ocid_tells_its_service() -> None:
    types = list(chain.from_iterable((b.job_type, b.run_type) for b in BACKENDS))
    assert len(set(types)) == len(types)
    found = {kind: backend_of(make_ocid(kind)).name for kind in types}
    assert found == {
        "datasciencejob": BackendName.DATA_SCIENCE,
        "datasciencejobrun": BackendName.DATA_SCIENCE,
        "dataflowapplication": BackendName.DATA_FLOW,
        "dataflowrun": BackendName.DATA_FLOW,
    }


@pytest.mark.parametrize("ocid", [PIPELINE, make_ocid("datasciencejo"), "ocid1", ""])
def test_an_ocid_of_another_service_is_of_none(ocid: str) -> None:
    with pytest.raises(UnknownBackendError, match=r"^OCIDs of type \w* are of no jobs or runs; "):
        backend_of(ocid)


@pytest.mark.parametrize(
    ("backend", "model"), [(DATA_SCIENCE, JobRun), (DATA_FLOW, Run)], ids=["science", "flow"]
)
def test_the_states_of_a_service_are_those_of_its_api(
    backend: Backend, model: type[object]
) -> None:
    told = {value for name, value in vars(model).items() if name.startswith("LIFECYCLE_STATE_")}
    assert set(backend.run_states) == told
    ranks = [state.rank for state in backend.run_states]
    assert ranks == sorted(ranks)
    assert list(backend.active_states) == [s for s in ACTIVE_RUN_STATES if s in told]


def test_every_state_is_of_some_service() -> None:
    states = set(chain.from_iterable(backend.run_states for backend in BACKENDS))
    assert states == set(RunState) - {RunState.UNKNOWN}


@pytest.mark.parametrize(
    ("field", "spec"),
    [
        ("spec.jobId", {"job_ref": None, "job_id": PIPELINE}),
        ("spec.adopt.jobRunId", {"adopt": {"job_run_id": PIPELINE}}),
    ],
)
def test_a_run_of_a_service_that_is_not_known_is_refused_by_name(
    field: str, spec: dict[str, Any]
) -> None:
    observed = make_run_observation(run=make_run(**spec), job=None)
    decision = decide_run(observed, SETTLED)
    assert (decision.status.phase, decision.actions) == (Phase.FAILED, ())
    failed = find(decision.status.conditions, ConditionType.FAILED)
    assert failed is not None
    assert (failed.reason, failed.message) == (Reason.INVALID_SPEC, f"{field}: {TOLD}")


def test_a_run_of_a_service_that_is_not_known_can_be_given_up() -> None:
    cancelled = make_run(job_ref=None, job_id=PIPELINE, cancel=True)
    decision = decide_run(make_run_observation(run=cancelled, job=None), SETTLED)
    assert decision.status.phase is Phase.CANCELLED


def test_a_job_of_a_service_that_is_not_known_is_not_adopted() -> None:
    job = make_job(metadata=make_metadata("job", finalizer=True), adopt={"ocid": PIPELINE})
    decision = decide_job(make_job_observation(job=job), SETTLED)
    ready = find(decision.status.conditions, ConditionType.READY)
    assert ready is not None
    assert (ready.reason, ready.message) == (Reason.INVALID_SPEC, f"spec.adopt.ocid: {TOLD}")
    assert decision.actions == ()
