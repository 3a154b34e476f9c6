"""When schedules fire: cron expressions, intervals and iCalendar recurrences, all in UTC."""

import random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from cronsim import CronSim, CronSimError
from dateutil.rrule import DAILY, HOURLY, WEEKLY, rrule, rruleset, rrulestr

from oci_emulator.calls.errors import invalid
from oci_emulator.formats.jsontypes import JsonObject

_CRON_FIELDS = 5
_HORIZON = timedelta(days=3660)
"""How far ahead a recurrence is looked for; what doesn't fire in ten years never does."""
_FREQUENCIES = {"HOURLY": timedelta(hours=1), "DAILY": timedelta(days=1)}
_STEPS = {HOURLY: timedelta(hours=1), DAILY: timedelta(days=1), WEEKLY: timedelta(weeks=1)}
_SLOW = ("SECONDLY", "MINUTELY")


def check(trigger: JsonObject) -> None:
    """Check that a trigger can be read, and that it fires at all.

    Raises:
        ServiceError: 400, it can't or doesn't.
    """
    start, end = _bounds(trigger)
    if start is not None and end is not None and end <= start:
        raise invalid("trigger.timeEnd: must be after timeStart")
    if trigger["triggerType"] == "INTERVAL" and trigger["interval"] < 1:
        raise invalid("trigger.interval: must be 1 or more")
    created = start or datetime.now(UTC)
    if following(trigger, created.timestamp(), created=created.timestamp()) is None:
        raise invalid("trigger: never fires")


def following(trigger: JsonObject, after: float, *, created: float) -> float | None:
    """The first time after a time at which a trigger fires; None if there is none.

    ``created``: when its schedule was made, from which it counts if it has no timeStart.

    Raises:
        ServiceError: 400, it can't be read.
    """
    start, end = _bounds(trigger)
    begin = start or datetime.fromtimestamp(created, UTC)
    try:
        # A firing at the very start counts.
        moment = max(datetime.fromtimestamp(after, UTC), begin - timedelta(microseconds=1))
        found = _FOLLOWING[trigger["triggerType"]](trigger, begin, moment)
    except OverflowError:
        raise invalid("trigger: leads beyond what a calendar has") from None
    if found is None or (end is not None and found > end):
        return None
    return found.timestamp()


def _bounds(trigger: JsonObject) -> tuple[datetime | None, datetime | None]:
    try:
        start, end = (
            datetime.fromisoformat(trigger[name]).astimezone(UTC) if name in trigger else None
            for name in ("timeStart", "timeEnd")
        )
    except OverflowError:
        raise invalid("trigger: leads beyond what a calendar has") from None
    return start, end


def _cron(trigger: JsonObject, begin: datetime, after: datetime) -> datetime | None:  # noqa: ARG001
    expression = trigger["cronExpression"]
    if len(expression.split()) != _CRON_FIELDS:
        raise invalid("trigger.cronExpression: must have five fields, as in '0 3 * * 1'")
    try:
        return next(CronSim(expression, after), None)
    except CronSimError as error:
        raise invalid(f"trigger.cronExpression: {error}") from None


def _interval(trigger: JsonObject, begin: datetime, after: datetime) -> datetime:
    step: timedelta = _FREQUENCIES[trigger["frequency"]] * trigger["interval"]
    first = begin + _delay(trigger, begin, step)
    passed = max(0, (after - first) // step + 1)
    return first + passed * step


def _delay(trigger: JsonObject, begin: datetime, step: timedelta) -> timedelta:
    """How much later than its start a schedule fires first; the same each time it is asked."""
    dice = random.Random(begin.isoformat())  # noqa: S311  # a jitter, no secret
    if trigger.get("isRandomStartTime"):
        return step * dice.random()
    return timedelta(minutes=dice.uniform(0, trigger.get("initialJitterInMinutes", 0)))


def _ical(trigger: JsonObject, begin: datetime, after: datetime) -> datetime | None:
    recurrence = trigger["recurrence"]
    if any(frequency in recurrence.upper() for frequency in _SLOW):
        raise invalid("trigger.recurrence: FREQ must be HOURLY, DAILY, WEEKLY, MONTHLY or YEARLY")
    try:
        rule = rrulestr(recurrence, dtstart=begin)
        if isinstance(rule, rruleset):
            raise invalid("trigger.recurrence: must be one RRULE")
        return _Search(_begun_later(rule, after), after + _HORIZON).first(after)
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        raise invalid(f"trigger.recurrence: {error}") from None


def _begun_later(rule: rrule, after: datetime) -> rrule:
    """The rule with a later beginning, in step with its own: a search goes through all times since then.

    A rule with a COUNT stays as it is, since all its times count; so do those of months and years, which have few.

    Raises:
        ServiceError: 400, its steps lead nowhere.
    """
    interval: int = rule._interval  # type: ignore[attr-defined]  # noqa: SLF001
    if interval < 1:
        raise invalid("trigger.recurrence: INTERVAL must be 1 or more")
    step = _STEPS.get(rule._freq)  # type: ignore[attr-defined]  # noqa: SLF001
    if step is None or rule._count is not None:  # type: ignore[attr-defined]  # noqa: SLF001
        return rule
    begin: datetime = rule._dtstart  # type: ignore[attr-defined]  # noqa: SLF001
    passed = max(0, (after - begin) // (step * interval))
    return rule.replace(dtstart=begin + passed * (step * interval))


class _BeyondHorizonError(Exception):
    """No time was found up to the horizon."""


class _Search(rrule):
    """A rule whose search ends at a horizon, even if it finds nothing.

    While dateutil finds no time, it goes on to the year 9999, hour by hour. Whenever it comes to another month (or
    year, in a yearly rule), it asks for ``_byeaster``. This class counts how often.
    """

    def __init__(self, rule: rrule, horizon: datetime) -> None:
        vars(self).update(vars(rule))
        begin: datetime = rule._dtstart  # type: ignore[attr-defined]  # noqa: SLF001
        months = (horizon.year - begin.year) * 12 + horizon.month - begin.month
        # Besides, it asks once when it begins; the first month and the last one count.
        self._asks_left = months + 2
        self._horizon = horizon

    def first(self, after: datetime) -> datetime | None:
        """The first time after another, up to the horizon; None if there is none."""
        try:
            found: datetime | None = self.after(after)
        except _BeyondHorizonError:
            return None
        return None if found is None or found > self._horizon else found

    @property
    def _byeaster(self) -> object:
        self._asks_left -= 1
        if self._asks_left < 0:
            raise _BeyondHorizonError
        return vars(self)["_byeaster"]


_FOLLOWING: Mapping[str, Callable[[JsonObject, datetime, datetime], datetime | None]] = {
    "CRON": _cron,
    "INTERVAL": _interval,
    "ICAL": _ical,
}
