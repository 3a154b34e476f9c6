"""A reconciliation that failed, told on its object, and taken back when it is over.

It met with an error that nobody foresaw, or the API server does not take a change of the object. One that can't be read
as its kind is told so, too, and everything else of its status stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from pydantic import TypeAdapter, ValidationError

from ocijobs.api.identity import OCIIdentityStatus
from ocijobs.api.job.status import OCIJobStatus
from ocijobs.api.run.phase import Phase, SweepPhase
from ocijobs.api.run.status import OCIJobRunStatus
from ocijobs.api.schedule import OCIJobScheduleStatus
from ocijobs.api.shared.conditions import Condition, ConditionType, find
from ocijobs.api.shared.reasons import Reason
from ocijobs.api.status import AnyStatus
from ocijobs.api.sweep.status import OCIJobSweepStatus
from ocijobs.reconcile.standing import (
    JOB_STANDINGS,
    RUN_STANDINGS,
    SWEEP_STANDINGS,
    Headline,
    Standing,
    conditions,
    restated,
)
from ocijobs.reconcile.text import shown

_WORDS_BYTES = 700
"""Of an answer of the API server: with what is around it, it fits into a message."""
_TOLD = frozenset({Reason.INTERNAL_ERROR, Reason.CHANGE_REFUSED})

_STALLS_AFTER = 5
"""After how many failures in a row an object is Stalled, so that tools and alerts see it."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a reconciliation failed: the reason, and a message without when it is tried again."""

    reason: Reason
    message: str


def unforeseen(error: str) -> Failure:
    """Return the failure by an error that nobody foresaw: of its class, since its text may be secret."""
    return Failure(
        Reason.INTERNAL_ERROR,
        f"{error}, an error that the operator did not foresee; its log has the rest",
    )


def change_refused(status: int, reason: str, message: str) -> Failure:
    """Return the failure by an answer of the API server: HTTP status code, reason and message of metav1.Status."""
    words = shown(f"{status} {reason}: {message}", most_bytes=_WORDS_BYTES)
    return Failure(
        Reason.CHANGE_REFUSED, f"the API server does not take a change of the object: {words}"
    )


def failed_status(
    former: AnyStatus,
    failure: Failure,
    *,
    failures: int,
    retry_at: datetime,
    generation: int,
    now: datetime,
) -> AnyStatus | None:
    """Return the status of an object whose reconciliation failed; None of one that has ended, which stands.

    Args:
        former: its status.
        failure: why.
        failures: how often in a row it has failed.
        retry_at: when it is tried again.
        generation: of the object.
        now: the time.
    """
    changes, standings = _standings(former)
    if standings is None:
        return None
    stalled = failures > _STALLS_AFTER and Standing.STALLED in standings
    headline = Headline(
        standing=Standing.STALLED if stalled else standings[0],
        reason=failure.reason,
        message=(
            f"{failure.message}. This was attempt {failures}; the next one is at "
            f"{retry_at:%Y-%m-%dT%H:%M:%SZ}"
        ),
    )
    return restated(former, headline, generation=generation, now=now, changes=changes)


def cleared(status: AnyStatus) -> AnyStatus:
    """Return a status as it is to be decided on: an error that was told is over until it is met again."""
    ready = find(status.conditions, ConditionType.READY)
    if ready is None or ready.reason not in _TOLD:
        return status
    update = {"reason": Reason.PENDING, "message": "going on after a failure"}
    return status.changed(
        conditions=tuple(
            one.model_copy(update=update) if one.reason in _TOLD else one
            for one in status.conditions
        )
    )


def _standings(
    status: AnyStatus,
) -> tuple[Mapping[str, object], tuple[Standing, ...] | None]:
    """Return how an object may stand that has not ended, and what of its status has to be there for that."""
    match status:
        case OCIJobRunStatus():
            phase = status.phase or Phase.PENDING
            return {"phase": phase}, None if phase.terminal else RUN_STANDINGS[phase]
        case OCIJobSweepStatus():
            of_sweep = status.phase or SweepPhase.PENDING
            return {"phase": of_sweep}, None if of_sweep.terminal else SWEEP_STANDINGS[of_sweep]
        case OCIJobStatus() | OCIJobScheduleStatus() | OCIIdentityStatus():
            return {}, JOB_STANDINGS
        case _:
            assert_never(status)


_CONDITIONS = TypeAdapter(tuple[Condition, ...])


def unreadable_status(
    former: dict[str, object], *, problem: str, generation: int, now: datetime
) -> dict[str, object] | None:
    """Return the status document, or None if it says so already."""
    try:
        before = _CONDITIONS.validate_python(former.get("conditions", ()))
    except ValidationError:
        before = ()
    headline = Headline(
        standing=Standing.STALLED,
        reason=Reason.INVALID_SPEC,
        message=f"the operator can't read this object: {problem}",
    )
    after = conditions(before, headline, generation=generation, now=now)
    if after == before:
        return None
    return {
        **former,
        "observedGeneration": generation,
        "conditions": [condition.document() for condition in after],
    }
