"""Kueue, as far as one run sees it: Workloads that are admitted and evicted at will."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tests.unit.reconcile.simulation.api_server import ConflictError

from ocijobs.api.kueue import LABEL_QUEUE, Workload, WorkloadCondition
from ocijobs.reconcile.actions.objects import (
    CreateWorkload,
    DeleteWorkload,
    FinishWorkload,
    PatchWorkload,
)
from ocijobs.reconcile.run.observation import QueueView
from ocijobs.testing import ManualClock

QUEUE_LABEL = {LABEL_QUEUE: "team"}

QueueAction = CreateWorkload | PatchWorkload | FinishWorkload | DeleteWorkload


class SimulatedQueue:
    """The Workloads of one run's name."""

    def __init__(self, clock: ManualClock, *, served: bool) -> None:
        self._clock = clock
        self._documents: dict[str, dict[str, Any]] = {}
        self._versions = 0
        self.served = served
        self.generous = False
        self.writes = 0
        """How often the operator wrote."""
        self.on_given_back: Callable[[str], None] = lambda _: None
        """Told the owner's uid when quota is free again."""

    def view(self, name: str) -> QueueView:
        """Return what a run sees whose Workload has that name."""
        workload = self.get(name) if self.served else None
        return QueueView(served=self.served, workload=workload)

    def get(self, name: str) -> Workload | None:
        """Return a Workload."""
        document = self._documents.get(name)
        return Workload.model_validate(document) if document is not None else None

    def all(self) -> list[Workload]:
        """Return all Workloads."""
        return [Workload.model_validate(document) for document in self._documents.values()]

    # What Kueue and people do.

    def install(self) -> None:
        """Let the cluster have Kueue."""
        self.served = True

    def uninstall(self) -> None:
        """Let the cluster have Kueue no longer."""
        self.served = False
        self._documents.clear()

    def admit(self) -> None:
        """Admit what waits."""
        for document in self._documents.values():
            workload = Workload.model_validate(document)
            over = workload.has(WorkloadCondition.FINISHED) or workload.metadata.deleting
            waits = not workload.has(WorkloadCondition.QUOTA_RESERVED)
            if self.served and workload.spec.active and waits and not over:
                document["status"]["admission"] = {"clusterQueue": "all"}
                self._say(document, WorkloadCondition.QUOTA_RESERVED, true=True)
                self._say(document, WorkloadCondition.ADMITTED, true=True)
                self._say(document, WorkloadCondition.EVICTED, true=False)

    def evict(self) -> None:
        """Evict what has quota."""
        for document in self._documents.values():
            if Workload.model_validate(document).has(WorkloadCondition.QUOTA_RESERVED):
                self._say(document, WorkloadCondition.EVICTED, true=True)

    def activate(self, *, active: bool) -> None:
        """Set spec.active; what is deactivated is evicted."""
        for document in self._documents.values():
            document["spec"]["active"] = active
        if not active:
            self.evict()

    def delete(self) -> None:
        """Delete the Workloads."""
        for name in list(self._documents):
            self._delete(name)

    def collect(self, uid: str | None) -> None:
        """Delete, as garbage collection does, what belongs to another run than that."""
        for workload in self.all():
            owner = workload.metadata.controller
            if owner is not None and owner.uid != uid:
                self._delete(workload.metadata.name)

    # What the operator does.

    def execute(self, action: QueueAction) -> None:
        """Carry an action out, as the API server does.

        Raises:
            ConflictError: a Workload is not as the tests of a patch have it.
        """
        self.writes += 1
        match action:
            case CreateWorkload():
                document: dict[str, Any] = dict(action.document)
                meta = {**document["metadata"], "uid": f"workload-{self._versions}"}
                meta["creationTimestamp"] = self._clock.now().isoformat()
                made = {**document, "metadata": meta, "status": {"conditions": []}}
                made["spec"] = {**document["spec"], "active": True}
                self._documents[meta["name"]] = self._changed(made)
            case PatchWorkload(name=name, changes=changes):
                self._patch(name, changes)
            case FinishWorkload(name=name, condition=condition):
                if name in self._documents:
                    before = self.get(name)
                    self._put(self._documents[name], condition)
                    self._tell_given_back(name, before)
            case DeleteWorkload(name=name, uid=uid):
                found = self.get(name)
                if found is not None and found.metadata.uid == uid:
                    self._delete(name)
        if self.generous:
            self.admit()

    def _patch(self, name: str, changes: Iterable[Mapping[str, Any]]) -> None:
        if name not in self._documents:
            return
        before = self.get(name)
        patched = _patched(self._documents[name], changes)
        meta = patched["metadata"]
        if meta.get("deletionTimestamp") and not meta.get("finalizers"):
            del self._documents[name]
        else:
            self._documents[name] = self._changed(patched)
        self._tell_given_back(name, before)

    def _delete(self, name: str) -> None:
        before, meta = self.get(name), self._documents[name]["metadata"]
        if meta.get("finalizers"):
            meta.setdefault("deletionTimestamp", self._clock.now().isoformat())
            self._changed(self._documents[name])
            return
        del self._documents[name]
        self._tell_given_back(name, before)

    def _tell_given_back(self, name: str, before: Workload | None) -> None:
        after = self.get(name)
        owner = before.metadata.controller if before is not None else None
        if owner is not None and _counts(before) and not _counts(after):
            self.on_given_back(owner.uid)

    def _say(self, document: dict[str, Any], kind: WorkloadCondition, *, true: bool) -> None:
        condition = {
            "type": kind.value,
            "status": "True" if true else "False",
            "reason": "Preempted" if kind is WorkloadCondition.EVICTED else "Said",
            "message": f"{kind.value} is {true}",
            "lastTransitionTime": self._clock.now().isoformat(),
        }
        self._put(document, condition)

    def _put(self, document: dict[str, Any], condition: Mapping[str, Any]) -> None:
        conditions = document["status"]["conditions"]
        others = [each for each in conditions if each["type"] != condition["type"]]
        document["status"]["conditions"] = [*others, dict(condition)]
        self._changed(document)

    def _changed(self, document: dict[str, Any]) -> dict[str, Any]:
        self._versions += 1
        document["metadata"]["resourceVersion"] = str(self._versions)
        return document


def _counts(workload: Workload | None) -> bool:
    """Whether Kueue counts it."""
    if workload is None or workload.has(WorkloadCondition.FINISHED):
        return False
    return workload.has(WorkloadCondition.QUOTA_RESERVED)


def _patched(document: dict[str, Any], changes: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a document after a JSON patch (RFC 6902), as far as it is used."""
    patched: dict[str, Any] = _copy(document)
    for change in changes:
        *way, last = change["path"].strip("/").split("/")
        node: Any = patched
        for step in way:
            node = node[int(step)] if isinstance(node, list) else node[step]
        key = int(last) if isinstance(node, list) and last != "-" else last
        match change["op"]:
            case "test":
                if node[key] != change["value"]:
                    raise ConflictError(change["path"])
            case "remove":
                del node[key]
            case "add" if key == "-":
                node.append(change["value"])
            case _:
                node[key] = change["value"]
    return patched


def _copy(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _copy(value) for key, value in node.items()}
    return [_copy(item) for item in node] if isinstance(node, list) else node
