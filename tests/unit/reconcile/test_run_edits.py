"""What edits do to a run that has ended."""

from __future__ import annotations

import pytest

from ocijobs.api.run.phase import Phase
from ocijobs.api.shared.conditions import ConditionStatus, ConditionType, find
from ocijobs.reconcile.run.decide import decide_run
from ocijobs.reconcile.run.intent import drop
from ocijobs.testing import SETTLED, make_metadata, make_run, make_run_observation


def test_a_cancellation_after_the_end_changes_nothing_but_the_generation_that_was_seen() -> None:
    waiting = make_run_observation(run=make_run(cancel=True))
    ended = drop(waiting, SETTLED).status
    edited = make_run(metadata=make_metadata("run", generation=2), status=ended, cancel=True)
    seen = decide_run(make_run_observation(run=edited), SETTLED).status
    assert seen.phase is Phase.CANCELLED
    assert seen.observed_generation == 2
    assert {one.observed_generation for one in seen.conditions} == {2}
    as_before = {"observed_generation": 1, "conditions": ended.conditions}
    assert seen.model_copy(update=as_before) == ended


@pytest.mark.parametrize("left", ["nothing", "Failed", "Ready, edited"])
def test_conditions_that_somebody_took_from_a_run_that_has_ended_come_back(left: str) -> None:
    ended = drop(make_run_observation(run=make_run(cancel=True)), SETTLED).status
    ready = find(ended.conditions, ConditionType.READY)
    failed = find(ended.conditions, ConditionType.FAILED)
    assert ready is not None
    assert failed is not None
    edited = {
        "nothing": (),
        "Failed": (failed,),
        "Ready, edited": (
            *(one for one in ended.conditions if one is not ready),
            ready.model_copy(update={"status": ConditionStatus.TRUE, "reason": "Mine"}),
        ),
    }[left]
    run = make_run(status=ended.changed(conditions=edited), cancel=True)
    told = decide_run(make_run_observation(run=run), SETTLED).status
    assert {(c.type, c.status, c.reason) for c in told.conditions} == {
        (c.type, c.status, c.reason) for c in ended.conditions
    }
    if left != "nothing":
        assert {c.message for c in told.conditions} == {failed.message}
    again = make_run(status=told, cancel=True)
    assert decide_run(make_run_observation(run=again), SETTLED).status == told
