"""Which lists the shared poll asks for: as few calls as possible, and none that a service refuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocijobs.backends.backend import Backend
from ocijobs.backends.data_flow.backend import DATA_FLOW
from ocijobs.backends.data_science.backend import DATA_SCIENCE
from ocijobs.backends.records import ACTIVE_RUN_STATES, RunState
from ocijobs.backends.registry import BACKENDS
from ocijobs.reconcile.polling import Pace, PolledRun, PollQuery, known_pages, plan_poll

FLOW, SCIENCE = DATA_FLOW, DATA_SCIENCE
FOREIGN = {FLOW: RunState.NEEDS_ATTENTION, SCIENCE: RunState.STOPPING}
"""The active state that a service does not have."""

_JOBS = st.sampled_from(["a", "b", "c"])
_STATES = st.sampled_from([None, RunState.UNKNOWN, *ACTIVE_RUN_STATES])
_RUNS = st.lists(st.tuples(_JOBS, _STATES), min_size=1, max_size=8).map(
    lambda drawn: [
        PolledRun(run_id=f"run-{number}", job_id=job, state=state)
        for number, (job, state) in enumerate(drawn)
    ]
)
_BY_STATE = st.builds(PollQuery, state=st.sampled_from(ACTIVE_RUN_STATES))
_BY_JOB = st.builds(
    PollQuery, job_id=_JOBS, state=st.sampled_from([None, RunState.ACCEPTED, RunState.IN_PROGRESS])
)
_PAGES = st.dictionaries(_BY_STATE | _BY_JOB, st.integers(1, 40))


def run(number: int, state: RunState | None = RunState.IN_PROGRESS, job: str = "a") -> PolledRun:
    return PolledRun(run_id=f"run-{number}", job_id=job, state=state)


def filters(query: PollQuery) -> int:
    return sum(value is not None for value in (query.state, query.job_id, query.run_id))


def finds(query: PollQuery, followed: PolledRun) -> bool:
    """Whether the list has the run, if it is in the state that it was seen in."""
    return (
        query.state in {None, followed.state}
        and query.job_id in {None, followed.job_id}
        and query.run_id in {None, followed.run_id}
    )


@given(_RUNS, _PAGES)
def test_no_list_of_data_flow_has_two_filters(
    runs: Sequence[PolledRun], pages: Mapping[PollQuery, int]
) -> None:
    assert {filters(query) for query in plan_poll(runs, pages, FLOW)} == {1}


@pytest.mark.parametrize("backend", BACKENDS, ids=lambda backend: backend.name)
@given(runs=_RUNS, pages=_PAGES)
def test_every_run_is_in_some_list_and_no_list_is_of_a_state_that_the_service_lacks(
    backend: Backend, runs: Sequence[PolledRun], pages: Mapping[PollQuery, int]
) -> None:
    plan = plan_poll(runs, pages, backend)
    foreign = FOREIGN[backend]
    assert foreign not in {query.state for query in plan}
    for followed in runs:
        if followed.state not in {None, RunState.UNKNOWN, foreign}:
            assert any(finds(query, followed) for query in plan)


@pytest.mark.parametrize("backend", BACKENDS, ids=lambda backend: backend.name)
@given(runs=_RUNS, pages=_PAGES)
def test_lists_are_in_the_order_of_the_lifecycle(
    backend: Backend, runs: Sequence[PolledRun], pages: Mapping[PollQuery, int]
) -> None:
    plan = plan_poll(runs, pages, backend)
    for job in {query.job_id for query in plan}:
        states = [query.state for query in plan if query.job_id == job and query.state]
        assert states == sorted(states, key=ACTIVE_RUN_STATES.index)


def test_nothing_is_asked_for_no_run() -> None:
    assert plan_poll([], {}, FLOW) == ()


@pytest.mark.parametrize("backend", BACKENDS, ids=lambda backend: backend.name)
def test_many_runs_of_a_state_are_one_list(backend: Backend) -> None:
    plan = plan_poll([run(number) for number in range(50)], {}, backend)
    assert plan == (PollQuery(state=RunState.IN_PROGRESS),)


@pytest.mark.parametrize("backend", BACKENDS, ids=lambda backend: backend.name)
def test_a_run_that_is_not_known_yet_may_be_in_any_state_of_its_service(
    backend: Backend,
) -> None:
    runs = [run(number, None, job=f"job-{number}") for number in range(50)]
    plan = plan_poll(runs, {}, backend)
    expected = [state for state in ACTIVE_RUN_STATES if state is not FOREIGN[backend]]
    assert [query.state for query in plan] == expected


def test_a_run_of_a_crowded_compartment_is_asked_for_by_itself() -> None:
    crowded = {PollQuery(state=RunState.IN_PROGRESS): 30}
    assert plan_poll([run(1)], crowded, FLOW) == (PollQuery(run_id="run-1"),)


def test_a_job_of_data_flow_is_listed_whole_in_a_crowded_compartment() -> None:
    runs = [run(number, job="ab"[number % 2]) for number in range(40)]
    crowded = {PollQuery(state=RunState.IN_PROGRESS): 30}
    assert plan_poll(runs, crowded, FLOW) == (PollQuery(job_id="a"), PollQuery(job_id="b"))
    # A list that has turned out to be of all the runs there ever were.
    crowded[PollQuery(job_id="a")] = 100
    assert plan_poll(runs, crowded, FLOW) == (PollQuery(state=RunState.IN_PROGRESS),)


def test_a_list_is_taken_for_as_long_as_our_own_runs_are() -> None:
    runs = [run(number, job=f"job-{number}") for number in range(250)]
    cheaper = {PollQuery(state=RunState.IN_PROGRESS): 3}
    assert plan_poll(runs, cheaper, FLOW) == plan_poll(runs, {}, FLOW)
    mine = [run(number) for number in range(250)]
    crowded = {PollQuery(state=RunState.IN_PROGRESS): 4}
    assert plan_poll(mine, crowded, FLOW) == (PollQuery(job_id="a"),)
    assert plan_poll(mine, {PollQuery(state=RunState.IN_PROGRESS): 3}, FLOW) != (
        PollQuery(job_id="a"),
    )


def test_a_long_list_is_not_forgotten_while_another_is_asked_for() -> None:
    long, whole = PollQuery(state=RunState.IN_PROGRESS), PollQuery(job_id="a")
    single = PollQuery(run_id="run-1")
    pages = known_pages({long: 30, whole: 2}, {single: 1}, {"a"})
    assert pages == {long: 30, whole: 2}
    assert known_pages(pages, {long: 1}, {"a"}) == {long: 1, whole: 2}
    assert known_pages(pages, {single: 1}, {"b"}) == {long: 30}


PACE = Pace(least_seconds=3, most_seconds=15, rate=10)


@given(st.floats(0, 1000), st.booleans(), st.integers(0, 1000))
def test_a_poll_takes_at_most_a_fifth_of_the_rate(last: float, changed: bool, calls: int) -> None:  # noqa: FBT001
    interval = PACE.next_interval(last=last, changed=changed, calls=calls)
    assert interval >= PACE.least_seconds
    assert calls <= PACE.rate / 5 * interval * (1 + 1e-9)


def test_polls_are_frequent_while_runs_change_and_become_rarer_while_they_do_not() -> None:
    intervals = [3.0]
    while len(intervals) < 6:
        intervals.append(PACE.next_interval(last=intervals[-1], changed=False, calls=1))
    assert intervals == [3, 4.5, 6.75, 10.125, 15, 15]
    assert PACE.next_interval(last=15, changed=True, calls=1) == 3
