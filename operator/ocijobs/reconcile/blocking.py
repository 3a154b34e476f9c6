"""What keeps a resource from going on: its reason, since when, and when it becomes a matter for people.

Refused permissions and credentials are tried for ever, since a policy may come; after `refusalStalledSeconds` the
resource is Stalled as well, so that GitOps tools and alerts see it. Missing references are never Stalled: what is
applied in the wrong order mends itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from ocijobs.api.shared.conditions import Condition, ConditionType, find
from ocijobs.api.shared.reasons import Reason
from ocijobs.backends.records import Refusal, RefusalKind
from ocijobs.reconcile.actions.action import Action
from ocijobs.reconcile.standing import Headline, Standing
from ocijobs.settings import Settings

REASON_OF_REFUSAL = {
    RefusalKind.CREDENTIALS: Reason.CREDENTIALS_INVALID,
    RefusalKind.NOT_AUTHORIZED_OR_NOT_FOUND: Reason.NOT_AUTHORIZED_OR_NOT_FOUND,
    RefusalKind.INVALID: Reason.INVALID_SPEC,
    RefusalKind.QUOTA: Reason.QUOTA_EXCEEDED,
    RefusalKind.CONFLICT: Reason.OCI_CONFLICT,
    RefusalKind.TOKEN_SPENT: Reason.SEARCHING,
    RefusalKind.THROTTLED: Reason.THROTTLED,
    RefusalKind.UNAVAILABLE: Reason.OCI_UNAVAILABLE,
    RefusalKind.MISSING: Reason.WAITING_FOR_VALUE,
    RefusalKind.INTERNAL: Reason.INTERNAL_ERROR,
    RefusalKind.NO_ROOM: Reason.STAGING_FULL,
    RefusalKind.DIED: Reason.SOURCE_UNREACHABLE,
    RefusalKind.QUARANTINED: Reason.SOURCE_QUARANTINED,
}

HELD = (
    "held by the setting holdNew: name what it has in OCI in spec.adopt, or annotate it with "
    "ocijobs.io/allow-start=true if it has nothing there"
)
"""Message about an object that is new to a restored cluster."""

HELD_ANEW = (
    "held by the setting holdNew: annotate it with ocijobs.io/allow-start=true if it is to run here from its "
    "beginning, whatever ran in the former cluster"
)
"""Message about a sweep or a schedule that is new to a restored cluster."""

STALLING_REASONS = frozenset({Reason.CREDENTIALS_INVALID, Reason.NOT_AUTHORIZED_OR_NOT_FOUND})
"""Reasons that people must mend, once they have lasted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Former:
    """What the former status says of its own blocking."""

    conditions: tuple[Condition, ...]
    since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """A headline for what is blocked, since when it is, and when it will be Stalled (None: never, or it is)."""

    headline: Headline
    since: datetime
    stalls_at: datetime | None


def blocked(
    former: Former, reason: Reason, message: str, *, now: datetime, settings: Settings
) -> Blocked:
    """Return how a resource stands that `reason` keeps from going on."""
    ready = find(former.conditions, ConditionType.READY)
    same = former.since is not None and ready is not None and ready.reason == reason
    since = former.since if same and former.since is not None else now
    stalls_at = None
    standing = Standing.PROGRESSING
    if reason in STALLING_REASONS:
        stalls_at = since + timedelta(seconds=settings.refusal_stalled_seconds)
        if now >= stalls_at:
            standing, stalls_at = Standing.STALLED, None
    return Blocked(
        headline=Headline(standing=standing, reason=reason, message=message),
        since=since,
        stalls_at=stalls_at,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocker:
    """What is in the way of a plan, or of a launch; and what may clear it.

    Attributes:
        reason: None for what passes within moments, and is not worth a status write.
        terminal: no wait is worth while: a run fails, and a job is Stalled until its spec or its sources change.
        action: what may clear it, to be done when it is due.
        wake_at: when the action is due, or when it may have cleared by itself; None means now, or when others wake it.
    """

    reason: Reason | None = None
    message: str = ""
    terminal: bool = False
    action: Action | None = None
    wake_at: datetime | None = None

    @classmethod
    def of_spec(cls, message: str) -> Self:
        """Return the blocker of a spec that OCI would refuse."""
        return cls(reason=Reason.INVALID_SPEC, message=message, terminal=True)

    def actions_at(self, now: datetime) -> tuple[Action, ...]:
        """Return what is to be done about it now."""
        due = self.wake_at is None or now >= self.wake_at
        return (self.action,) if self.action is not None and due else ()

    def wakes_at(self, now: datetime) -> datetime | None:
        """Return when there is something to do about it; None if that is now, or nobody knows."""
        return to_come(self.wake_at, now)


def describe(doing: str, refusal: Refusal) -> str:
    """Return the message for a refused call: what was being done, what OCI said, and until when it is to wait."""
    until = refusal.until
    wait = f"; OCI takes calls again at {until:%Y-%m-%dT%H:%M:%SZ}" if until is not None else ""
    return f"{doing}: {refusal.message}{wait}"


def earliest(*times: datetime | None) -> datetime | None:
    """Return the earliest of the times that are given."""
    return min((time for time in times if time is not None), default=None)


def to_come(time: datetime | None, now: datetime) -> datetime | None:
    """Return a time at which something changes by itself, or None if that has passed: then it waits for other things.

    To wake at a time that has passed is to wake at once, and again, for as long as nothing else happens.
    """
    return time if time is not None and time > now else None
