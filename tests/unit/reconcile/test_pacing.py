"""When a refused call is made again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocijobs.backends.records import Refusal, RefusalKind
from ocijobs.reconcile.actions.calls import Call, Operation
from ocijobs.reconcile.backoff import LONG_PAUSE_SECONDS, due_at
from ocijobs.reconcile.known.job import JobKnown
from ocijobs.reconcile.known.run import RunKnown
from ocijobs.reconcile.run.decide import decide_run
from ocijobs.reconcile.run.observation import RunObservation
from ocijobs.testing import (
    DEFAULT_SETTINGS,
    SETTLED,
    START,
    make_metadata,
    make_ocid,
    make_run,
    make_run_observation,
)

OTHERS_MEND = (
    RefusalKind.CREDENTIALS,
    RefusalKind.NOT_AUTHORIZED_OR_NOT_FOUND,
    RefusalKind.QUOTA,
    RefusalKind.INVALID,
    RefusalKind.NO_ROOM,
    RefusalKind.DIED,
    RefusalKind.QUARANTINED,
)


NOTHING_THERE = Call(
    at=SETTLED, tries=0, refusal=None, epoch=make_run_observation(run=make_run()).epoch
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


@given(st.sampled_from(RefusalKind), st.integers(1, 500), st.lists(st.uuids(), min_size=2))
def test_no_two_objects_that_were_refused_together_come_back_together(
    kind: RefusalKind, tries: int, uids: list[UUID]
) -> None:
    pauses = {pause(kind, tries, str(uid)) for uid in uids}
    assert len(pauses) == len(set(uids))


@pytest.mark.parametrize("tries", [6, 7, 500])
@pytest.mark.parametrize("kind", RefusalKind)
def test_a_thousand_pauses_are_spread_over_all_the_time_that_there_is(
    kind: RefusalKind, tries: int
) -> None:
    least, most = LONG_PAUSE_SECONDS / 2, LONG_PAUSE_SECONDS
    if kind in OTHERS_MEND:
        least = DEFAULT_SETTINGS.refusal_retry_min_seconds
        most = DEFAULT_SETTINGS.refusal_retry_max_seconds
    pauses = (pause(kind, tries, f"uid-{n}") for n in range(1000))
    tenths = Counter(int(10 * (seconds - least) / (most - least)) for seconds in pauses)
    assert sorted(tenths) == list(range(10))
    assert max(tenths.values()) < 200


def outside_job(uid: str) -> RunObservation:
    """A run of an OCI job that no OCIJob has, and that OCI has not either."""
    run = make_run(metadata=make_metadata("run", uid=uid), job_id=make_ocid("datasciencejob"))
    known = JobKnown(calls={Operation.LOOK_UP: NOTHING_THERE})
    return make_run_observation(run=run, job=None, job_known=known)


def adopted_run(uid: str) -> RunObservation:
    """A run that is to adopt what OCI has not."""
    meta = make_metadata("run", uid=uid, finalizer=True)
    run = make_run(metadata=meta, adopt={"job_run_id": make_ocid("datasciencejobrun")})
    return make_run_observation(run=run, known=RunKnown(calls={Operation.LOOK_UP: NOTHING_THERE}))


@pytest.mark.parametrize("observe", [outside_job, adopted_run])
@given(uids=st.lists(st.uuids(), min_size=2, unique=True))
def test_runs_that_wait_for_the_same_that_is_not_there_do_not_look_together(
    observe: Callable[[str], RunObservation], uids: list[UUID]
) -> None:
    looks = {decide_run(observe(str(uid)), SETTLED).wake_at for uid in uids}
    assert len(looks) == len(uids)
    for at in looks:
        assert at is not None
        pause = (at - SETTLED).total_seconds()
        least = DEFAULT_SETTINGS.refusal_retry_min_seconds
        assert least <= pause <= DEFAULT_SETTINGS.refusal_retry_max_seconds


@pytest.mark.parametrize("call", [None, Call(at=START, tries=0, refusal=None, epoch="1")])
def test_what_was_not_refused_holds_nothing_back(call: Call | None) -> None:
    assert due_at(call, epoch="1", seed="uid", settings=DEFAULT_SETTINGS) is None


def test_other_circumstances_make_a_call_worth_making_at_once() -> None:
    refusal = Refusal(kind=RefusalKind.CREDENTIALS, message="401")
    call = Call(at=START + timedelta(days=1), tries=9, refusal=refusal, epoch="1/old-key")
    assert due_at(call, epoch="1/new-key", seed="uid", settings=DEFAULT_SETTINGS) is None
