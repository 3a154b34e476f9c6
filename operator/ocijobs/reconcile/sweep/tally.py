"""What has become of a sweep's children: counts, intervals of indices, and the best one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ocijobs.api.sweep import Goal, SweepSettings
from ocijobs.api.sweep_status import BestRun
from ocijobs.reconcile.sweep.intervals import from_intervals, to_intervals
from ocijobs.reconcile.sweep.observation import SweepObservation
from ocijobs.reconcile.sweep.points import point, total


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Indices of children by what has become of them."""

    total: int
    created: int
    active: frozenset[int]
    completed: frozenset[int]
    failed: frozenset[int]
    gone: frozenset[int]
    best: BestRun | None

    @property
    def all_ended(self) -> bool:
        """Whether no child is left that was created and has not ended."""
        return not self.active

    @property
    def complete(self) -> bool:
        """Whether every child was created and has ended."""
        return self.created >= self.total and self.all_ended

    def changes(self) -> dict[str, Any]:
        """Return what a status says of it."""
        return {
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
    status, known = o.sweep.status, o.known.seen(o.children)
    outcomes = known.outcomes
    completed = from_intervals(status.completed_indexes) | {
        index for index, outcome in outcomes.items() if outcome.succeeded
    }
    failed = from_intervals(status.failed_indexes) | {
        index for index, outcome in outcomes.items() if not outcome.succeeded
    }
    created = max(status.created or 0, known.created)
    ended = completed | failed
    active = {index for index, child in o.children.items() if index not in ended}
    gone = set(range(created)) - ended - active
    return Tally(
        total=total(o.sweep.spec),
        created=created,
        active=frozenset(active),
        completed=completed,
        failed=frozenset(failed),
        gone=frozenset(gone),
        best=_best(o, {i: one.results for i, one in outcomes.items() if one.succeeded}),
    )


def child_name(o: SweepObservation, index: int) -> str:
    """Return the name of a child."""
    return f"{o.sweep.metadata.name}-{index}"


def _best(o: SweepObservation, reported: Mapping[int, Mapping[str, str]]) -> BestRun | None:
    """Return the best child so far; of equal ones the first. What is no number, or missing, never wins."""
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
    return BestRun(
        index=index,
        name=child_name(o, index),
        value=candidates[index][objective.result],
        results=candidates[index],
        parameters=_parameters(o.sweep.spec, index),
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


def _parameters(spec: SweepSettings, index: int) -> dict[str, str]:
    return dict(point(spec, index).parameters)
