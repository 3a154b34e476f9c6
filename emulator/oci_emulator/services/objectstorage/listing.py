"""Lists of objects."""

from collections.abc import Mapping

from oci_emulator.formats.jsontypes import JsonObject
from oci_emulator.services.objectstorage.table import ObjectTable, StoredObject
from oci_emulator.time.clock import timestamp


class Listing:
    """A walk over the names of a bucket that leaps over what a prefix stands for."""

    def __init__(
        self, table: ObjectTable, bucket: str, query: Mapping[str, str], delimiter: str
    ) -> None:
        self._table = table
        self._bucket = bucket
        self._prefix = query.get("prefix", "")
        self._end = query.get("end")
        self._delimiter = delimiter
        self._start = query.get("start") or query.get("startAfter") or ""
        self._exclusive = "startAfter" in query

    def page(self, limit: int) -> tuple[list[StoredObject], list[str], str | None]:
        """Objects, prefixes, and the name that the next page starts with, if there is one."""
        objects: list[StoredObject] = []
        prefixes: list[str] = []
        position, exclusive = self._start, self._exclusive
        if position < self._prefix:
            position, exclusive = self._prefix, False
        while (stored := self._next(position, exclusive=exclusive)) is not None:
            if len(objects) + len(prefixes) == limit:
                return objects, prefixes, stored.name
            common = self._common_prefix(stored.name)
            if common:
                prefixes.append(common)
                # The first name that doesn't begin with it.
                position, exclusive = common[:-1] + chr(ord(common[-1]) + 1), False
            else:
                objects.append(stored)
                position, exclusive = stored.name, True
        return objects, prefixes, None

    def _next(self, position: str, *, exclusive: bool) -> StoredObject | None:
        stored = self._table.first_from(self._bucket, position, exclusive=exclusive)
        if stored is None or not stored.name.startswith(self._prefix):
            return None
        if self._end is not None and stored.name >= self._end:
            return None
        return stored

    def _common_prefix(self, name: str) -> str:
        if not self._delimiter:
            return ""
        index = name.find(self._delimiter, len(self._prefix))
        return name[: index + 1] if index >= 0 else ""


def summary(stored: StoredObject, fields: set[str]) -> JsonObject:
    """An object as a list shows it; fields other than the name only if they are asked for."""
    document = {
        "name": stored.name,
        "size": stored.size,
        "md5": stored.md5 or stored.multipart_md5,
        "etag": stored.etag,
        "timeCreated": timestamp(stored.created),
        "timeModified": timestamp(stored.modified),
        "storageTier": stored.headers.get("storage-tier", "Standard"),
    }
    return {name: value for name, value in document.items() if name in fields}
