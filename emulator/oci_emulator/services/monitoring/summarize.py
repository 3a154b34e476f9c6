"""Statistics over the datapoints of streams, interval by interval."""

import math
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter

from oci_emulator.services.monitoring.mql import Query
from oci_emulator.services.monitoring.store import Point, Stream

Key = tuple[str, tuple[tuple[str, str], ...]]
"""What keeps a group apart: a compartment, or "" for any, and dimensions."""
Window = tuple[float, float]
"""The start of an interval and the value in it."""


def grouped(streams: Iterable[Stream], query: Query) -> dict[Key, list[Stream]]:
    """The streams that a query is about, by what keeps them apart."""
    groups: dict[Key, list[Stream]] = defaultdict(list)
    for stream in streams:
        if not all(each.fits(stream.dimensions.get(each.name)) for each in query.dimensions):
            continue
        if query.group_by is None:
            compartment, names = stream.compartment, sorted(stream.dimensions)
        else:
            compartment, names = "", list(query.group_by)
        own = stream.dimensions
        key = compartment, tuple((name, own[name]) for name in names if name in own)
        groups[key].append(stream)
    return groups


def windows(
    points: Iterable[Point], query: Query, resolution: int, *, since: float = -math.inf
) -> list[Window]:
    """The statistic in each interval that has datapoints; it may be infinite.

    ``resolution``: seconds from the start of one interval to that of the next.
    ``since``: leave out intervals before the one that this time is in.
    """
    in_window: dict[int, list[Point]] = defaultdict(list)
    for point in points:
        last = math.floor(point.time / resolution) * resolution
        # Intervals that are longer than the resolution overlap.
        start = last
        while start > max(point.time - query.interval, since - resolution):
            in_window[start].append(point)
            start -= resolution
    return [
        (float(start), _value(sorted(found, key=attrgetter("time")), query))
        for start, found in sorted(in_window.items())
    ]


def absences(
    points: Iterable[Point], query: Query, resolution: int, *, since: float, until: float
) -> list[Window]:
    """1 for each whole interval without datapoints, 0 for each other one.

    Before the first datapoint nothing is missing; ``query.absence`` after the latest one, nothing
    is expected any more.
    """
    times = sorted(point.time for point in points)
    if not times:
        return []
    found = []
    start = math.floor(max(since, times[0]) / resolution) * resolution
    while start + query.interval <= until and start <= times[-1] + query.absence:
        end = start + query.interval
        before, behind = bisect_left(times, start), bisect_left(times, end)
        if behind > before:
            found.append((float(start), 0.0))
        elif start - times[before - 1] <= query.absence:
            found.append((float(start), 1.0))
        start += resolution
    return found


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
