"""The objects as they were seen last, from the watch, from lists and from the answers to our own writes.

The store never goes back: it ignores an object with an older resourceVersion than the stored one, and a deleted one.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Iterator
from typing import Any, TypeVar

from pydantic import ValidationError

from ocijobs.api import kinds
from ocijobs.api.crd import KINDS
from ocijobs.api.job.spec import OCIJob
from ocijobs.api.kueue import WORKLOAD, Workload
from ocijobs.api.run.spec import OCIJobRun
from ocijobs.api.shared.metadata import ObjectKey, ObjectMeta
from ocijobs.api.shared.model import Model
from ocijobs.controller.entry import ChangeListener, Entry, dependency_keys

_MODELS: dict[str, type[Model]] = {kind.name: kind.model for kind in KINDS} | {WORKLOAD: Workload}
_TOMBSTONES = 10_000
_KeyT = TypeVar("_KeyT")


class Store:
    """All objects of our kinds that are served. A second store has the Workloads of runs."""

    def __init__(self) -> None:
        self._entries: dict[ObjectKey, Entry] = {}
        self._runs_of: dict[ObjectKey, set[ObjectKey]] = defaultdict(set)
        self._open_runs_of: dict[ObjectKey, set[ObjectKey]] = defaultdict(set)
        self._waiting_for: dict[ObjectKey, set[ObjectKey]] = defaultdict(set)
        self._owned: dict[str, set[ObjectKey]] = defaultdict(set)
        self._in_namespace: dict[tuple[str, str], set[ObjectKey]] = defaultdict(set)
        self._gone: OrderedDict[str, None] = OrderedDict()
        self._listeners: list[ChangeListener] = []

    def listen(self, listener: ChangeListener) -> None:
        """Call `listener` after each change from now on."""
        self._listeners.append(listener)

    def get(self, key: ObjectKey) -> Entry | None:
        """Return an object, or None."""
        return self._entries.get(key)

    def job(self, namespace: str, name: str) -> OCIJob | None:
        """Return the OCIJob of that name; None if there is none that validates."""
        entry = self.get(ObjectKey(kinds.JOB, namespace, name))
        return entry.resource if entry is not None and isinstance(entry.resource, OCIJob) else None

    def all_keys(self) -> list[ObjectKey]:
        """Return the keys of all objects."""
        return list(self._entries)

    def of_kind(self, kind: str, namespace: str | None = None) -> Iterator[Entry]:
        """Yield the objects of a kind, of one namespace or of all."""
        if namespace is not None:
            for key in sorted(self._in_namespace.get((kind, namespace), ())):
                yield self._entries[key]
            return
        for entry in list(self._entries.values()):
            if entry.key.kind == kind:
                yield entry

    def runs_of(self, namespace: str, job_name: str) -> list[Entry]:
        """Return the OCIJobRuns that name an OCIJob."""
        keys = self._runs_of.get(ObjectKey(kinds.JOB, namespace, job_name), ())
        return [self._entries[key] for key in keys]

    def open_runs_of(self, namespace: str, job_name: str) -> list[OCIJobRun]:
        """Return the OCIJobRuns that name an OCIJob and have not ended: few of the thousands that it may have had."""
        keys = self._open_runs_of.get(ObjectKey(kinds.JOB, namespace, job_name), ())
        runs = (self._entries[key].resource for key in keys)
        return [run for run in runs if isinstance(run, OCIJobRun)]

    def waiting_for(self, key: ObjectKey) -> list[ObjectKey]:
        """Return the objects that wait, or have waited, for a run or a sweep."""
        return list(self._waiting_for.get(key, ()))

    def owned_by(self, uid: str) -> list[Entry]:
        """Return the objects whose controller has that uid."""
        return [self._entries[key] for key in self._owned.get(uid, ())]

    def put(self, document: dict[str, Any]) -> bool:
        """Store an object as it was seen; return whether it is newer than the stored one."""
        entry = parse(document)
        before = self._entries.get(entry.key)
        if entry.metadata.uid in self._gone or (before and not _newer(entry, before)):
            return False
        if before is not None:
            # A run of the same name may be of another job than the one whose end was not seen.
            self._unindex(before)
        self._entries[entry.key] = entry
        self._index(entry)
        self._tell(entry.key, before, entry)
        return True

    def remove(self, key: ObjectKey, uid: str | None = None) -> None:
        """Forget an object that is gone; with a uid, only that object."""
        if uid is not None:
            self._gone[uid] = None
            while len(self._gone) > _TOMBSTONES:
                self._gone.popitem(last=False)
        before = self._entries.get(key)
        if before is None or (uid is not None and before.metadata.uid != uid):
            return
        del self._entries[key]
        self._unindex(before)
        self._tell(key, before, None)

    def _index(self, entry: Entry) -> None:
        self._in_namespace[entry.key.kind, entry.key.namespace].add(entry.key)
        if isinstance(entry.resource, OCIJobRun):
            job = _job_key(entry.resource)
            self._runs_of[job].add(entry.key)
            if not entry.resource.status.ended:
                self._open_runs_of[job].add(entry.key)
        for key in dependency_keys(entry.key.namespace, entry.resource):
            self._waiting_for[key].add(entry.key)
        if (owner := entry.metadata.controller) is not None:
            self._owned[owner.uid].add(entry.key)

    def _unindex(self, entry: Entry) -> None:
        self._in_namespace[entry.key.kind, entry.key.namespace].discard(entry.key)
        if isinstance(entry.resource, OCIJobRun):
            job = _job_key(entry.resource)
            _discard(self._runs_of, job, entry.key)
            if not entry.resource.status.ended:
                _discard(self._open_runs_of, job, entry.key)
        for key in dependency_keys(entry.key.namespace, entry.resource):
            _discard(self._waiting_for, key, entry.key)
        if (owner := entry.metadata.controller) is not None:
            _discard(self._owned, owner.uid, entry.key)

    def _tell(self, key: ObjectKey, before: Entry | None, after: Entry | None) -> None:
        for listener in self._listeners:
            listener(key, before, after)


def parse(document: dict[str, Any]) -> Entry:
    """Return the entry of one of our objects. If it does not validate as its kind, it has a `problem`."""
    metadata = ObjectMeta.model_validate(document["metadata"])
    key = ObjectKey(document["kind"], metadata.namespace, metadata.name)
    try:
        resource = _MODELS[key.kind].model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return Entry(
            key=key,
            metadata=metadata,
            resource=None,
            problem=f"{where}: {first['msg']}",
            document=document,
        )
    return Entry(key=key, metadata=metadata, resource=resource)


def _job_key(run: OCIJobRun) -> ObjectKey:
    # An OCI job outside the cluster has no name here; no OCIJob has the empty one.
    return ObjectKey(kinds.JOB, run.metadata.namespace, run.job_name or "")


def _discard(index: dict[_KeyT, set[ObjectKey]], of: _KeyT, key: ObjectKey) -> None:
    index[of].discard(key)
    if not index[of]:
        del index[of]


def _newer(entry: Entry, before: Entry) -> bool:
    """Whether `entry` was seen later. resourceVersions of one kind are ordered (KEP-5504)."""
    return int(entry.metadata.resource_version) > int(before.metadata.resource_version)
