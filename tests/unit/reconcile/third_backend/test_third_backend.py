"""A third service needs one value and its registration: its runs keep the laws of all runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from tests.support.batch import BATCH, SHAPE, BatchTaskRequest
from tests.unit.reconcile.simulation.commands import Live
from tests.unit.reconcile.simulation.job_history import (
    DoJob,
    JobCommand,
    Variables,
    job_circumstances,
    job_histories,
)
from tests.unit.reconcile.simulation.job_world import JobCircumstances
from tests.unit.reconcile.simulation.run_circumstances import Circumstances
from tests.unit.reconcile.simulation.run_history import (
    Command,
    Do,
    Progress,
    circumstances,
    histories,
)
from tests.unit.reconcile.third_backend.batch import batch_history
from tests.unit.reconcile.third_backend.batch_jobs import batch_job_history

from ocijobs.api.identity import IdentityDefaults
from ocijobs.api.job.status import Artifact
from ocijobs.api.run.binding import RunTemplate
from ocijobs.api.run.phase import Phase
from ocijobs.api.run.settings import RunSettings
from ocijobs.api.run.status import OCIJobRunStatus
from ocijobs.api.shared.conditions import ConditionType, find
from ocijobs.api.shared.reasons import Reason
from ocijobs.backends import registry
from ocijobs.backends.differences import all_differences
from ocijobs.backends.names import NO_NAMES
from ocijobs.backends.pod_sets import PodSet
from ocijobs.backends.records import RunState
from ocijobs.backends.requests import Tags
from ocijobs.reconcile.actions.calls import Operation
from ocijobs.reconcile.known.job import JobKnown
from ocijobs.reconcile.polling import PolledRun, plan_poll
from ocijobs.reconcile.run.decide import decide_run
from ocijobs.reconcile.run.gates import Launch
from ocijobs.reconcile.run.prelaunch import prepare
from ocijobs.testing import (
    DEFAULT_SETTINGS,
    REGION,
    SETTLED,
    make_job,
    make_job_input,
    make_job_record,
    make_metadata,
    make_ocid,
    make_ready_job,
    make_run,
    make_run_observation,
    make_run_record,
)

PLAIN = Circumstances(log=None)


@pytest.fixture(autouse=True, scope="module")
def registered() -> Iterator[None]:
    """Let there be a third service."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "BACKENDS", (BATCH, *registry.BACKENDS))
        yield


@given(circumstances(), histories())
def test_a_run_of_a_third_service_keeps_every_law_in_every_history(
    given_: Circumstances, history: list[Command]
) -> None:
    batch_history(replace(given_, log=None), history)


@given(job_circumstances(), job_histories())
def test_a_job_of_a_third_service_keeps_every_law_in_every_history(
    given_: JobCircumstances, history: list[JobCommand]
) -> None:
    batch_job_history(given_, history)


@pytest.mark.parametrize("edit", [Variables("a"), DoJob.RENAME], ids=repr)
def test_whatever_is_edited_makes_another_job(edit: JobCommand) -> None:
    world = batch_job_history(JobCircumstances(), [Live(3), DoJob.UPLOAD, edit]).world
    assert len(world.oci.jobs) == 2
    assert world.oci.calls[Operation.UPDATE] == 0


def test_what_a_task_can_not_have_is_said_before_it_is_asked_for() -> None:
    job_id = make_ocid(BATCH.job_type)
    job = make_ready_job(job_id=job_id, infrastructure={"data_science_job": {"shape_name": SHAPE}})
    run = make_run(metadata=make_metadata("run", finalizer=True), args=["--fast"])
    decision = decide_run(make_run_observation(run=run, job=job), SETTLED)
    failed = find(decision.status.conditions, ConditionType.FAILED)
    assert failed is not None
    told = "spec.args: OCIJob job runs on Batch, and a task has no arguments"
    assert (failed.reason, failed.message) == (Reason.INVALID_SPEC, told)


