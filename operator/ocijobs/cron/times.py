"""When a schedule fires: batch/v1's CronJob, daylight saving time included.

A time of day that a clock skips in spring is skipped; one that comes twice in autumn fires twice. Where Kubernetes is
odd, so is this: in zones that change their clocks at midnight a day may be left out or taken twice, once a year.
Source: k8s.io/kubernetes/pkg/controller/cronjob/utils.go (`mostRecentScheduleTime`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ocijobs.cron.fields import CronFields, InvalidScheduleError, parse_every, parse_fields
from ocijobs.cron.local_time import LocalTime

_FURTHEST_YEARS = 5
"""A schedule that does not fire within these years never fires, to Kubernetes."""

_NOON = 12

_MANY = 100
"""More missed starts than this are many."""

_MOST_WRAPS = 1000
"""More turns than any schedule needs: robfig/cron turns for ever where a zone left a whole day out (Apia, 2011)."""


class InvalidTimeZoneError(ValueError):
    """No time zone has that name; the message says what is expected."""


class Missed(Enum):
    """How many starts were missed."""

    NONE = "none"
    FEW = "few"
    MANY = "many"


@dataclass(frozen=True, slots=True)
class Due:
    """The start that is due, if one is, and how many were missed before it."""

    at: datetime | None
    missed: Missed


@dataclass(frozen=True, slots=True)
class Timetable:
    """A schedule in its time zone."""

    fields: CronFields | timedelta
    zone: ZoneInfo

    @classmethod
    def parse(cls, schedule: str, zone: ZoneInfo) -> Timetable:
        """Return the timetable of five fields, a descriptor such as `@daily`, or `@every <duration>`.

        Raises:
            InvalidScheduleError: if the schedule is none, or never fires.
        """
        if schedule.startswith("@every "):
            return cls(parse_every(schedule), zone)
        timetable = cls(parse_fields(schedule), zone)
        if timetable.next_after(datetime(2024, 2, 28, tzinfo=UTC)) is None:
            raise InvalidScheduleError(f"{schedule!r} names no day that any year has")
        return timetable

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first start after `moment`, in UTC; None if there is none for years."""
        if isinstance(self.fields, timedelta):
            return moment.astimezone(UTC).replace(microsecond=0) + self.fields
        return _next(self.fields, self.zone, moment)


def time_zone(name: str) -> ZoneInfo:
    """Return the time zone of a name such as Europe/Paris.

    Raises:
        InvalidTimeZoneError: if there is none.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidTimeZoneError(
            f"{name!r} is not a time zone: a name such as Europe/Paris is expected"
        ) from error


def _next(fields: CronFields, zone: ZoneInfo, moment: datetime) -> datetime | None:
    """Return the next start as robfig/cron v3's `SpecSchedule.Next` finds it, step by step."""
    at = LocalTime.of(moment, zone).plus(timedelta(seconds=1, microseconds=-moment.microsecond))
    limit, aligned = at.wall.year + _FURTHEST_YEARS, False
    for _ in range(_MOST_WRAPS):
        if at.wall.year > limit:
            return None
        at, aligned, wrapped = _to_day(fields, at, aligned=aligned)
        if not wrapped:
            at, aligned, wrapped = _to_time(fields, at, aligned=aligned)
        if not wrapped:
            return at.instant
    return None


def _to_day(fields: CronFields, at: LocalTime, *, aligned: bool) -> tuple[LocalTime, bool, bool]:
    """Go on to a month and a day that fit; the last value tells of a new year or month, where all begins anew."""
    while at.wall.month not in fields.months:
        at = (at if aligned else at.at_start_of_month()).next_month()
        aligned = True
        if at.wall.month == 1:
            return at, aligned, True
    while not fields.allows(before := at.wall.date()):
        at = (at if aligned else at.at_start_of_day()).next_day()
        aligned = True
        if at.wall.hour != 0:
            # Midnight was not there, or came twice.
            hours = 24 - at.wall.hour if at.wall.hour > _NOON else -at.wall.hour
            at = at.plus(timedelta(hours=hours))
        if at.wall.day == 1 or at.wall.date() == before:
            # Where a zone left the next day out, this one comes again and again: such turns are counted.
            return at, aligned, True
    return at, aligned, False


def _to_time(fields: CronFields, at: LocalTime, *, aligned: bool) -> tuple[LocalTime, bool, bool]:
    """Go on to an hour, a minute and the second 0 that fit; the last value tells of a new day, hour or minute."""
    while at.wall.hour not in fields.hours:
        at = (at if aligned else at.at_start_of_hour()).plus(timedelta(hours=1))
        aligned = True
        if at.wall.hour == 0:
            return at, aligned, True
    while at.wall.minute not in fields.minutes:
        whole = at if aligned else at.plus(-timedelta(seconds=at.wall.second))
        at, aligned = whole.plus(timedelta(minutes=1)), True
        if at.wall.minute == 0:
            return at, aligned, True
    if at.wall.second != 0:
        return at.plus(timedelta(seconds=60 - at.wall.second)), True, True
    return at, aligned, False


def most_recent(timetable: Timetable, *, earliest: datetime, now: datetime) -> Due:
    """Return the last start in (earliest, now], estimated by the first interval: work does not grow with years missed.

    Args:
        timetable: of the schedule.
        earliest: the last start, or the creation of the object.
        now: the time now.
    """
    first = timetable.next_after(earliest)
    if first is None or now < first:
        return Due(None, Missed.NONE)
    second = timetable.next_after(first)
    if second is None or now < second:
        return Due(first, Missed.NONE)
    interval = second - first
    number = int((now - first) / interval) + 1
    found, at = None, timetable.next_after(first + (number - 2) * interval)
    while at is not None and at <= now:
        found, at = at, timetable.next_after(at)
    return Due(found, Missed.MANY if number > _MANY else Missed.FEW)


def due_start(
    timetable: Timetable, *, last: datetime, now: datetime, deadline: timedelta | None
) -> Due:
    """Return the start that is due: the last one after `last`, unless it was missed by more than `deadline`."""
    if deadline is None:
        return most_recent(timetable, earliest=last, now=now)
    if not isinstance(timetable.fields, timedelta):
        return most_recent(timetable, earliest=max(last, now - deadline), now=now)
    # Counted from the deadline, as Kubernetes does it, a delay that is longer than that would never be over.
    due = most_recent(timetable, earliest=last, now=now)
    late = due.at is not None and due.at <= now - deadline
    return Due(None, Missed.NONE) if late else due


def next_start(timetable: Timetable, *, last: datetime, now: datetime) -> datetime | None:
    """Return the first start that is still to come; `@every` counts from the last one, whenever it is asked."""
    if isinstance(timetable.fields, timedelta):
        recent = most_recent(timetable, earliest=last, now=now).at
        return timetable.next_after(recent or last)
    return timetable.next_after(max(now, last))
