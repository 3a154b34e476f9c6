"""What holds of every kind, and what a broken law is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.unit.reconcile.simulation.retry_tokens import RetryTokens

from ocijobs.api.shared.conditions import Condition, ConditionStatus, ConditionType, find
from ocijobs.api.shared.reasons import EXPLANATIONS, EventType, Reason, reason_named
from ocijobs.reconcile.standing import TABLE, Standing

_STATED = (
    ConditionType.READY,
    ConditionType.RECONCILING,
    ConditionType.STALLED,
    ConditionType.COMPLETE,
    ConditionType.FAILED,
    ConditionType.SUSPENDED,
)

_OF_CONCERN = frozenset(
    {
        Reason.SOURCE_UNREACHABLE,
        Reason.SOURCE_QUARANTINED,
        Reason.STAGING_FULL,
        Reason.DRIFT_DETECTED,
        Reason.CLOCK_SET_BACK,
    }
)
"""Reasons that somebody should look at though the object is Ready.

A revision goes on serving whose successor can't be read, an OCI job was changed, or a clock was wrong.
"""


class ViolationError(AssertionError):
    """A law was broken."""


def demand(holds: object, law: str) -> None:
    """Raise unless the law holds."""
    if not holds:
        raise ViolationError(law)


def token_is_remembered(tokens: RetryTokens[Any, Any], token: str) -> None:
    """Demand that a creation that may have been carried out is repeated only while that finds what it made."""
    demand(
        not tokens.forgotten(token), "no creation is repeated with a token that OCI has forgotten"
    )


def conditions_are_the_tables(
    conditions: tuple[Condition, ...], standings: Iterable[Standing]
) -> dict[ConditionType, bool]:
    """Demand that the conditions are a row of the table for one of the standings, and return them."""
    shown = {
        kind: condition.status is ConditionStatus.TRUE
        for kind in _STATED
        if (condition := find(conditions, kind)) is not None
    }
    rows = [TABLE[standing].statuses() for standing in standings]
    demand(shown in rows, "conditions are those of a row of the table")
    both = shown.get(ConditionType.RECONCILING) and shown.get(ConditionType.STALLED)
    demand(not both, "Reconciling and Stalled are never both True")
    ready = find(conditions, ConditionType.READY)
    if ready is not None and shown[ConditionType.READY]:
        reason = reason_named(ready.reason)
        warns = EXPLANATIONS[reason].event is EventType.WARNING
        demand(not warns or reason in _OF_CONCERN, "what is Ready makes no Warning")
    return shown
