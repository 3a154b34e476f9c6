"""What objects wait for and who waits for them, as the store has it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ocijobs.api.shared.metadata import ObjectKey
from ocijobs.controller.memory import Memory
from ocijobs.controller.relations import relations_of, view_of
from ocijobs.controller.store import Store
from ocijobs.testing import START


def put(store: Store, name: str, kind: str = "OCIJobRun", **spec: Any) -> ObjectKey:
    """Put an object into the store, and return its key."""
    owner = spec.pop("owner", None)
    meta = {
        "name": name,
        "namespace": "team-a",
        "uid": f"uid-of-{name}",
        "resourceVersion": "1",
        "generation": 1,
        "creationTimestamp": "2026-01-01T00:00:00Z",
        **({"ownerReferences": [owner]} if owner is not None else {}),
    }
    status = spec.pop("status", {})
    given = {"jobRef": {"name": "job"}, **spec}
    store.put({"kind": kind, "metadata": meta, "spec": given, "status": status})
    return ObjectKey(kind, "team-a", name)


def owned_by(name: str, uid: str | None = None, kind: str = "OCIJobSweep") -> dict[str, Any]:
    return {"kind": kind, "name": name, "uid": uid or f"uid-of-{name}", "controller": True}


def test_an_object_goes_only_when_its_maker_has_noted_its_end() -> None:
    store = Store()
    put(store, "s", "OCIJobSweep", matrix={"X": ["1"]})
    ours = put(store, "s-0", ttlSecondsAfterFinished=0, owner=owned_by("s"))
    before = relations_of(store, ours)
    assert before.awaited is True
    another = put(store, "s-1", ttlSecondsAfterFinished=0, owner=owned_by("s", "uid-of-another"))
    assert not relations_of(store, another).awaited
    # A sweep that can't be read notes nothing any more.
    put(store, "odd", "OCIJobSweep", matrix=1)
    orphan = put(store, "odd-0", ttlSecondsAfterFinished=0, owner=owned_by("odd"))
    assert not relations_of(store, orphan).awaited


def test_what_can_t_be_read_neither_waits_nor_is_waited_for() -> None:
    store = Store()
    put(store, "first", dependsOn=1)
    waits = put(store, "second", dependsOn=[{"name": "first"}])
    assert relations_of(store, waits).views == {}
    assert view_of(None) is None


def test_a_way_back_is_found_among_several() -> None:
    store = Store()
    put(store, "a", dependsOn=[{"name": "c"}, {"name": "d"}])
    put(store, "b", dependsOn=[{"name": "d"}, {"name": "c"}])
    put(store, "d")
    start = put(store, "c", dependsOn=[{"name": "b"}, {"name": "a"}, {"name": "d"}])
    assert relations_of(store, start).cycle


def test_an_object_of_another_uid_is_not_taken_out() -> None:
    store = Store()
    key = put(store, "a")
    store.remove(key, "uid-of-another")
    assert store.get(key) is not None
    store.remove(ObjectKey("OCIJobRun", "team-a", "none"))


def test_of_what_is_gone_only_the_last_is_remembered() -> None:
    """An answer that comes late does not bring an object back; after very many others it might."""
    store = Store()
    key = put(store, "a")
    store.remove(key, "uid-of-a")
    put(store, "a")
    assert store.get(key) is None
    for number in range(20_000):
        store.remove(key, f"uid-{number}")
    put(store, "a")
    assert store.get(key) is not None


def test_memory_keeps_what_is_known_of_what_is_there() -> None:
    memory = Memory()
    job = ObjectKey("OCIJob", "team-a", "job")
    gone = ObjectKey("OCIJob", "team-a", "gone")
    for key in (job, gone):
        memory.want_refresh(key, START)
        memory.learn_identity(key, lambda known: known)
        memory.learn_job(f"uid-of-{key.name}", lambda known: replace(known, uploaded="x"))
    memory.keep_only({job: "uid-of-job"})
    assert memory.refresh_after(job) == START
    assert memory.refresh_after(gone) is None
    assert memory.job("uid-of-job").uploaded == "x"
    assert memory.job("uid-of-gone").uploaded is None
