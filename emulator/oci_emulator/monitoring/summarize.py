"""Statistics over the datapoints of streams, interval by interval."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter

from oci_emulator.monitoring.mql import Query
from oci_emulator.monitoring.store import Point, Stream

Window = tuple[float, float]
"""The start of an interval and the value in it."""


def grouped(
    streams: Iterable[Stream], query: Query
) -> dict[tuple[tuple[str, str], ...], list[Stream]]:
    """The streams that a query is about, by the dimensions that keep them apart."""
    groups: dict[tuple[tuple[str, str], ...], list[Stream]] = defaultdict(list)
    for stream in streams:
        if not all(each.fits(stream.dimensions.get(each.name)) for each in query.dimensions):
            continue
        if query.group_by is None:
            key = tuple(sorted(stream.dimensions.items()))
        else:
            key = tuple(
                (name, stream.dimensions[name])
                for name in query.group_by
                if name in stream.dimensions
            )
        groups[key].append(stream)
    return groups


def windows(points: Iterable[Point], query: Query, resolution: int) -> list[Window]:
    """The statistic in each interval that has datapoints.

    ``resolution``: seconds from the start of one interval to that of the next.
    """
    in_window: dict[int, list[Point]] = defaultdict(list)
    for point in points:
        last = math.floor(point.time / resolution) * resolution
        # Intervals that are longer than the resolution overlap.
        start = last
        while start > point.time - query.interval:
            in_window[start].append(point)
            start -= resolution
    return [
        (float(start), _value(sorted(found, key=attrgetter("time")), query))
        for start, found in sorted(in_window.items())
    ]


def _value(points: Sequence[Point], query: Query) -> float:
    if query.statistic == "percentile":
        return _percentile(points, query.percentile)
    if query.statistic == "rate":
        return (points[-1].value - points[0].value) / query.interval
    return float(_STATISTICS[query.statistic](points))


def _percentile(points: Sequence[Point], share: float) -> float:
    """The least value that at least this share of all measurements don't exceed."""
    ordered = sorted(points, key=attrgetter("value"))
    needed = share * _count(points)
    seen = 0
    for point in ordered:
        seen += point.count
        if seen >= needed:
            return point.value
    return ordered[-1].value


def _count(points: Sequence[Point]) -> int:
    return sum(point.count for point in points)


def _sum(points: Sequence[Point]) -> float:
    return sum(point.value * point.count for point in points)


_STATISTICS: Mapping[str, Callable[[Sequence[Point]], float]] = {
    "mean": lambda points: _sum(points) / _count(points),
    "sum": _sum,
    "count": _count,
    "min": lambda points: min(point.value for point in points),
    "max": lambda points: max(point.value for point in points),
    "first": lambda points: points[0].value,
    "last": lambda points: points[-1].value,
    "increment": lambda points: points[-1].value - points[0].value,
}
