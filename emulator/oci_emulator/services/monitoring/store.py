"""The datapoints of metrics, by stream: a metric with one combination of dimensions."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from oci_emulator.formats.jsontypes import compact
from oci_emulator.state.database import Database

_DEFINITIONS = (
    """
    CREATE TABLE IF NOT EXISTS metric_stream (
        id INTEGER PRIMARY KEY,
        compartment TEXT NOT NULL, namespace TEXT NOT NULL, resource_group TEXT NOT NULL,
        name TEXT NOT NULL, dimensions TEXT NOT NULL, metadata TEXT NOT NULL, newest REAL NOT NULL,
        UNIQUE (compartment, namespace, resource_group, name, dimensions)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS metric_point (
        stream INTEGER NOT NULL, time REAL NOT NULL, value REAL NOT NULL, count INTEGER NOT NULL
    )
    """,
    "CREATE INDEX IF NOT EXISTS metric_point_by_stream ON metric_point (stream, time)",
    "CREATE INDEX IF NOT EXISTS metric_point_by_time ON metric_point (time)",
)
_KEPT_SECONDS = 90 * 86400.0
"""How long datapoints are kept, as the service does."""
_TRIM_EVERY = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One stream of datapoints.

    Attributes:
        newest: the time of its latest datapoint.
        id: 0 until it is kept.
    """

    compartment: str
    namespace: str
    name: str
    dimensions: Mapping[str, str]
    resource_group: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    newest: float = 0.0
    id: int = 0


@dataclass(frozen=True, slots=True)
class Point:
    """A datapoint: a value that was measured ``count`` times."""

    time: float
    value: float
    count: int = 1


class MetricStore:
    """The tables of streams and datapoints."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # A process that ends before it has written so many must have trimmed too.
        self._written = _TRIM_EVERY
        database.define(*_DEFINITIONS)

    def add(self, stream: Stream, points: Iterable[Point], *, now: float) -> None:
        """Keep datapoints; those that were too old before go, every now and then."""
        points = list(points)
        if self._written >= _TRIM_EVERY:
            self._written = 0
            self._trim(now - _KEPT_SECONDS)
        newest = max(point.time for point in points)
        [(identifier,)] = self._database.write(
            "INSERT INTO metric_stream (compartment, namespace, resource_group, name, dimensions,"
            " metadata, newest) VALUES (?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET metadata = excluded.metadata,"
            " newest = max(newest, excluded.newest) RETURNING id",
            (
                stream.compartment,
                stream.namespace,
                stream.resource_group,
                stream.name,
                compact(dict(sorted(stream.dimensions.items()))),
                compact(dict(stream.metadata)),
                newest,
            ),
        ).fetchall()
        for point in points:
            self._database.write(
                "INSERT INTO metric_point VALUES (?, ?, ?, ?)",
                (identifier, point.time, point.value, point.count),
            )
        self._written += len(points)

    def _trim(self, before: float) -> None:
        self._database.write("DELETE FROM metric_point WHERE time < ?", (before,))
        self._database.write("DELETE FROM metric_stream WHERE newest < ?", (before,))

    def streams(
        self,
        compartments: Sequence[str],
        *,
        namespace: str | None = None,
        name: str | None = None,
        resource_group: str | None = None,
        since: float = 0.0,
    ) -> list[Stream]:
        """The streams of compartments, as far as they have what is given."""
        conditions = ["newest >= ?", f"compartment IN ({', '.join('?' * len(compartments))})"]
        parameters: list[str | float] = [since, *compartments]
        for column, value in (
            ("namespace", namespace),
            ("name", name),
            ("resource_group", resource_group),
        ):
            if value is not None:
                conditions.append(f"{column} = ?")
                parameters.append(value)
        rows = self._database.read(
            "SELECT id, compartment, namespace, resource_group, name, dimensions, metadata, newest"  # noqa: S608
            f" FROM metric_stream WHERE {' AND '.join(conditions)} ORDER BY id",
            parameters,
        )
        return [
            Stream(
                id=row[0],
                compartment=row[1],
                namespace=row[2],
                resource_group=row[3],
                name=row[4],
                dimensions=json.loads(row[5]),
                metadata=json.loads(row[6]),
                newest=row[7],
            )
            for row in rows
        ]

    def points(self, stream: Stream, start: float, end: float) -> list[Point]:
        """A stream's datapoints from a time to before another, in their order."""
        rows = self._database.read(
            "SELECT time, value, count FROM metric_point"
            " WHERE stream = ? AND time >= ? AND time < ? ORDER BY time",
            (stream.id, start, end),
        )
        return [Point(*row) for row in rows]

    def of_resource(
        self, compartment: str, namespace: str, resource: str, since: float
    ) -> dict[str, list[tuple[float, float]]]:
        """A resource's metrics since a time: name -> (time, value), in their order."""
        return {
            stream.name: [
                (point.time, point.value) for point in self.points(stream, since, stream.newest + 1)
            ]
            for stream in self.streams([compartment], namespace=namespace, since=since)
            if stream.dimensions.get("resourceId") == resource
        }
