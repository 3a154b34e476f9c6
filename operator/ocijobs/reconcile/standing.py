"""Conditions of every kind in every phase: one table, which docs/reference/conditions.md prints.

`Ready` carries the reason and the message for people. kstatus reads `Reconciling` before `Stalled`, so the two are
never True together; a run that has ended badly is Stalled, since `Ready=False` alone reads as "in progress for
ever" (https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol, Self, TypeVar

from ocijobs.api.run.phase import Phase, SweepPhase
from ocijobs.api.shared.conditions import (
    Condition,
    ConditionStatus,
    ConditionType,
    find,
)
from ocijobs.api.shared.reasons import Reason
from ocijobs.reconcile.text import shown


class Stated(Protocol):
    """A status of any kind."""

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Its conditions."""

    def model_copy(self, *, update: Mapping[str, object] | None = None) -> Self:
        """Return it with other values of some fields."""


StatedT = TypeVar("StatedT", bound=Stated)


class Standing(StrEnum):
    """Where a resource stands, as far as its conditions show it."""

    PROGRESSING = "progressing"
    STALLED = "stalled"
    READY = "ready"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SUSPENDED = "suspended"
    IDLE = "idle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Statuses of the conditions in one standing; None means that the condition is absent."""

    ready: bool
    reconciling: bool
    stalled: bool
    complete: bool | None = None
    failed: bool | None = None
    suspended: bool | None = None

    def statuses(self) -> dict[ConditionType, bool]:
        """Return the statuses of the conditions that are present."""
        pairs = {
            ConditionType.READY: self.ready,
            ConditionType.RECONCILING: self.reconciling,
            ConditionType.STALLED: self.stalled,
            ConditionType.COMPLETE: self.complete,
            ConditionType.FAILED: self.failed,
            ConditionType.SUSPENDED: self.suspended,
        }
        return {kind: status for kind, status in pairs.items() if status is not None}


TABLE: Mapping[Standing, Row] = {
    Standing.PROGRESSING: Row(ready=False, reconciling=True, stalled=False),
    Standing.STALLED: Row(ready=False, reconciling=False, stalled=True),
    Standing.READY: Row(ready=True, reconciling=False, stalled=False),
    Standing.SUCCEEDED: Row(ready=True, reconciling=False, stalled=False, complete=True),
    Standing.FAILED: Row(ready=False, reconciling=False, stalled=True, failed=True),
    Standing.IDLE: Row(ready=True, reconciling=False, stalled=False, suspended=True),
    Standing.SUSPENDED: Row(ready=False, reconciling=True, stalled=False, suspended=True),
}

RUN_STANDINGS: Mapping[Phase, tuple[Standing, ...]] = {
    Phase.PENDING: (Standing.PROGRESSING, Standing.STALLED),
    Phase.SUSPENDED: (Standing.SUSPENDED,),
    Phase.ACCEPTED: (Standing.PROGRESSING,),
    Phase.RUNNING: (Standing.PROGRESSING, Standing.READY),
    Phase.CANCELLING: (Standing.PROGRESSING,),
    Phase.NEEDS_ATTENTION: (Standing.STALLED,),
    Phase.SUCCEEDED: (Standing.SUCCEEDED,),
    Phase.FAILED: (Standing.FAILED,),
    Phase.CANCELLED: (Standing.FAILED,),
}
"""Standings of a run by phase.

A pending run is stalled when it was refused for 15 minutes; a running one is ready if it is meant to go on, as
streams and sessions of Data Flow are.
"""

SWEEP_STANDINGS: Mapping[SweepPhase, tuple[Standing, ...]] = {
    SweepPhase.PENDING: (Standing.PROGRESSING, Standing.STALLED),
    SweepPhase.RUNNING: (Standing.PROGRESSING,),
    SweepPhase.SUSPENDED: (Standing.SUSPENDED,),
    SweepPhase.CANCELLING: (Standing.PROGRESSING,),
    SweepPhase.SUCCEEDED: (Standing.SUCCEEDED,),
    SweepPhase.FAILED: (Standing.FAILED,),
    SweepPhase.CANCELLED: (Standing.FAILED,),
}
"""Standings of a sweep by phase."""

