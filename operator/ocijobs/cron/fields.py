"""A cron expression, read as Kubernetes reads it: robfig/cron v3's `ParseStandard`, five fields or a descriptor.

The parser is our own, since those of Python differ where it matters: `*/2` as day of month does not count as a star,
Sunday is 0 and never 7, `5/15` means `5-59/15`, and there is no L, W or #. Goldens made with Kubernetes' own code
hold it (tests/unit/cron/goldens/cron.json).
Source: https://pkg.go.dev/github.com/robfig/cron/v3, which k8s.io/kubernetes/pkg/controller/cronjob uses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction


class InvalidScheduleError(ValueError):
    """The expression is none; the message says which part, and what is expected."""


_MONTHS = dict(
    zip(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
        range(1, 13),
        strict=True,
    )
)
_DAYS = dict(zip(["sun", "mon", "tue", "wed", "thu", "fri", "sat"], range(7), strict=True))
_DESCRIPTORS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}


@dataclass(frozen=True, slots=True)
class _Bounds:
    name: str
    least: int
    most: int
    names: dict[str, int]


_FIELDS = (
    _Bounds("minute", 0, 59, {}),
    _Bounds("hour", 0, 23, {}),
    _Bounds("day of month", 1, 31, {}),
    _Bounds("month", 1, 12, _MONTHS),
    _Bounds("day of week", 0, 6, _DAYS),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CronFields:
    """What the five fields allow; `any_*` tells a day field that is a star."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    any_day: bool
    any_weekday: bool

    def allows(self, day: date) -> bool:
        """Whether the expression has times on that day: two day fields without a star add to each other."""
        if day.month not in self.months:
            return False
        of_month = day.day in self.days
        of_week = day.isoweekday() % 7 in self.weekdays
        return (of_month and of_week) if self.any_day or self.any_weekday else (of_month or of_week)


def parse_fields(text: str) -> CronFields:
    """Return what an expression of five fields, or a descriptor such as `@daily`, allows.

    Raises:
        InvalidScheduleError: naming the field.
    """
    expression = _DESCRIPTORS.get(text, text)
    parts = expression.split()
    if len(parts) != len(_FIELDS):
        raise InvalidScheduleError(
            f"{text!r} has {len(parts)} fields: minute, hour, day of month, month and day of week are "
            "expected, such as '0 2 * * *', or @daily"
        )
    (minutes, _), (hours, _), (days, any_day), (months, _), (weekdays, any_weekday) = (
        _field(part, bounds) for part, bounds in zip(parts, _FIELDS, strict=True)
    )
    return CronFields(
        minutes=minutes,
        hours=hours,
        days=days,
        months=months,
        weekdays=weekdays,
        any_day=any_day,
        any_weekday=any_weekday,
    )


def _field(text: str, bounds: _Bounds) -> tuple[frozenset[int], bool]:
    """Return the values of a field, and whether it is a star."""
    values: set[int] = set()
    star = False
    for part in text.split(","):
        if part:
            found, is_star = _range(part, bounds)
            values.update(found)
            star = star or is_star
    if not values:
        raise InvalidScheduleError(f"{bounds.name}: {text!r} names no value")
    return frozenset(values), star


def _range(text: str, bounds: _Bounds) -> tuple[range, bool]:
    """Return what `*`, `?`, `n`, `n-m`, and these with `/step` name."""
    span, slash, step_text = text.partition("/")
    first_text, dash, last_text = span.partition("-")
    star = first_text in {"*", "?"} and not dash
    if star:
        first, last = bounds.least, bounds.most
    else:
        first = _number(first_text, bounds, text)
        last = _number(last_text, bounds, text) if dash else first
    step = 1
    if slash:
        step = _number(step_text, None, text)
        if not (dash or star):
            last = bounds.most
        star = star and step <= 1
    if not (bounds.least <= first <= last <= bounds.most) or step < 1:
        raise InvalidScheduleError(
            f"{bounds.name}: {text!r} is not within {bounds.least}-{bounds.most}, or runs backwards"
        )
    return range(first, last + 1, step), star


def _number(text: str, bounds: _Bounds | None, whole: str) -> int:
    if bounds is not None and text.lower() in bounds.names:
        return bounds.names[text.lower()]
    if not re.fullmatch("[0-9]{1,4}", text):
        where = f"{bounds.name}: " if bounds is not None else ""
        raise InvalidScheduleError(f"{where}{whole!r}: {text!r} is neither a number nor a name")
    return int(text)


_UNITS = {
    "h": Fraction(3600),
    "m": Fraction(60),
    "s": Fraction(1),
    "ms": Fraction(1, 10**3),
    "us": Fraction(1, 10**6),
    "µs": Fraction(1, 10**6),
    "ns": Fraction(1, 10**9),
}
_LONGEST_SECONDS = (2**63 - 1) // 10**9
"""A Go duration counts nanoseconds in 64 bits."""

_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(h|ms|us|µs|ns|m|s)")


def parse_every(text: str) -> timedelta:
    """Return the delay of `@every <duration>`: a Go duration, in whole seconds and at least one.

    Raises:
        InvalidScheduleError: if it is none.
    """
    duration = text.removeprefix("@every ")
    parts = _PART.findall(duration)
    if not parts or "".join(number + unit for number, unit in parts) != duration:
        raise InvalidScheduleError(f"{text!r}: a duration such as 1h30m is expected after @every")
    seconds = sum(Fraction(number.rstrip(".") or "0") * _UNITS[unit] for number, unit in parts)
    if seconds > _LONGEST_SECONDS:
        raise InvalidScheduleError(f"{text!r}: 292 years are the longest that a duration may be")
    return timedelta(seconds=max(1, int(seconds)))
