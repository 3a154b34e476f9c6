"""The objects and uploads of all buckets: names and facts here, bytes in the content store."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from oci_emulator.formats.jsontypes import compact
from oci_emulator.state.database import Database, Row

_DEFINITIONS = (
    """
    CREATE TABLE IF NOT EXISTS object (
        bucket TEXT NOT NULL, name TEXT NOT NULL, content TEXT NOT NULL, size INTEGER NOT NULL,
        md5 TEXT NOT NULL, multipart_md5 TEXT NOT NULL, etag TEXT NOT NULL,
        created REAL NOT NULL, modified REAL NOT NULL, headers TEXT NOT NULL,
        PRIMARY KEY (bucket, name)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE IF NOT EXISTS upload (
        id TEXT PRIMARY KEY, bucket TEXT NOT NULL, name TEXT NOT NULL, created REAL NOT NULL,
        headers TEXT NOT NULL
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE IF NOT EXISTS part (
        upload TEXT NOT NULL, number INTEGER NOT NULL, content TEXT NOT NULL,
        size INTEGER NOT NULL, md5 TEXT NOT NULL, etag TEXT NOT NULL,
        PRIMARY KEY (upload, number)
    ) WITHOUT ROWID
    """,
)
_OBJECT = "name, content, size, md5, multipart_md5, etag, created, modified, headers"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """One object.

    Attributes:
        md5: in base64; empty for an object of a multipart upload, which has ``multipart_md5``.
        headers: what the client said of the content: content-type, opc-meta-… and so on.
    """

    name: str
    content: str
    size: int
    md5: str
    multipart_md5: str
    etag: str
    created: float
    modified: float
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A multipart upload that isn't committed."""

    id: str
    bucket: str
    name: str
    created: float
    headers: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of an upload."""

    number: int
    content: str
    size: int
    md5: str
    etag: str


class ObjectTable:
    """Objects by bucket and name, in the order of the names' UTF-8 bytes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.define(*_DEFINITIONS)

    def get(self, bucket: str, name: str) -> StoredObject | None:
        """The object of a name."""
        rows = self._database.read(
            f"SELECT {_OBJECT} FROM object WHERE bucket = ? AND name = ?",  # noqa: S608
            (bucket, name),
        )
        return _stored(rows[0]) if rows else None

    def put(self, bucket: str, stored: StoredObject) -> None:
        """Keep an object, in place of one of the same name."""
        self._database.write(
            "INSERT OR REPLACE INTO object VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                bucket,
                stored.name,
                stored.content,
                stored.size,
                stored.md5,
                stored.multipart_md5,
                stored.etag,
                stored.created,
                stored.modified,
                compact(stored.headers),
            ),
        )

    def remove(self, bucket: str, name: str) -> None:
        """Forget an object."""
        self._database.write("DELETE FROM object WHERE bucket = ? AND name = ?", (bucket, name))

    def first_from(self, bucket: str, start: str, *, exclusive: bool) -> StoredObject | None:
        """The first object at or after a name."""
        sign = ">" if exclusive else ">="
        rows = self._database.read(
            f"SELECT {_OBJECT} FROM object WHERE bucket = ? AND name {sign} ?"  # noqa: S608
            " ORDER BY name LIMIT 1",
            (bucket, start),
        )
        return _stored(rows[0]) if rows else None

    def contents(self) -> set[str]:
        """All content that objects and parts refer to."""
        rows = self._database.read("SELECT content FROM object UNION SELECT content FROM part")
        return {row[0] for row in rows}

    def totals(self, bucket: str) -> tuple[int, int]:
        """How many objects a bucket has, and how many bytes."""
        rows = self._database.read(
            "SELECT count(*), coalesce(sum(size), 0) FROM object WHERE bucket = ?", (bucket,)
        )
        number, size = rows[0]
        return number, size

    # Multipart uploads

    def add_upload(self, upload: Upload) -> None:
        """Keep a new upload."""
        self._database.write(
            "INSERT INTO upload VALUES (?, ?, ?, ?, ?)",
            (upload.id, upload.bucket, upload.name, upload.created, compact(upload.headers)),
        )

    def upload(self, identifier: str) -> Upload | None:
        """The upload of an id."""
        found = list(self._uploads("id = ?", identifier))
        return found[0] if found else None

    def uploads(self, bucket: str) -> list[Upload]:
        """The uploads of a bucket."""
        return list(self._uploads("bucket = ? ORDER BY name, created", bucket))

    def _uploads(self, condition: str, value: str) -> Iterator[Upload]:
        rows = self._database.read(
            f"SELECT id, bucket, name, created, headers FROM upload WHERE {condition}",  # noqa: S608
            (value,),
        )
        for identifier, bucket, name, created, headers in rows:
            yield Upload(
                id=identifier,
                bucket=bucket,
                name=name,
                created=created,
                headers=json.loads(headers),
            )

    def put_part(self, upload: str, part: Part) -> None:
        """Keep a part, in place of one of the same number."""
        self._database.write(
            "INSERT OR REPLACE INTO part VALUES (?, ?, ?, ?, ?, ?)",
            (upload, part.number, part.content, part.size, part.md5, part.etag),
        )

    def parts(self, upload: str) -> list[Part]:
        """The parts of an upload, by their numbers."""
        rows = self._database.read(
            "SELECT number, content, size, md5, etag FROM part WHERE upload = ? ORDER BY number",
            (upload,),
        )
        return [
            Part(number=number, content=content, size=size, md5=md5, etag=etag)
            for number, content, size, md5, etag in rows
        ]

    def remove_upload(self, identifier: str) -> None:
        """Forget an upload and its parts."""
        self._database.write("DELETE FROM part WHERE upload = ?", (identifier,))
        self._database.write("DELETE FROM upload WHERE id = ?", (identifier,))


def _stored(row: Row) -> StoredObject:
    name, content, size, md5, multipart_md5, etag, created, modified, headers = row
    return StoredObject(
        name=name,
        content=content,
        size=size,
        md5=md5,
        multipart_md5=multipart_md5,
        etag=etag,
        created=created,
        modified=modified,
        headers=json.loads(headers),
    )
