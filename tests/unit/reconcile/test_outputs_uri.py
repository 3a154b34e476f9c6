"""Where outputs go: the address is worked out twice, by the run's driver and here, and must be the same."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.unit.reconcile.simulation.run_circumstances import Circumstances
from tests.unit.reconcile.simulation.run_scenario import RunScenario

from ocijobs.api.job.spec import Outputs
from ocijobs.api.run.status import OCIJobRunStatus
from ocijobs.api.shared.conditions import ConditionType, find


def _launched(uri: str, *, secret: bool = False) -> OCIJobRunStatus:
    """Return the status of a run some seconds after its creation."""
    scenario = RunScenario(Circumstances(secret=secret, outputs=True))
    job = scenario.world.job
    assert job is not None
    spec = job.spec.model_copy(update={"outputs": Outputs(uri=uri)})
    scenario.world.job = job.model_copy(update={"spec": spec})
    scenario.live(timedelta(seconds=5).total_seconds())
    return scenario.world.api.present.status


@pytest.mark.parametrize(
    ("uri", "bound"),
    [
        ("oci://b@n/p", "oci://b@n/p"),
        ("oci://b@n/$(PLAIN)", "oci://b@n/x"),
        ("oci://b@n/$(JOB_RUN_OCID)", "oci://b@n/$(JOB_RUN_OCID)"),
    ],
)
def test_variables_of_the_run_are_filled_in(uri: str, bound: str) -> None:
    binding = _launched(uri).binding
    assert binding is not None
    assert binding.outputs_uri == bound


def test_what_oci_sets_itself_is_known() -> None:
    status = _launched("oci://b@n/$(PROJECT_OCID)/$(JOB_OCID)")
    assert status.binding is not None
    assert status.binding.outputs_uri is not None
    assert status.binding.outputs_uri.startswith("oci://b@n/ocid1.datascienceproject")
    assert status.binding.outputs_uri.endswith(f"/{status.job_id}")


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("oci://b@n/$(NOWHERE)", "OCIJob job: NOWHERE: no variable of the run"),
        ("oci://b@n/$(TOKEN)", "OCIJob job: it would show a value of a Secret"),
    ],
)
def test_an_address_that_can_not_be_told_ends_the_run(uri: str, message: str) -> None:
    status = _launched(uri, secret=True)
    failed = find(status.conditions, ConditionType.FAILED)
    assert failed is not None
    assert (failed.reason, status.phase) == ("InvalidSpec", "Failed")
    assert message in failed.message
    assert "hunter" not in failed.message
