"""The decision about an OCIJobSchedule: whether a start is due, and what its firings make and leave.

Source of the rules: k8s.io/kubernetes/pkg/controller/cronjob/cronjob_controllerv2.go.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Unpack

from ocijobs.api.schedule import (
    ConcurrencyPolicy,
    Firing,
    FiringState,
    OCIJobScheduleSpec,
    OCIJobScheduleStatus,
)
from ocijobs.api.shared.conditions import Condition, ConditionType, find
from ocijobs.api.shared.reasons import Reason
from ocijobs.api.status_changes import JobScheduleStatusChanges
from ocijobs.cron.fields import InvalidScheduleError
from ocijobs.cron.times import (
    InvalidTimeZoneError,
    Missed,
    Timetable,
    due_start,
    next_start,
    time_zone,
)
from ocijobs.reconcile.actions.action import Action
from ocijobs.reconcile.blocking import HELD_ANEW
from ocijobs.reconcile.decision import Decision, Note
from ocijobs.reconcile.ownership import creation_due_at
from ocijobs.reconcile.schedule.checks import problem
from ocijobs.reconcile.schedule.firings import creations, excess_firings, firings, object_name
from ocijobs.reconcile.schedule.observation import ScheduleObservation
from ocijobs.reconcile.standing import Headline, Standing, restated

_SHOWN = 50

_SKEW = timedelta(minutes=1)
"""By how much clocks of two machines may differ before it is told."""


def decide_schedule(o: ScheduleObservation, now: datetime) -> Decision[OCIJobScheduleStatus]:
    """Decide what is to be done about a schedule. Total, deterministic, without effects."""
    meta, spec, status = o.schedule.metadata, o.schedule.spec, o.schedule.status
    if meta.paused or meta.deleting:
        return Decision(status=status)
    cleanup = (*excess_firings(o), *_void(o))
    if status.starting is not None:
        return _start(o, status.starting, cleanup, now)
    timetable = _timetable(spec)
    if isinstance(timetable, str):
        return _stalled(o, timetable, cleanup, now)
    if spec.suspend:
        message = "spec.suspend is true: nothing is started"
        idle = _write(o, now, Standing.IDLE, Reason.SUSPENDED, message, next_schedule_time=None)
        return Decision(status=idle, actions=cleanup)
    if o.held:
        held = _write(o, now, Standing.PROGRESSING, Reason.HELD, HELD_ANEW, next_schedule_time=None)
        return Decision(status=held, actions=cleanup)
    return _fire(o, timetable, cleanup, now)


def _timetable(spec: OCIJobScheduleSpec) -> Timetable | str:
    """Return when the schedule fires, or what is wrong with the spec, in words."""
    try:
        zone = time_zone(spec.time_zone or "UTC")
        if "TZ" in spec.schedule:
            return "spec.schedule: TZ and CRON_TZ are not for spec.schedule: use spec.timeZone"
        timetable = Timetable.parse(spec.schedule, zone)
    except InvalidTimeZoneError as error:
        return f"spec.timeZone: {error}"
    except InvalidScheduleError as error:
        return f"spec.schedule: {error}"
    return problem(spec) or timetable


def _deadline(o: ScheduleObservation) -> timedelta | None:
    """Return how late a run may still be started."""
    seconds = o.schedule.spec.starting_deadline_seconds
    return timedelta(seconds=seconds) if seconds is not None else None


def _fire(
    o: ScheduleObservation, timetable: Timetable, cleanup: tuple[Action, ...], now: datetime
) -> Decision[OCIJobScheduleStatus]:
    """Start what is due."""
    policy = o.schedule.spec.concurrency_policy
    last = o.schedule.status.last_schedule_time or o.schedule.metadata.creation_timestamp
    due = due_start(timetable, last=last, now=now, deadline=_deadline(o))
    following = next_start(timetable, last=last, now=now)
    active = [one for one in firings(o) if one.state is FiringState.ACTIVE]
    if due.at is None:
        standing, reason, message = _standing(o, now)
        waiting = _write(o, now, standing, reason, message, next_schedule_time=following)
        return Decision(status=waiting, actions=cleanup, wake_at=following)
    if active and policy is ConcurrencyPolicy.FORBID:
        message = "a start is due, and an earlier firing has not ended: spec.concurrencyPolicy"
        ready = _write(
            o, now, Standing.READY, Reason.ALREADY_ACTIVE, message, next_schedule_time=following
        )
        return Decision(status=ready, actions=cleanup, wake_at=following)
    replaced: tuple[Action, ...] = ()
    if policy is ConcurrencyPolicy.REPLACE:
        replaced = tuple(deletion for one in active for deletion in one.delete())
    starting = _write(
        o,
        now,
        Standing.PROGRESSING,
        Reason.STARTING,
        f"starting what is due at {_stamp(due.at)}",
        starting=due.at,
        last_schedule_time=due.at,
        next_schedule_time=following,
    )
    return Decision(status=starting, actions=(*cleanup, *replaced), notes=_missed(due.missed))


def _standing(o: ScheduleObservation, now: datetime) -> tuple[Standing, Reason, str]:
    """Return what a schedule says of itself that waits for its next start."""
    last = o.schedule.status.last_schedule_time
    if (refused := _refused(o)) is not None and _current(o, refused):
        # It stands until the next start is tried, or an edit.
        return Standing.STALLED, Reason.START_REFUSED, refused.message
    if last is not None and last > now + _SKEW:
        message = (
            f"the last start was that of {_stamp(last)}, which is still to come: the clock was set back, and "
            "nothing starts before that time"
        )
        return Standing.READY, Reason.CLOCK_SET_BACK, message
    return Standing.READY, Reason.SCHEDULED, "the schedule is in force"


def _start(
    o: ScheduleObservation, at: datetime, cleanup: tuple[Action, ...], now: datetime
) -> Decision[OCIJobScheduleStatus]:
    """Make what is missing of a firing: that it has begun is written, so that a restart goes on with it."""
    if (why := _impossible(o, at)) is not None:
        message = f"the start of {_stamp(at)} was given up: spec.resources: {why}"
        given_up = _write(o, now, Standing.STALLED, Reason.START_REFUSED, message, starting=None)
        return Decision(status=given_up)
    if missing := creations(o, at):
        return _make(o, at, cleanup, missing, now)
    ready = _write(
        o, now, Standing.READY, Reason.SCHEDULED, "the schedule is in force", starting=None
    )
    return Decision(status=ready, actions=cleanup)


def _make(
    o: ScheduleObservation,
    at: datetime,
    cleanup: tuple[Action, ...],
    missing: tuple[Action, ...],
    now: datetime,
) -> Decision[OCIJobScheduleStatus]:
    """Make objects of a firing, unless the API server has just forbidden that."""
    status, forbidden = o.schedule.status, o.known.forbidden
    due = creation_due_at(o.schedule.metadata, forbidden, o.settings)
    if forbidden is not None and forbidden.refusal is not None:
        message = (
            f"the API server forbids an object of the start of {_stamp(at)}: "
            f"{forbidden.refusal.message}"
        )
        status = _write(o, now, Standing.PROGRESSING, Reason.CREATION_FORBIDDEN, message)
    if due is not None and now < due:
        return Decision(status=status, actions=cleanup, wake_at=due)
    return Decision(status=status, actions=(*cleanup, *missing))


def _impossible(o: ScheduleObservation, at: datetime) -> str | None:
    """Return why a firing can't be made in full, in words."""
    if o.known.refused is not None:
        return f"the API server refuses an object: {o.known.refused}"
    names = (object_name(o.schedule, at, one.name) for one in o.schedule.spec.resources)
    taken = next((name for name in names if name in o.taken), None)
    return f"there is a {taken} which is not of this schedule" if taken is not None else None


