"""What has become of a sweep's children: counts, intervals of indices, and the best one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Unpack

from ocijobs.api.status_changes import JobSweepStatusChanges
from ocijobs.api.sweep.settings import Goal
from ocijobs.api.sweep.status import BestRun
from ocijobs.reconcile.sweep.indices import child_name, from_intervals, to_intervals
from ocijobs.reconcile.sweep.observation import SweepObservation
from ocijobs.reconcile.sweep_points import point, total


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Indices of children by what has become of them.

    `urgent` tells that the status lacks something which nobody will know after a restart: of a child that is gone.
    """

    total: int
    created: int
    active: frozenset[int]
    completed: frozenset[int]
    failed: frozenset[int]
    gone: frozenset[int]
    best: BestRun | None
    urgent: bool

    @property
    def all_ended(self) -> bool:
        """Whether no child is left that was created and has not ended."""
        return not self.active

    @property
    def complete(self) -> bool:
        """Whether every child was created and has ended."""
        return self.created >= self.total and self.all_ended

    def changes(self, **more: Unpack[JobSweepStatusChanges]) -> JobSweepStatusChanges:
        """Return what a status says of it, and more that changes with it."""
        return {
            **more,
            "total": self.total,
            "created": self.created,
            "active": len(self.active),
            "succeeded": len(self.completed),
            "failed": len(self.failed),
            "completed_indexes": to_intervals(self.completed) or None,
            "failed_indexes": to_intervals(self.failed) or None,
            "gone_indexes": to_intervals(self.gone) or None,
            "best": self.best,
        }


def count(o: SweepObservation) -> Tally:
    """Count the children: what the status has, what this process saw, what is there now."""
    status, children = o.sweep.status, o.children
    recorded = from_intervals(status.completed_indexes), from_intervals(status.failed_indexes)
    ended = recorded[0] | recorded[1]
    news = {index: end for index, end in children.ends.items() if index not in ended}
    won = {index: end.results for index, end in news.items() if end.succeeded}
    completed = recorded[0] | won.keys()
    failed = recorded[1] | (news.keys() - won.keys())
    created = max(status.created or 0, o.known.created, children.created)
    active = frozenset(children.live)
    gone = frozenset(range(created)) - completed - failed - active
    unwritten = children.lost - ended - from_intervals(status.gone_indexes)
    return Tally(
        total=total(o.sweep.spec),
        created=created,
        active=active,
        completed=completed,
        failed=failed,
        gone=gone,
        best=_best(o, won),
        urgent=any(index not in active or index >= (status.created or 0) for index in unwritten),
    )


def _best(o: SweepObservation, reported: Mapping[int, Mapping[str, str]]) -> BestRun | None:
    """Return the best child so far; of equal ones the first. What is no number, or missing, never wins.

    Args:
        o: the sweep, with the best of the children whose ends are in its status.
        reported: by the others, by index.
    """
    objective, former = o.sweep.spec.objective, o.sweep.status.best
    if objective is None:
        return None
    candidates = dict(reported)
    if former is not None:
        candidates.setdefault(former.index, former.results)
    ranked = [
        (rank, index)
        for index, results in candidates.items()
        if (rank := _rank(results.get(objective.result), objective.goal)) is not None
    ]
    if not ranked:
        return None
    _, index = min(ranked)
    if former is not None and index == former.index:
        return former
    return BestRun(
        index=index,
        name=child_name(o.sweep.metadata.name, index),
        value=candidates[index][objective.result],
        results=candidates[index],
        parameters=dict(point(o.sweep.spec, index).parameters),
    )


def _rank(value: str | None, goal: Goal) -> float | None:
    """Return what orders values, the best first; None for what is no number."""
    try:
        number = float(value or "")
    except ValueError:
        return None
    if math.isnan(number):
        return None
    return -number if goal is Goal.MAXIMIZE else number
