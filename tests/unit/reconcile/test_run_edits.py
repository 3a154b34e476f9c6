"""What edits do to a run that has ended."""

from __future__ import annotations

from ocijobs.api.run.phase import Phase
from ocijobs.reconcile.run.decide import decide_run
from ocijobs.reconcile.run.gate import drop
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
