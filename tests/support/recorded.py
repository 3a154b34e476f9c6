"""Recorded objects: what an operator of some version wrote, as the API server had it. Later versions have to read them.

`tests/recorded/<version>/` has a file for each object: first the object, then the objects that it belongs to or refers
to, as they were at the same moment. `oci.yaml` has the owner tags of what was in OCI. `make record` writes a folder.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from tests.support.namespace import Document, condition

FOLDER = Path(__file__).parents[1] / "recorded"
OCI = "oci.yaml"
"""OCID -> value of the tag ocijobs_owner, of the jobs and runs that were in OCI."""

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_OF_THE_FUTURE = frozenset({"nextScheduleTime"})


@dataclass(frozen=True, slots=True)
class Record:
    """One object, with what was around it.

    Attributes:
        version: name of the folder.
        name: name of the file, without its suffix.
        document: the object.
        around: what it belongs to or refers to, at the same moment.
        owners: OCID -> owner tag of what was in OCI.
    """

    version: str
    name: str
    document: Document
    around: tuple[Document, ...]
    owners: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.version}/{self.name}"

    @property
    def kind(self) -> str:
        """Kind of the object."""
        return str(self.document["kind"])

    @property
    def status(self) -> Document:
        """Its status."""
        return dict(self.document.get("status", {}))

    @property
    def phase(self) -> str:
        """Its phase, or where it stands if it has none."""
        return phase_of(self.document)

    @property
    def reason(self) -> str:
        """Reason of its condition Ready."""
        return str(condition(self.document, "Ready")["reason"])

    @property
    def written_at(self) -> datetime:
        """When the object was written, as far as its own times tell."""
        return max(_times(self.document)) + timedelta(seconds=1)

    @property
    def cluster_id(self) -> str:
        """The cluster, as the owner tags of this version's objects name it."""
        return next(iter(self.owners.values())).partition("/")[0]

    def others(self, kind: str) -> list[Document]:
        """Return what was around the object, of a kind."""
        return [each for each in self.around if each["kind"] == kind]

    def other(self, kind: str) -> Document | None:
        """Return the one object of a kind that was around, if there was one."""
        return next(iter(self.others(kind)), None)


def versions() -> list[str]:
    """Return the recorded versions, the oldest first."""
    return sorted(path.name for path in FOLDER.iterdir() if path.is_dir())


@cache
def _records_of(version: str) -> tuple[Record, ...]:
    folder = FOLDER / version
    owners = yaml.safe_load((folder / OCI).read_text())
    return tuple(
        _record(version, path, owners) for path in sorted(folder.glob("*.yaml")) if path.name != OCI
    )


def _record(version: str, path: Path, owners: Mapping[str, str]) -> Record:
    first, *others = yaml.safe_load_all(path.read_text())
    return Record(version, path.stem, first, tuple(others), owners)


def records(*kinds: str) -> list[Record]:
    """Return the records of all versions, or those of some kinds."""
    return [
        record
        for version in versions()
        for record in _records_of(version)
        if not kinds or record.kind in kinds
    ]


def phase_of(document: Document) -> str:
    """Return the phase of an object; of one without phases, where its conditions say that it stands."""
    if phase := document.get("status", {}).get("phase"):
        return str(phase)
    holds = {
        c["type"] for c in document.get("status", {}).get("conditions", ()) if c["status"] == "True"
    }
    if holds >= {"Ready", "Suspended"}:
        return "Idle"
    return next((word for word in ("Ready", "Stalled") if word in holds), "Progressing")


def _times(node: Any) -> Iterator[datetime]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key not in _OF_THE_FUTURE:
                yield from _times(value)
    elif isinstance(node, list):
        for item in node:
            yield from _times(item)
    elif isinstance(node, datetime):
        yield node
    elif isinstance(node, str) and _TIME.fullmatch(node):
        yield datetime.fromisoformat(node)
