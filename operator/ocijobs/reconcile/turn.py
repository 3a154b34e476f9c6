"""Waiting for a turn to call OCI, told in status: what is paced says so, and until when."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from ocijobs.api.run.phase import Phase
from ocijobs.api.run.status import OCIJobRunStatus
from ocijobs.api.shared.conditions import ConditionType, is_true
from ocijobs.api.shared.reasons import Reason
from ocijobs.api.status import AnyStatus
from ocijobs.reconcile.actions.calls import Turn
from ocijobs.reconcile.blocking import earliest
from ocijobs.reconcile.decision import Decision
from ocijobs.reconcile.standing import Headline, Standing, restated

_SOON = timedelta(seconds=5)
"""What waits no longer than this is over before anybody could read of it."""

_MARGIN = timedelta(seconds=1)

_WAITING_PHASES = frozenset({None, Phase.PENDING, Phase.CANCELLING})
"""Phases of a run that its own calls bring on; what runs is followed by lists."""


def await_turn(
    decision: Decision[AnyStatus], turn: Turn, *, generation: int, now: datetime
) -> Decision[AnyStatus]:
    """Return the decision of an object that waits for its turn: it says so, and looks again when that has passed."""
    # The line wakes the object; the time is for one that has come to nothing.
    later = replace(decision, wake_at=earliest(decision.wake_at, max(turn.at, now) + _MARGIN))
    status = decision.status
    phase = _phase(status)
    if turn.at - now <= _SOON or phase is None:
        return later
    headline = Headline(
        standing=Standing.PROGRESSING, reason=Reason.THROTTLED, message=_message(turn)
    )
    told = restated(status, headline, generation=generation, now=now, changes=phase)
    return replace(later, status=told)


def _phase(status: AnyStatus) -> dict[str, object] | None:
    """Return what else of a status has to be there while it waits; None of one that does not say so."""
    if is_true(status.conditions, ConditionType.READY):
        return None
    if not isinstance(status, OCIJobRunStatus):
        return {}
    waits = status.phase in _WAITING_PHASES
    return {"phase": status.phase or Phase.PENDING} if waits else None


def _message(turn: Turn) -> str:
    why = (
        "OCI answers 429 (too many requests) to calls of this identity"
        if turn.throttled
        else "more calls of this identity are to be made than OCI may be asked for at a time"
    )
    return f"{why}: the turn of this object comes at about {turn.at:%Y-%m-%dT%H:%M:%SZ}"
