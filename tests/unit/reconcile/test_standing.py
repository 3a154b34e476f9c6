"""The table of conditions, as kstatus, kubectl wait and people read it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ocijobs.api.run.phase import Phase
from ocijobs.api.shared.conditions import ConditionType, find, is_true
from ocijobs.api.shared.reasons import Reason
from ocijobs.reconcile.standing import RUN_STANDINGS, TABLE, Headline, Standing, conditions
from ocijobs.testing import START

ENDED = {Phase.SUCCEEDED, Phase.FAILED, Phase.CANCELLED}


def headline(standing: Standing, message: str = "so it is") -> Headline:
    """Return what a status says of itself."""
    return Headline(standing=standing, reason=Reason.PENDING, message=message)


@pytest.mark.parametrize("standing", Standing)
def test_exactly_one_of_ready_reconciling_and_stalled_is_true(standing: Standing) -> None:
    """kstatus: Reconciling is InProgress, Stalled is Failed, and Ready alone is Current."""
    shown = conditions((), headline(standing), generation=1, now=START)
    kinds = (ConditionType.READY, ConditionType.RECONCILING, ConditionType.STALLED)
    assert sum(is_true(shown, kind) for kind in kinds) == 1


@pytest.mark.parametrize("phase", Phase)
def test_complete_and_failed_are_there_when_a_run_has_ended_and_not_before(phase: Phase) -> None:
    for standing in RUN_STANDINGS[phase]:
        shown = TABLE[standing].statuses()
        ended = {ConditionType.COMPLETE, ConditionType.FAILED} & shown.keys()
        assert bool(ended) is (phase in ENDED)
        assert (ConditionType.COMPLETE in ended) is (phase is Phase.SUCCEEDED)


def test_a_condition_keeps_its_time_while_its_status_stays() -> None:
    later = START + timedelta(minutes=5)
    first = conditions((), headline(Standing.PROGRESSING), generation=1, now=START)
    second = conditions(first, headline(Standing.STALLED), generation=2, now=later)
    times = {
        kind: condition.last_transition_time
        for kind in (ConditionType.READY, ConditionType.RECONCILING, ConditionType.STALLED)
        if (condition := find(second, kind)) is not None
    }
    assert times == {
        ConditionType.READY: START,
        ConditionType.RECONCILING: later,
        ConditionType.STALLED: later,
    }
    assert {condition.observed_generation for condition in second} == {2}


def test_a_message_is_cut_to_what_the_api_server_takes() -> None:
    shown = conditions((), headline(Standing.READY, "m" * 50_000), generation=1, now=START)
    assert all(len(condition.message) <= 32_768 for condition in shown)
