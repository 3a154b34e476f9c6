"""The Monitoring Query Language: text to a query.

::

    CpuUtilization[1m]{resourceId = "ocid1…"}.mean()
    CpuUtilization[5m]{resourceId =~ "*a|*b", kind != "gpu"}.groupBy(resourceId).percentile(0.9)
    loss[1h].grouping().min()
"""

import re
from dataclasses import dataclass

from oci_emulator import wildcard

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
)
_UNITS = {"m": 60, "h": 3600, "d": 86400}
_LONGEST = 86400

_HEAD = re.compile(r"\s*(?P<name>[A-Za-z][\w.$/-]*)\s*\[\s*(?P<interval>\w+)\s*\]\s*")
_DIMENSION = re.compile(
    r'\s*(?P<name>[\w.$-]+)\s*(?P<operator>=~|!=|=)\s*"(?P<value>[^"]*)"\s*(?P<next>,|&&|\}|$)'
)
_CALL = re.compile(r"\s*\.\s*(?P<name>\w+)\s*\(\s*(?P<arguments>[^()]*?)\s*\)\s*")


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
    """

    metric: str
    interval: int
    dimensions: tuple[Dimension, ...]
    group_by: tuple[str, ...] | None
    statistic: str
    percentile: float = 0.0


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
    if text[position:].strip():
        raise QueryError(
            f"the end must follow the statistic, not {text[position:][:20]!r}: queries of alarms"
            " and joins are not here"
        )
    return Query(
        metric=head["name"],
        interval=seconds(head["interval"]),
        dimensions=dimensions,
        group_by=group_by,
        statistic=name,
        percentile=_percentile(name, arguments),
    )


def seconds(text: str) -> int:
    """An interval such as 1m, 2h or 1d in seconds.

    Raises:
        QueryError: it is none, or longer than a day.
    """
    match = re.fullmatch(r"([1-9]\d{0,3})([mhd])", text, re.ASCII)
    found = int(match[1]) * _UNITS[match[2]] if match else 0
    if not 0 < found <= _LONGEST:
        raise QueryError(f"the interval must be 1m to 60m, 1h to 24h or 1d, not {text[:20]!r}")
    return found


def _dimensions(text: str, position: int) -> tuple[tuple[Dimension, ...], int]:
    if not text.startswith("{", position):
        return (), position
    found = []
    position += 1
    while True:
        match = _DIMENSION.match(text, position)
        if match is None or not match["next"]:
            raise QueryError(f'a dimension must follow {{, as in {{resourceId = "…"}}: {text!r}')
        found.append(Dimension(match["name"], match["operator"], match["value"]))
        position = match.end()
        if match["next"] == "}":
            return tuple(found), position


def _call(text: str, position: int) -> tuple[str, str, int]:
    match = _CALL.match(text, position)
    if match is None:
        raise QueryError(f"a statistic must follow, such as .mean(), not {text[position:][:20]!r}")
    return match["name"], match["arguments"], match.end()


def _names(arguments: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in arguments.split(","))
    if not all(names):
        raise QueryError("groupBy needs the names of dimensions")
    return names


def _percentile(name: str, arguments: str) -> float:
    if name != "percentile":
        if arguments:
            raise QueryError(f"{name} takes no argument, not {arguments[:20]!r}")
        return 0.0
    try:
        share = float(arguments)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise QueryError(f"percentile takes a number of 0 to 1, not {arguments[:20]!r}")
    return share
