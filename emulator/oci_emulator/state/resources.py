"""The resources that the services keep: documents with an OCID, an etag and a due time."""

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from oci_emulator.formats.jsontypes import JsonObject, compact
from oci_emulator.state.database import Database, Row

_DEFINITIONS = (
    """
    CREATE TABLE IF NOT EXISTS resource (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        compartment TEXT NOT NULL,
        parent TEXT NOT NULL,
        state TEXT NOT NULL,
        name TEXT NOT NULL,
        creator TEXT NOT NULL,
        created REAL NOT NULL,
        etag TEXT NOT NULL,
        due REAL,
        body TEXT NOT NULL,
        inner TEXT NOT NULL
    )
    """,
    """
    CREATE INDEX IF NOT EXISTS resource_by_compartment
    ON resource (kind, compartment, created, seq)
    """,
    """
    CREATE INDEX IF NOT EXISTS resource_by_state
    ON resource (kind, compartment, state, created, seq)
    """,
    "CREATE INDEX IF NOT EXISTS resource_by_parent ON resource (kind, parent, created, seq)",
    "CREATE INDEX IF NOT EXISTS resource_by_due ON resource (due) WHERE due IS NOT NULL",
)
_COLUMNS = "seq, id, kind, compartment, parent, created, etag, due, body, inner"
_COLUMN_NAMES = frozenset(
    {"id", "kind", "compartment", "parent", "state", "name", "creator", "created"}
)


@dataclass(slots=True, kw_only=True)
class Resource:
    """One resource.

    Attributes:
        body: what the API shows, in the API's field names.
        inner: what only the emulator knows.
        due: when it next changes by itself, in the emulator's time.
    """

    id: str
    kind: str
    compartment: str
    created: float
    body: JsonObject
    parent: str = ""
    inner: JsonObject = field(default_factory=dict)
    due: float | None = None
    etag: str = ""
    seq: int = 0

    @property
    def state(self) -> str:
        """The lifecycle state, or the status of a work request."""
        return str(self.body.get("lifecycleState") or self.body.get("status") or "")

    @property
    def name(self) -> str:
        """The display name, or the name of what has no display name."""
        return str(self.body.get("displayName") or self.body.get("name") or "")

    @property
    def creator(self) -> str:
        """Who created it; Data Flow calls that its owner."""
        return str(self.body.get("createdBy") or self.body.get("ownerPrincipalId") or "")

    def position(self, sort: str) -> str | float:
        """The value that it is sorted by: of a column, or of a path such as ``$.language``."""
        if sort.startswith("$."):
            value: str | float = self.body.get(sort[2:], "")
            return value
        return self.created if sort == "created" else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which resources, in which order.

    Attributes:
        kind: their kind.
        equal: column -> the value that it must have.
        compartments: if some are named, only what is in one of them.
        fields: path in the body, such as ``$.logType`` -> the value that must be there.
        name_prefix: only what has a name that begins with it.
        sort: the column to sort by, or the path of a field in the body, such as ``$.language``;
            ties are in the order of creation.
        after: (value of the sort column, seq) of the last resource of the former page.
        created_until: only what was created at this time or before.
        created_after: only what was created later.
        without_state: leave out what is in this state.
    """

    kind: str
    equal: Mapping[str, str] = field(default_factory=dict)
    compartments: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    name_prefix: str = ""
    sort: str = "created"
    descending: bool = False
    after: tuple[str | float, int] | None = None
    limit: int = -1
    created_until: float | None = None
    created_after: float | None = None
    without_state: str | None = None


class Resources:
    """The table of resources."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.define(*_DEFINITIONS)

    def get(self, kind: str, ocid: str) -> Resource | None:
        """The resource of that kind and OCID."""
        rows = self._database.read(
            f"SELECT {_COLUMNS} FROM resource WHERE id = ? AND kind = ?",  # noqa: S608
            (ocid, kind),
        )
        return _resource(rows[0]) if rows else None

    def add(self, resource: Resource) -> Resource:
        """Keep a new resource; it gets its etag and its place in the order of creation."""
        resource.etag = new_etag()
        cursor = self._database.write(
            "INSERT INTO resource (id, kind, compartment, parent, state, name, creator, created,"
            " etag, due, body, inner) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                resource.id,
                resource.kind,
                resource.compartment,
                resource.parent,
                resource.state,
                resource.name,
                resource.creator,
                resource.created,
                resource.etag,
                resource.due,
                compact(resource.body),
                compact(resource.inner),
            ),
        )
        resource.seq = cursor.lastrowid or 0
        return resource

    def save(self, resource: Resource, *, visible: bool = True) -> Resource:
        """Keep a changed resource; a visible change gives it a new etag."""
        if visible:
            resource.etag = new_etag()
        self._database.write(
            "UPDATE resource SET compartment = ?, parent = ?, state = ?, name = ?, etag = ?,"
            " due = ?, body = ?, inner = ? WHERE id = ?",
            (
                resource.compartment,
                resource.parent,
                resource.state,
                resource.name,
                resource.etag,
                resource.due,
                compact(resource.body),
                compact(resource.inner),
                resource.id,
            ),
        )
        return resource

    def remove(self, ocid: str) -> None:
        """Forget a resource altogether."""
        self._database.write("DELETE FROM resource WHERE id = ?", (ocid,))

    def select(self, selection: Selection) -> list[Resource]:
        """The resources of a selection."""
        where, parameters = _where(selection)
        direction = "DESC" if selection.descending else "ASC"
        rows = self._database.read(
            f"SELECT {_COLUMNS} FROM resource WHERE {where}"  # noqa: S608
            f" ORDER BY {_order(selection.sort)} {direction}, seq {direction} LIMIT ?",
            (*parameters, selection.limit),
        )
        return [_resource(row) for row in rows]

    def count(self, selection: Selection) -> int:
        """How many resources a selection has."""
        where, parameters = _where(selection)
        sql = f"SELECT count(*) FROM resource WHERE {where}"  # noqa: S608
        return int(self._database.read(sql, parameters)[0][0])

    def count_by_state(self, kind: str) -> dict[str, int]:
        """How many resources of a kind are in each state."""
        rows = self._database.read(
            "SELECT state, count(*) FROM resource WHERE kind = ? GROUP BY state ORDER BY state",
            (kind,),
        )
        return {str(state): int(number) for state, number in rows}

    def due(self) -> Iterable[tuple[float, str, str]]:
        """(due, kind, OCID) of all that will change by itself, soonest first."""
        return self._database.read(
            "SELECT due, kind, id FROM resource WHERE due IS NOT NULL ORDER BY due, seq"
        )


