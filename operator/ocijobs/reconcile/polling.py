"""How the shared poll asks: the fewest lists that have every run that is followed.

A run that has ended is in no list of active ones; that it is missing makes one look-up, which tells how it ended.
So only states are listed in which some run was seen last, and the one that comes next.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ocijobs.reconcile.remote import ACTIVE_RUN_STATES, RunState

PAGE_SIZE = 100
"""Runs on a page of ListJobRuns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolledRun:
    """A run that is followed, and the state that it was seen in last (None: not since this process began)."""

    run_id: str
    job_id: str
    state: RunState | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PollQuery:
    """One list: of a state in the compartment, of a state of one job, or of one run."""

    state: RunState | None = None
    job_id: str | None = None
    run_id: str | None = None


def plan_poll(runs: Sequence[PolledRun], pages: Mapping[PollQuery, int]) -> tuple[PollQuery, ...]:
    """Return the lists to ask for, in the order of the lifecycle, so that a run that moves on is not missed.

    Args:
        runs: all that are followed in one compartment by one principal.
        pages: how many pages each list had last time; others' runs are in them too.
    """
    if not runs:
        return ()
    by_state = tuple(PollQuery(state=state) for state in _states(runs))
    jobs = sorted({run.job_id for run in runs})
    by_job = tuple(
        PollQuery(state=state, job_id=job)
        for job in jobs
        for state in _states([run for run in runs if run.job_id == job])
    )
    singly = tuple(PollQuery(run_id=run.run_id) for run in runs)
    plans = (by_state, by_job, singly)
    return min(plans, key=lambda plan: sum(_cost(query, runs, pages) for query in plan))


def _states(runs: Iterable[PolledRun]) -> tuple[RunState, ...]:
    """Return the states that the runs may be in, as far as a list is to tell."""
    seen = {run.state for run in runs}
    if None in seen or RunState.UNKNOWN in seen:
        return ACTIVE_RUN_STATES
    if RunState.ACCEPTED in seen:
        seen.add(RunState.IN_PROGRESS)
    return tuple(state for state in ACTIVE_RUN_STATES if state in seen) or (RunState.IN_PROGRESS,)


def _cost(query: PollQuery, runs: Sequence[PolledRun], pages: Mapping[PollQuery, int]) -> int:
    """Return how many calls the list takes: as many as last time, or as our own runs alone would need."""
    if query in pages:
        return pages[query]
    counts = Counter(
        run.state for run in runs if query.job_id is None or run.job_id == query.job_id
    )
    return max(1, math.ceil(counts[query.state] / PAGE_SIZE))


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
