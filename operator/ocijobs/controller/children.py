"""The children of sweeps, updated with each change, so that no decision has to look through ten thousand runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from ocijobs.api import kinds
from ocijobs.api.run.phase import Phase
from ocijobs.api.run.spec import OCIJobRun
from ocijobs.api.shared.metadata import ObjectKey
from ocijobs.controller.entry import Entry
from ocijobs.reconcile.known.sweep import Children, ChildView, Outcome
from ocijobs.reconcile.sweep.indices import index_of


class ChildIndex:
    """Listens to the store, and returns the children of a sweep by its uid."""

    def __init__(self) -> None:
        self._of: defaultdict[str, Children] = defaultdict(Children)

    def of(self, uid: str) -> Children:
        """Return the children of a sweep. The result is a live view: it changes with them."""
        return self._of[uid]

    def keep_only(self, uids: AbstractSet[str]) -> None:
        """Forget the children of all sweeps but these."""
        for uid in self._of.keys() - uids:
            del self._of[uid]

    def changed(self, _key: ObjectKey, before: Entry | None, after: Entry | None) -> None:
        """Note a run that has changed, if it is or was a sweep's."""
        was, now = _place(before), _place(after)
        if was is not None and was != now:
            self._of[was.uid].lose(was.number)
        run = after.resource if after is not None else None
        if now is not None and isinstance(run, OCIJobRun):
            self._of[now.uid].see(now.number, child_view(run), outcome_of(run))


class _Place(NamedTuple):
    """Which child of which sweep a run is."""

    uid: str
    number: int


def _place(entry: Entry | None) -> _Place | None:
    owner = entry.metadata.controller if entry is not None else None
    if entry is None or owner is None or owner.kind != kinds.SWEEP:
        return None
    index = index_of(owner.name, entry.key.name)
    return _Place(owner.uid, index) if index is not None else None


def child_view(run: OCIJobRun) -> ChildView:
    """Return a run in the form that its sweep needs."""
    return ChildView(
        name=run.metadata.name,
        uid=run.metadata.uid,
        suspend=run.spec.suspend,
        cancel=run.spec.cancel,
        deleting=run.metadata.deleting,
    )


def outcome_of(run: OCIJobRun) -> Outcome | None:
    """Return how a run has ended; None if it has not."""
    if not run.status.ended:
        return None
    return Outcome(succeeded=run.status.phase is Phase.SUCCEEDED, results=run.status.results or {})