def new_etag() -> str:
    """An etag that no version had before."""
    return uuid.uuid4().hex


def _column(name: str) -> str:
    if name not in _COLUMN_NAMES:
        raise ValueError(f"resources have no column {name!r}")
    return name


def _order(name: str) -> str:
    """The expression for a column or a path; like all names, it comes from code."""
    if not name.startswith("$."):
        return _column(name)
    if not name[2:].isalpha():
        raise ValueError(f"resources can't be sorted by {name!r}")
    return f"coalesce(json_extract(body, '{name}'), '')"


def _where(selection: Selection) -> tuple[str, list[str | float]]:
    """The condition of a selection; names come from code, values are bound."""
    conditions = ["kind = ?"]
    parameters: list[str | float] = [selection.kind]
    for column, value in selection.equal.items():
        conditions.append(f"{_column(column)} = ?")
        parameters.append(value)
    if selection.compartments:
        marks = ", ".join("?" * len(selection.compartments))
        conditions.append(f"compartment IN ({marks})")
        parameters.extend(selection.compartments)
    for path, value in selection.fields.items():
        conditions.append("json_extract(body, ?) = ?")
        parameters += [path, value]
    if selection.created_until is not None:
        conditions.append("created <= ?")
        parameters.append(selection.created_until)
    if selection.created_after is not None:
        conditions.append("created > ?")
        parameters.append(selection.created_after)
    if selection.name_prefix:
        conditions.append("substr(name, 1, ?) = ?")
        parameters += [len(selection.name_prefix), selection.name_prefix]
    if selection.without_state is not None:
        conditions.append("state <> ?")
        parameters.append(selection.without_state)
    if selection.after is not None:
        sign = "<" if selection.descending else ">"
        conditions.append(f"({_order(selection.sort)}, seq) {sign} (?, ?)")
        parameters.extend(selection.after)
    return " AND ".join(conditions), parameters


def _resource(row: Row) -> Resource:
    seq, ocid, kind, compartment, parent, created, etag, due, body, inner = row
    return Resource(
        seq=seq,
        id=ocid,
        kind=kind,
        compartment=compartment,
        parent=parent,
        created=created,
        etag=etag,
        due=due,
        body=json.loads(body),
        inner=json.loads(inner),
    )