def test_a_job_that_was_made_elsewhere_is_run_as_it_is() -> None:
    job_id = make_ocid(BATCH.job_type, "outside")
    content = BATCH.job_request(make_job_input(), Tags(freeform={}, defined={}))
    record = make_job_record(id=job_id, content=content)
    known = JobKnown().look_up_answered(job_id, record, at=SETTLED, epoch="")
    run = make_run(metadata=make_metadata("run", finalizer=True), job_ref=None, job_id=job_id)
    launch = prepare(make_run_observation(run=run, job=None, job_known=known), SETTLED)
    assert isinstance(launch, Launch)
    assert isinstance(launch.request, BatchTaskRequest)
    assert launch.request.variables is None


def test_an_adopted_job_is_compared_by_what_the_service_says_of_it() -> None:
    tags = Tags(freeform={}, defined={})
    found = BATCH.job_request(make_job_input(), tags)
    assert all_differences(BATCH, found, found) == ()
    other = make_job(display_name="another", env=[{"name": "A", "value": "1"}])
    wanted = BATCH.job_request(make_job_input(job=other), tags)
    fields = [difference.field for difference in all_differences(BATCH, wanted, found)]
    assert fields == ["displayName", "env[A]"]


def test_a_service_lacks_what_it_does_not_say() -> None:
    content = BATCH.job_request(make_job_input(), Tags(freeform={}, defined={}))
    spec, template, settings = make_job().spec, RunTemplate(), RunSettings()
    artifact = Artifact(name="job.zip", sha256="ab" * 32, size=1)
    assert not BATCH.code_in_bucket
    assert BATCH.code_bucket(spec) is None
    assert BATCH.code_found(artifact, content) is None
    assert not BATCH.starts_the_same(content, content)
    assert BATCH.shape_names(spec) == {}
    assert list(BATCH.wanted_names(spec, IdentityDefaults(), NO_NAMES)) == []
    assert BATCH.problem(spec, region=REGION, limits=DEFAULT_SETTINGS) is None
    assert BATCH.machines_told(template, settings) == {}
    assert BATCH.pod_sets(template, settings) == (PodSet(name="main"),)
    assert not BATCH.goes_on(template)
    assert BATCH.exit_code(make_run_record()) is None


def ended(given_: Circumstances, *history: Command) -> OCIJobRunStatus:
    """Return the status of a run in the end."""
    return batch_history(given_, history).world.api.present.status


def test_a_run_succeeds() -> None:
    status = ended(PLAIN, Live(3), Progress(RunState.SUCCEEDED), Live(3))
    assert (status.phase, status.backend) == (Phase.SUCCEEDED, BATCH.name)
    assert "the task is done" in {condition.message for condition in status.conditions}


def test_a_run_that_fails_is_tried_again_and_then_has_failed() -> None:
    fails = (Live(400), Progress(RunState.FAILED), Live(3))
    status = ended(replace(PLAIN, backoff_limit=1), *fails, *fails)
    assert (status.phase, status.attempt_count, status.failed) == (Phase.FAILED, 2, 2)


def test_a_run_is_cancelled() -> None:
    status = ended(PLAIN, Live(3), Progress(RunState.IN_PROGRESS), Live(3), Do.CANCEL, Live(3))
    assert (status.phase, status.lifecycle_state) == (Phase.CANCELLED, "CANCELED")


def test_a_deleted_run_goes_with_its_record() -> None:
    ends = (Live(3), Progress(RunState.SUCCEEDED), Live(3))
    world = batch_history(replace(PLAIN, delete_record=True), [*ends, Do.DELETE, Live(3)]).world
    assert world.api.object is None
    assert [run.state for run in world.oci.runs] == [RunState.DELETED]


def test_its_lists_are_of_states_that_it_has_and_have_one_filter() -> None:
    runs = [PolledRun(run_id=f"r{n}", job_id="j", state=None) for n in range(9)]
    plan = plan_poll(runs, {}, BATCH)
    assert [query.job_id for query in plan] == ["j"]
    elsewhere = dict.fromkeys(plan, 40)
    states = [query.state for query in plan_poll(runs, elsewhere, BATCH)]
    assert states == [RunState.ACCEPTED, RunState.IN_PROGRESS]
