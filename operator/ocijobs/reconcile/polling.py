"""How the shared poll asks: the fewest lists that have every run that is followed.

A run that has ended is in no list of active ones; that it is missing makes one look-up, which tells how it ended.
So only states are listed in which some run was seen last, and the one that comes next.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from ocijobs.backends.backend import Backend
from ocijobs.backends.records import RunState

PAGE_SIZE = 100
"""Most items on a page of a list: what is asked for, and what the calls of a list are counted with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolledRun:
    """A run that is followed, and the state that it was seen in last (None: not since this process began)."""

    run_id: str
    job_id: str
    state: RunState | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PollQuery:
    """One list: of a state in the compartment, of a job, of a state of one job, or of one run.

    Where filters don't combine, there is none of a state of one job.
    """

    state: RunState | None = None
    job_id: str | None = None
    run_id: str | None = None


def plan_poll(
    runs: Sequence[PolledRun], pages: Mapping[PollQuery, int], backend: Backend
) -> tuple[PollQuery, ...]:
    """Return the lists to ask for, in the order of the lifecycle, so that a run that moves on is not missed.

    Args:
        runs: all that are followed in one compartment by one principal.
        pages: how many pages each list had when it was last asked for; others' runs are in them too.
        backend: the service that the runs are of.
    """
    if not runs:
        return ()
    by_state = tuple(PollQuery(state=state) for state in _states(runs, backend))
    singly = tuple(PollQuery(run_id=run.run_id) for run in runs)
    # Of plans that cost the same, the one whose cost is certain goes before the one whose cost is assumed.
    plans = (by_state, singly, _by_job(runs, backend))
    return min(plans, key=lambda plan: sum(_cost(query, runs, pages) for query in plan))


def _by_job(runs: Sequence[PolledRun], backend: Backend) -> tuple[PollQuery, ...]:
    """Return lists of each job: of its active runs, or one of all it ever had."""
    jobs = sorted({run.job_id for run in runs})
    if not backend.filters_combine:
        return tuple(PollQuery(job_id=job) for job in jobs)
    return tuple(
        PollQuery(state=state, job_id=job)
        for job in jobs
        for state in _states([run for run in runs if run.job_id == job], backend)
    )


def _states(runs: Iterable[PolledRun], backend: Backend) -> tuple[RunState, ...]:
    """Return the states that the runs may be in, as far as a list is to tell."""
    states = backend.active_states
    seen = {run.state for run in runs}
    if None in seen or RunState.UNKNOWN in seen:
        return states
    if RunState.ACCEPTED in seen:
        seen.add(RunState.IN_PROGRESS)
    return tuple(state for state in states if state in seen) or (RunState.IN_PROGRESS,)


def _cost(query: PollQuery, runs: Sequence[PolledRun], pages: Mapping[PollQuery, int]) -> int:
    """Return how many calls the list takes: as many as last time, or as our own runs alone would need."""
    if query in pages:
        return pages[query]
    if query.run_id is not None:
        return 1
    listed = sum(
        query.job_id in {None, run.job_id} and query.state in {None, run.state} for run in runs
    )
    return max(1, math.ceil(listed / PAGE_SIZE))


def known_pages(
    before: Mapping[PollQuery, int], now: Mapping[PollQuery, int], jobs: AbstractSet[str]
) -> dict[PollQuery, int]:
    """Return how many pages lists have: of each as it was last seen, as long as its job's runs are followed.

    A list that turned out to be long is not forgotten when another is asked for instead, or it would be asked for
    again the next time.
    """
    kept = {query: count for query, count in before.items() if query.job_id in {None, *jobs}}
    return kept | {query: count for query, count in now.items() if query.run_id is None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often to poll."""

    least_seconds: float
    most_seconds: float
    rate: float

    def next_interval(self, *, last: float, changed: bool, calls: int) -> float:
        """Return the pause before the next poll: short while runs change, longer while they don't.

        A poll never takes more than a fifth of the rate that calls are let through at.
        """
        wanted = self.least_seconds if changed else last * 1.5
        bounded = min(self.most_seconds, max(self.least_seconds, wanted))
        return max(bounded, calls * 5 / self.rate)
