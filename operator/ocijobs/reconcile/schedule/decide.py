"""The decision about an OCIJobSchedule: whether a start is due, and what its firings make and leave.

Source of the rules: k8s.io/kubernetes/pkg/controller/cronjob/cronjob_controllerv2.go.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from ocijobs.api.reasons import Reason
from ocijobs.api.schedule import (
    ConcurrencyPolicy,
    Firing,
    FiringState,
    OCIJobScheduleStatus,
)
from ocijobs.reconcile.decision import Action, Decision, Note, NoteType
from ocijobs.reconcile.schedule.cron_fields import InvalidScheduleError
from ocijobs.reconcile.schedule.firings import creations, firings, superfluous
from ocijobs.reconcile.schedule.observation import ScheduleObservation
from ocijobs.reconcile.schedule.times import Missed, Timetable, due_start, next_start
from ocijobs.reconcile.standing import Headline, Standing, conditions

_SHOWN = 50


def decide_schedule(o: ScheduleObservation, now: datetime) -> Decision[OCIJobScheduleStatus]:
    """Decide what is to be done about a schedule. Total, deterministic, without effects."""
    meta, spec, status = o.schedule.metadata, o.schedule.spec, o.schedule.status
    if meta.paused or meta.deleting:
        return Decision(status=status)
    cleanup = superfluous(o)
    if o.known.refused is not None and o.known.refused[0] == meta.generation:
        message = f"spec.resources: the API server refuses an object: {o.known.refused[1]}"
        return _stalled(o, message, cleanup, now)
    if status.starting is not None:
        return _start(o, status.starting, cleanup, now)
    try:
        timetable = Timetable.parse(spec.schedule, spec.time_zone)
    except InvalidScheduleError as error:
        where = "" if str(error).startswith("spec.") else "spec.schedule: "
        return _stalled(o, f"{where}{error}", cleanup, now)
    if spec.suspend:
        message = "spec.suspend is true: nothing is started"
        idle = _write(o, now, Standing.IDLE, Reason.SUSPENDED, message, next_schedule_time=None)
        return Decision(status=idle, actions=cleanup)
    return _fire(o, timetable, cleanup, now)


def _fire(
    o: ScheduleObservation, timetable: Timetable, cleanup: tuple[Action, ...], now: datetime
) -> Decision[OCIJobScheduleStatus]:
    """Start what is due."""
    spec, status = o.schedule.spec, o.schedule.status
    last = status.last_schedule_time or o.schedule.metadata.creation_timestamp
    seconds = spec.starting_deadline_seconds
    deadline = timedelta(seconds=seconds) if seconds is not None else None
    due = due_start(timetable, last=last, now=now, deadline=deadline)
    following = next_start(timetable, last=last, now=now)
    active = [one for one in firings(o) if one.state is FiringState.ACTIVE]
    changes = {"next_schedule_time": following}
    if due.at is None:
        message = "the schedule is in force"
        ready = _write(o, now, Standing.READY, Reason.SCHEDULED, message, **changes)
        return Decision(status=ready, actions=cleanup, wake_at=following)
    notes = _missed(due.missed)
    if active and spec.concurrency_policy is ConcurrencyPolicy.FORBID:
        message = "a start is due, and an earlier firing has not ended: spec.concurrencyPolicy"
        ready = _write(o, now, Standing.READY, Reason.ALREADY_ACTIVE, message, **changes)
        return Decision(status=ready, actions=cleanup, wake_at=following)
    replaced: tuple[Action, ...] = ()
    if spec.concurrency_policy is ConcurrencyPolicy.REPLACE:
        replaced = tuple(deletion for one in active for deletion in one.delete())
    starting = _write(
        o,
        now,
        Standing.PROGRESSING,
        Reason.STARTING,
        f"starting what is due at {due.at:%Y-%m-%dT%H:%M:%SZ}",
        starting=due.at,
        last_schedule_time=due.at,
        **changes,
    )
    return Decision(status=starting, actions=(*cleanup, *replaced), notes=notes)


def _start(
    o: ScheduleObservation, at: datetime, cleanup: tuple[Action, ...], now: datetime
) -> Decision[OCIJobScheduleStatus]:
    """Make what is missing of a firing: that it has begun is written, so that a restart goes on with it."""
    if missing := creations(o, at):
        return Decision(status=o.schedule.status, actions=(*cleanup, *missing))
    message = "the schedule is in force"
    ready = _write(o, now, Standing.READY, Reason.SCHEDULED, message, starting=None)
    return Decision(status=ready, actions=cleanup)


def _missed(missed: Missed) -> tuple[Note, ...]:
    if missed is not Missed.MANY:
        return ()
    message = (
        "more than 100 starts were missed, and the last one is made up for: set or decrease "
        "spec.startingDeadlineSeconds, or look at the clocks"
    )
    return (Note(type=NoteType.WARNING, reason=Reason.TOO_MANY_MISSED_TIMES, message=message),)


def _stalled(
    o: ScheduleObservation, message: str, cleanup: tuple[Action, ...], now: datetime
) -> Decision[OCIJobScheduleStatus]:
    changes = {"next_schedule_time": None, "starting": None}
    status = _write(o, now, Standing.STALLED, Reason.INVALID_SPEC, message, **changes)
    return Decision(status=status, actions=cleanup)


def _write(
    o: ScheduleObservation,
    now: datetime,
    standing: Standing,
    reason: Reason,
    message: str,
    **changes: Any,
) -> OCIJobScheduleStatus:
    former, generation = o.schedule.status, o.schedule.metadata.generation
    seen = firings(o)
    succeeded = (one.completion_time for one in seen if one.state is FiringState.SUCCEEDED)
    times = [time for time in (former.last_successful_time, *succeeded) if time is not None]
    headline = Headline(standing=standing, reason=reason, message=message)
    return former.model_copy(
        update={
            "observed_generation": generation,
            "active": sum(one.state is FiringState.ACTIVE for one in seen),
            "last_successful_time": max(times, default=None),
            "firings": tuple(
                Firing(scheduled_time=one.scheduled_time, state=one.state) for one in seen[-_SHOWN:]
            ),
            "conditions": conditions(former.conditions, headline, generation=generation, now=now),
            **changes,
        }
    )