SCHEDULE_STANDINGS: tuple[Standing, ...] = (
    Standing.PROGRESSING,
    Standing.STALLED,
    Standing.READY,
    Standing.IDLE,
)
"""Standings of a schedule. A suspended one is as it should be: Ready, and Suspended."""

JOB_STANDINGS: tuple[Standing, ...] = (Standing.PROGRESSING, Standing.STALLED, Standing.READY)
"""Standings of an OCIJob and of an OCIIdentity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """What a status says of itself: where it stands, why in one word, and why in words."""

    standing: Standing
    reason: Reason
    message: str


def conditions(
    former: tuple[Condition, ...],
    headline: Headline,
    *,
    generation: int,
    now: datetime,
    also: Iterable[Condition] = (),
) -> tuple[Condition, ...]:
    """Return all conditions of a status. A condition keeps its transition time while its status stays."""
    message = shown(headline.message)
    stated = [
        Condition(
            type=kind,
            status=ConditionStatus.TRUE if status else ConditionStatus.FALSE,
            reason=headline.reason,
            message=message,
            observed_generation=generation,
            last_transition_time=now,
        )
        for kind, status in TABLE[headline.standing].statuses().items()
    ]
    others = (one.model_copy(update={"message": shown(one.message)}) for one in also)
    return tuple(_keep_time(former, condition) for condition in (*stated, *others))


def restated(
    former: StatedT,
    headline: Headline,
    *,
    generation: int,
    now: datetime,
    changes: Mapping[str, object],
    also: Iterable[Condition] = (),
) -> StatedT:
    """Return a status that says how its object stands now, with what else has changed."""
    stated = conditions(former.conditions, headline, generation=generation, now=now, also=also)
    update = {**changes, "observed_generation": generation, "conditions": stated}
    return former.model_copy(update=update)


def of_generation(former: tuple[Condition, ...], generation: int) -> tuple[Condition, ...]:
    """Return conditions that hold for another generation, too: an edit has changed nothing about them."""
    return tuple(one.model_copy(update={"observed_generation": generation}) for one in former)


def of_ended(
    former: tuple[Condition, ...], headline: Headline, *, generation: int, now: datetime
) -> tuple[Condition, ...]:
    """Return the conditions of an object that has ended: an edit of its spec changes nothing about them.

    Conditions that somebody took away or changed come back, since `kubectl wait` would wait for them for ever. Reason
    and message are then those of a condition that still holds, or the headline's.
    """
    stated = TABLE[headline.standing].statuses()
    holding = [one for one in former if _holds(one, stated)]
    others = [one for one in former if one.type not in _STATED]
    if len(holding) == len(stated) and len(holding) + len(others) == len(former):
        return of_generation(former, generation)
    if holding and holding[0].reason in set(Reason):
        reason = Reason(holding[0].reason)
        headline = replace(headline, reason=reason, message=holding[0].message)
    return conditions(former, headline, generation=generation, now=now, also=others)


_STATED = frozenset(kind for row in TABLE.values() for kind in row.statuses())


def _holds(condition: Condition, stated: Mapping[ConditionType, bool]) -> bool:
    """Whether a condition is one of those stated, and has the status that is stated."""
    wanted = {kind.value: status for kind, status in stated.items()}.get(condition.type)
    return wanted is not None and (condition.status is ConditionStatus.TRUE) is wanted


def _keep_time(former: tuple[Condition, ...], condition: Condition) -> Condition:
    before = find(former, ConditionType(condition.type))
    if before is None or before.status is not condition.status or not before.observed_generation:
        # One without a generation is the default of the definition, which no operator has written.
        return condition
    return condition.model_copy(update={"last_transition_time": before.last_transition_time})
