"""When a refused call is made again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocijobs.reconcile.pacing import LONG_PAUSE_SECONDS, due_at
from ocijobs.reconcile.remote import Call, Refusal, RefusalKind
from ocijobs.testing import DEFAULT_SETTINGS, START

OTHERS_MEND = (
    RefusalKind.CREDENTIALS,
    RefusalKind.NOT_AUTHORIZED_OR_NOT_FOUND,
    RefusalKind.QUOTA,
    RefusalKind.INVALID,
)


def pause(kind: RefusalKind, tries: int = 1, seed: str = "uid") -> float:
    """Return the seconds until the next try."""
    call = Call(at=START, tries=tries, refusal=Refusal(kind=kind, message="no"), epoch="1")
    due = due_at(call, epoch="1", seed=seed, settings=DEFAULT_SETTINGS)
    assert due is not None
    return (due - START).total_seconds()


@given(st.sampled_from(RefusalKind), st.integers(1, 500), st.text(min_size=1))
def test_every_pause_has_bounds_and_is_always_the_same(
    kind: RefusalKind, tries: int, seed: str
) -> None:
    seconds = pause(kind, tries, seed)
    if kind in OTHERS_MEND:
        least = DEFAULT_SETTINGS.refusal_retry_min_seconds
        most = DEFAULT_SETTINGS.refusal_retry_max_seconds
        assert least <= seconds <= most
    else:
        assert 0.5 <= seconds <= LONG_PAUSE_SECONDS
    assert pause(kind, tries, seed) == seconds


@given(st.text(min_size=1), st.integers(1, 5))
def test_what_passes_by_itself_is_tried_later_and_later(seed: str, tries: int) -> None:
    """Each pause is between half of its ceiling and the ceiling, which doubles."""
    ceiling = 2.0**tries
    assert ceiling / 2 <= pause(RefusalKind.UNAVAILABLE, tries, seed) <= ceiling


def test_objects_that_were_refused_together_do_not_come_back_together() -> None:
    pauses = {round(pause(RefusalKind.THROTTLED, 5, f"uid-{n}")) for n in range(200)}
    assert len(pauses) > 10


@pytest.mark.parametrize("call", [None, Call(at=START, tries=0, refusal=None, epoch="1")])
def test_what_was_not_refused_holds_nothing_back(call: Call | None) -> None:
    assert due_at(call, epoch="1", seed="uid", settings=DEFAULT_SETTINGS) is None


def test_other_circumstances_make_a_call_worth_making_at_once() -> None:
    refusal = Refusal(kind=RefusalKind.CREDENTIALS, message="401")
    call = Call(at=START + timedelta(days=1), tries=9, refusal=refusal, epoch="1/old-key")
    assert due_at(call, epoch="1/new-key", seed="uid", settings=DEFAULT_SETTINGS) is None