def _void(o: ScheduleObservation) -> tuple[Action, ...]:
    """Return the deletion of what was made of a start that was given up: half of it would wait for ever."""
    status = o.schedule.status
    if _refused(o) is None or status.starting is not None:
        return ()
    return tuple(
        deletion
        for firing in firings(o)
        if firing.scheduled_time == status.last_schedule_time
        for deletion in firing.delete()
    )


def _refused(o: ScheduleObservation) -> Condition | None:
    """Return the condition that tells of a start that was given up."""
    ready = find(o.schedule.status.conditions, ConditionType.READY)
    return ready if ready is not None and ready.reason == Reason.START_REFUSED else None


def _current(o: ScheduleObservation, condition: Condition) -> bool:
    return condition.observed_generation == o.schedule.metadata.generation


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _missed(missed: Missed) -> tuple[Note, ...]:
    if missed is not Missed.MANY:
        return ()
    message = (
        "more than 100 starts were missed, and the last one is made up for: set or decrease "
        "spec.startingDeadlineSeconds, or look at the clocks"
    )
    return (Note(reason=Reason.TOO_MANY_MISSED_TIMES, message=message),)


def _stalled(
    o: ScheduleObservation, message: str, cleanup: tuple[Action, ...], now: datetime
) -> Decision[OCIJobScheduleStatus]:
    status = _write(o, now, Standing.STALLED, Reason.INVALID_SPEC, message, next_schedule_time=None)
    return Decision(status=status, actions=cleanup)


def _write(
    o: ScheduleObservation,
    now: datetime,
    standing: Standing,
    reason: Reason,
    message: str,
    **changes: Unpack[JobScheduleStatusChanges],
) -> OCIJobScheduleStatus:
    former, seen = o.schedule.status, firings(o)
    succeeded = (one.completion_time for one in seen if one.state is FiringState.SUCCEEDED)
    times = [time for time in (former.last_successful_time, *succeeded) if time is not None]
    headline = Headline(standing=standing, reason=reason, message=message)
    return restated(
        former,
        headline,
        generation=o.schedule.metadata.generation,
        now=now,
        changes={
            "active": sum(one.state is FiringState.ACTIVE for one in seen),
            "last_successful_time": max(times, default=None),
            "firings": tuple(
                Firing(scheduled_time=one.scheduled_time, state=one.state) for one in seen[-_SHOWN:]
            ),
            **changes,
        },
    )
