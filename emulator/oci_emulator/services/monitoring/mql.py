"""The Monitoring Query Language: text to a query.

::

    CpuUtilization[1m]{resourceId = "ocid1…"}.mean()
    CpuUtilization[5m]{resourceId =~ "*a|*b", kind != "gpu"}.groupBy(resourceId).percentile(0.9)
    loss[1h].grouping().min()
    heartbeat[5m].groupBy(node).absent(20)
"""

import re
from dataclasses import dataclass

from oci_emulator.formats import wildcard

STATISTICS = (
    "mean",
    "sum",
    "min",
    "max",
    "count",
    "rate",
    "increment",
    "percentile",
    "first",
    "last",
    "absent",
)
_UNITS = {"m": (60, 60), "h": (3600, 24), "d": (86400, 1)}
"""Unit -> its seconds, and the most of it."""
_HOUR = 3600
_ABSENCE_HOURS = 2
_LONGEST_ABSENCE_HOURS = 72

_HEAD = re.compile(r"\s*(?P<name>[A-Za-z][\w.$/-]*)\s*\[\s*(?P<interval>\w+)\s*\]\s*", re.ASCII)
_DIMENSION = re.compile(
    r'\s*(?P<name>[^\s={}!~",]+)\s*(?P<operator>=~|!=|=)\s*"(?P<value>[^"]*)"\s*(?P<next>,|&&|\}|$)'
)
# The arguments are stripped afterwards: \s* around them would make this cubic in their length.
_CALL = re.compile(r"\s*\.\s*(?P<name>\w+)\s*\((?P<arguments>[^()]*)\)\s*")


class QueryError(ValueError):
    """A query that can't be read; the message says where."""


@dataclass(frozen=True, slots=True)
class Dimension:
    """What a stream's dimension must be.

    Attributes:
        operator: ``=``, ``!=``, or ``=~``: one of several patterns with ``*``.
    """

    name: str
    operator: str
    value: str

    def fits(self, value: str | None) -> bool:
        """Whether a stream with this value of the dimension, or none, fits."""
        if value is None:
            return self.operator == "!="
        if self.operator == "=~":
            return any(wildcard.fits(value, pattern) for pattern in self.value.split("|"))
        return (value == self.value) == (self.operator == "=")


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A statistic of a metric in each interval.

    Attributes:
        interval: seconds.
        group_by: dimensions whose values keep streams apart; None keeps all apart.
        percentile: between 0 and 1.
        absence: seconds without datapoints after which ``absent`` says nothing any more.
    """

    metric: str
    interval: int
    dimensions: tuple[Dimension, ...]
    group_by: tuple[str, ...] | None
    statistic: str
    percentile: float = 0.0
    absence: int = 0


def parse(text: str) -> Query:
    """Read a query.

    Raises:
        QueryError: it is none.
    """
    head = _HEAD.match(text)
    if head is None:
        raise QueryError("must begin with a metric and its interval, as in CpuUtilization[1m]")
    position = head.end()
    dimensions, position = _dimensions(text, position)
    group_by: tuple[str, ...] | None = None
    name, arguments, position = _call(text, position)
    if name in {"groupBy", "grouping"}:
        group_by = _names(arguments) if name == "groupBy" else ()
        name, arguments, position = _call(text, position)
    if name not in STATISTICS:
        raise QueryError(f"{name!r} is no statistic; there are {', '.join(STATISTICS)}")
    if arguments and name not in {"percentile", "absent"}:
        raise QueryError(f"{name} takes no argument, not {arguments[:20]!r}")
    if text[position:].strip():
        raise QueryError(
            f"the end must follow the statistic, not {text[position:][:20]!r}: queries of alarms"
            " and joins are not here"
        )
    return Query(
        metric=head["name"],
        interval=_interval(head["interval"]),
        dimensions=dimensions,
        group_by=group_by,
        statistic=name,
        percentile=_percentile(arguments) if name == "percentile" else 0.0,
        absence=_absence(arguments) if name == "absent" else 0,
    )


def seconds(text: str) -> int:
    """An interval such as 1m, 2h or 1d in seconds.

    Raises:
        QueryError: it is none of 1m to 60m, 1h to 24h and 1d.
    """
    match = re.fullmatch(r"([1-9]\d?)([mhd])", text, re.ASCII)
    length, most = _UNITS[match[2]] if match else (0, 0)
    number = int(match[1]) if match else 1
    if number > most:
        raise QueryError(f"must be 1m to 60m, 1h to 24h or 1d, not {text[:20]!r}")
    return number * length


def _interval(text: str) -> int:
    try:
        return seconds(text)
    except QueryError as error:
        raise QueryError(f"the interval {error}") from None


def _dimensions(text: str, position: int) -> tuple[tuple[Dimension, ...], int]:
    if not text.startswith("{", position):
        return (), position
    found = []
    position += 1
    while True:
        match = _DIMENSION.match(text, position)
        if match is None or not match["next"]:
            raise QueryError(
                f'a dimension must follow {{, as in {{resourceId = "…"}}: {text[:100]!r}'
            )
        found.append(Dimension(match["name"], match["operator"], match["value"]))
        position = match.end()
        if match["next"] == "}":
            return tuple(found), position


def _call(text: str, position: int) -> tuple[str, str, int]:
    match = _CALL.match(text, position)
    if match is None:
        raise QueryError(f"a statistic must follow, such as .mean(), not {text[position:][:20]!r}")
    return match["name"], match["arguments"].strip(), match.end()


def _names(arguments: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in arguments.split(","))
    if not all(names):
        raise QueryError("groupBy needs the names of dimensions")
    return names


def _absence(arguments: str) -> int:
    if not arguments:
        return _ABSENCE_HOURS * _HOUR
    match = re.fullmatch(r"[1-9]\d?", arguments, re.ASCII)
    if match is None or int(arguments) > _LONGEST_ABSENCE_HOURS:
        raise QueryError(
            f"absent takes hours, 1 to {_LONGEST_ABSENCE_HOURS}, not {arguments[:20]!r}"
        )
    return int(arguments) * _HOUR


def _percentile(arguments: str) -> float:
    try:
        share = float(arguments)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise QueryError(f"percentile takes a number of 0 to 1, not {arguments[:20]!r}")
    return share
