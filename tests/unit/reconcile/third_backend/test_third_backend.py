"""A third service needs one value and its registration: its runs keep the laws of all runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from tests.support.batch import BATCH
from tests.unit.reconcile.simulation.commands import Live
from tests.unit.reconcile.simulation.run_circumstances import Circumstances
from tests.unit.reconcile.simulation.run_history import (
    Command,
    Do,
    Progress,
    circumstances,
    histories,
)
from tests.unit.reconcile.third_backend.batch import batch_history

from ocijobs.api.run.phase import Phase
from ocijobs.api.run.status import OCIJobRunStatus
from ocijobs.backends import registry
from ocijobs.backends.records import RunState
from ocijobs.reconcile.polling import PolledRun, plan_poll

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
