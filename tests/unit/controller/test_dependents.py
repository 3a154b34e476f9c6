"""Who is looked at when something changes, and what an object sees of those around it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest

from ocijobs.api.job.spec import OCIJob
from ocijobs.api.kueue import WORKLOAD
from ocijobs.api.shared.metadata import ObjectKey
from ocijobs.controller.dependents import Dependents
from ocijobs.controller.memory import Memory
from ocijobs.controller.observer import Observer
from ocijobs.controller.queue import WorkQueue
from ocijobs.controller.relations import relations_of
from ocijobs.controller.store import Store
from ocijobs.controller.turns import Turns
from ocijobs.testing import DEFAULT_SETTINGS, ManualClock

NAMESPACE = "team-a"
SWEEP = ObjectKey("OCIJobSweep", NAMESPACE, "sweep")
CHILD = ObjectKey("OCIJobRun", NAMESPACE, "sweep-3")

JOB: dict[str, Any] = {
    "infrastructure": {"dataScienceJob": {"shapeName": "VM.Standard2.1"}},
    "runtime": {"script": {"source": {"inline": {"a.py": ""}}}},
}
IDENTITY: dict[str, Any] = {"type": "APIKey", "secretRef": {"name": "key"}}


class NotedQueue:
    """Notes which keys were to be looked at."""

    def __init__(self) -> None:
        self.keys: set[ObjectKey] = set()

    def add(self, key: ObjectKey) -> None:
        """Note a key."""
        self.keys.add(key)

    def add_after(self, key: ObjectKey, _seconds: float) -> None:
        """Note a key."""
        self.keys.add(key)


class Scene:
    """A store with those who listen to it."""

    def __init__(self) -> None:
        self.store, self.memory, self.queue = Store(), Memory(), NotedQueue()
        self.workloads = Store()
        observer = Observer(
            self.store,
            self.memory,
            ManualClock(),
            DEFAULT_SETTINGS,
            "cluster",
            workloads=self.workloads,
            turns=Turns(1, lambda _: None),
        )
        self.store.listen(self.memory.children.changed)
        queue = cast("WorkQueue", self.queue)
        dependents = Dependents(self.store, queue, observer, workloads=self.workloads)
        self.store.listen(dependents.changed)
        self.workloads.listen(dependents.workload_changed)
        self.observer, self.dependents = observer, dependents
        self._version = 0

    def put(
        self,
        key: ObjectKey,
        *,
        owner: ObjectKey | None = None,
        status: Any = None,
        deleted: bool = False,
        **spec: Any,
    ) -> None:
        """Have an object as it is now."""
        self._version += 1
        meta: dict[str, Any] = {
            "name": key.name,
            "namespace": key.namespace,
            "uid": str(key),
            "resourceVersion": str(self._version),
            "generation": 1,
            "creationTimestamp": "2026-01-01T00:00:00Z",
        }
        if owner is not None:
            reference = {"kind": owner.kind, "name": owner.name, "uid": str(owner)}
            meta["ownerReferences"] = [{**reference, "controller": True}]
        if deleted:
            meta["deletionTimestamp"] = "2026-01-01T00:20:00Z"
        given = {"jobRef": {"name": "job"}} | spec
        if key.kind == "OCIJobSweep":
            given = {"matrix": {"X": ["1"]}} | given
        store = self.workloads if key.kind == WORKLOAD else self.store
        self._note(lambda: store.put(self._document(key, meta, given, status)))

    def remove(self, key: ObjectKey) -> None:
        """Have an object gone."""
        self._note(lambda: self.store.remove(key))

    def _note(self, change: Callable[[], object]) -> None:
        self.queue.keys = set()
        change()
        self.woken = self.queue.keys

    @staticmethod
    def _document(key: ObjectKey, meta: Any, spec: Any, status: Any) -> dict[str, Any]:
        document = {"kind": key.kind, "metadata": meta, "spec": spec}
        return document | ({"status": status} if status else {})


def run(name: str) -> ObjectKey:
    """Return the key of a run."""
    return ObjectKey("OCIJobRun", NAMESPACE, name)


BOUND: dict[str, Any] = {"phase": "Running", "binding": {"jobUid": "uid"}}
ENDED: dict[str, Any] = {"phase": "Succeeded", "completionTime": "2026-01-01T00:10:00Z"}


def test_what_waits_for_the_sources_of_a_job_is_looked_at_and_what_waits_for_others_is_not() -> (
    None
):
    scene = Scene()
    for sweep, job in (("mine", "job"), ("another", "other")):
        scene.put(ObjectKey("OCIJobSweep", NAMESPACE, sweep), jobRef={"name": job})
    scene.put(ObjectKey("OCIJobSweep", NAMESPACE, "bound"), status=BOUND)
    scene.put(run("waits"))
    scene.put(run("elsewhere"), jobRef={"name": "other"})
    scene.put(
        run("launched"), status={"phase": "Running", "jobRunId": "ocid1.datasciencejobrun.oc1..a"}
    )
    scene.queue.keys = set()
    scene.dependents.wake_users_of_job(ObjectKey("OCIJob", NAMESPACE, "job"))
    assert scene.queue.keys == {ObjectKey("OCIJobSweep", NAMESPACE, "mine"), run("waits")}


def test_a_sweep_is_looked_at_when_the_run_goes_that_had_the_name_of_its_child() -> None:
    scene = Scene()
    scene.put(SWEEP)
    scene.put(CHILD)
    assert SWEEP not in scene.woken
    scene.remove(CHILD)
    assert SWEEP in scene.woken


def test_a_sweep_is_looked_at_when_a_child_is_being_deleted() -> None:
    scene = Scene()
    scene.put(SWEEP, status=BOUND)
    scene.put(CHILD, owner=SWEEP)
    scene.put(CHILD, owner=SWEEP, env=[])
    assert SWEEP not in scene.woken
    scene.put(CHILD, owner=SWEEP, deleted=True)
    assert SWEEP in scene.woken


def test_the_runs_of_a_sweep_are_looked_at_when_it_is_seen_to_be_bound() -> None:
    scene = Scene()
    scene.put(CHILD, owner=SWEEP)
    scene.put(SWEEP)
    assert CHILD not in scene.woken
    scene.put(SWEEP, status=BOUND)
    assert CHILD in scene.woken


def test_a_child_with_a_ttl_stays_until_its_sweep_has_noted_its_end() -> None:
    scene = Scene()
    scene.put(SWEEP, status=BOUND | {"completedIndexes": "0-2,5"})
    scene.put(CHILD, owner=SWEEP, status=ENDED, ttlSecondsAfterFinished=0)
    assert relations_of(scene.store, CHILD).awaited is True
    scene.put(SWEEP, status=BOUND | {"completedIndexes": "0-5"})
    assert CHILD in scene.woken
    assert relations_of(scene.store, CHILD).awaited is False


def test_what_a_schedule_made_stays_until_the_start_is_complete() -> None:
    scene, made = Scene(), run("nightly-1-train")
    schedule = ObjectKey("OCIJobSchedule", NAMESPACE, "nightly")
    plan: dict[str, Any] = {
        "schedule": "@daily",
        "resources": [{"name": "train", "run": {"jobRef": {"name": "j"}}}],
    }
    scene.put(schedule, status={"starting": "2026-01-01T00:00:00Z"}, **plan)
    scene.put(made, owner=schedule, status=ENDED, ttlSecondsAfterFinished=0)
    assert relations_of(scene.store, made).awaited is True
    scene.put(schedule, status={"lastScheduleTime": "2026-01-01T00:00:00Z"}, **plan)
    assert made in scene.woken
    assert relations_of(scene.store, made).awaited is False


def waiting_for(name: str, kind: str = "OCIJobRun") -> dict[str, Any]:
    """Return a spec that depends on another object."""
    return {"dependsOn": [{"kind": kind, "name": name}]}


def recorded(name: str, phase: str = "Running") -> dict[str, Any]:
    """Return the status of one that has waited for another."""
    met = {"kind": "OCIJobRun", "name": name, "uid": "uid-of-before", "phase": "Succeeded"}
    return {"phase": phase, "dependencies": [met]}


def test_a_cycle_over_runs_and_sweeps_is_found_from_each_in_it() -> None:
    scene = Scene()
    scene.put(run("a"), **waiting_for("sweep", "OCIJobSweep"))
    scene.put(SWEEP, **waiting_for("b"))
    value = {"resultRef": {"name": "a", "result": "auc"}}
    scene.put(run("b"), env=[{"name": "X", "valueFrom": value}])
    names = ("OCIJobRun a", "OCIJobSweep sweep", "OCIJobRun b")
    assert relations_of(scene.store, run("a")).cycle == names
    assert relations_of(scene.store, SWEEP).cycle == (names[1], names[2], names[0])
    assert relations_of(scene.store, run("b")).cycle == (names[2], names[0], names[1])


@pytest.mark.parametrize("phase", ["Running", "Succeeded"])
def test_what_has_come_is_no_part_of_a_cycle_though_one_of_its_name_waits(phase: str) -> None:
    """Run b was deleted and made anew when a had recorded it."""
    scene = Scene()
    scene.put(run("a"), status=recorded("b", phase), **waiting_for("b"))
    scene.put(run("b"), dependsOn=[{"name": "a"}, {"name": "other"}])
    assert relations_of(scene.store, run("b")).cycle == ()


def test_a_chain_of_thousands_is_walked_once() -> None:
    scene = Scene()
    for number in range(3000):
        scene.put(run(f"r{number}"), **waiting_for(f"r{number + 1}"))
    scene.put(run("r3000"), **waiting_for("r0"))
    assert len(relations_of(scene.store, run("r0")).cycle) == 3001


def test_a_sweep_that_waits_is_looked_at_when_its_identity_changes() -> None:
    scene = Scene()
    scene.put(ObjectKey("OCIJob", NAMESPACE, "job"), **JOB)
    scene.put(SWEEP)
    scene.put(ObjectKey("OCIIdentity", NAMESPACE, "default"), **IDENTITY)
    assert SWEEP in scene.woken


def test_the_children_of_a_sweep_are_known_by_their_names_whatever_their_labels_are() -> None:
    scene = Scene()
    scene.put(SWEEP, status=BOUND)
    scene.put(CHILD, owner=SWEEP)
    children = scene.memory.children.of(str(SWEEP))
    assert list(children.live) == [3]
    scene.put(CHILD, owner=SWEEP, status=ENDED | {"results": {"auc": "0.9"}})
    assert (list(children.live), children.ends[3].results) == ([], {"auc": "0.9"})
    scene.remove(CHILD)
    assert (children.lost, children.created) == ({3}, 4)


def test_a_run_that_is_a_sweep_s_no_more_counts_as_gone() -> None:
    """Somebody took its owner reference away, or deleted the sweep with --cascade=orphan."""
    scene = Scene()
    scene.put(SWEEP, status=BOUND)
    scene.put(CHILD, owner=SWEEP)
    scene.put(CHILD)
    children = scene.memory.children.of(str(SWEEP))
    assert (list(children.live), children.lost) == ([], {3})
    assert SWEEP in scene.woken


def test_of_the_runs_that_have_ended_a_job_sees_the_one_that_was_launched_last() -> None:
    scene = Scene()
    key = ObjectKey("OCIJob", NAMESPACE, "job")
    scene.put(key, **JOB)
    for hour, phase in ((1, "Succeeded"), (3, "Failed"), (2, "Succeeded")):
        status = {"phase": phase, "acceptedTime": f"2026-01-01T0{hour}:00:00Z"}
        scene.put(run(f"ended-{hour}"), status=status)
    scene.put(run("waiting"))
    entry = scene.store.get(key)
    assert entry is not None
    assert isinstance(entry.resource, OCIJob)
    assert {one.name for one in scene.observer.job(entry.resource).runs} == {"ended-3", "waiting"}
    active = {"phase": "Running", "acceptedTime": "2026-01-01T04:00:00Z"}
    scene.put(run("active"), status=active)
    assert {one.name for one in scene.observer.job(entry.resource).runs} == {"active", "waiting"}


def test_a_run_is_looked_at_when_its_workload_changes_and_the_workload_when_the_run_is_gone() -> (
    None
):
    scene, workload = Scene(), ObjectKey(WORKLOAD, NAMESPACE, "run-0a1b2c3d")
    scene.put(run("run"))
    scene.put(workload, owner=run("run"))
    assert scene.woken == {run("run")}
    scene.remove(run("run"))
    assert workload in scene.woken
    scene.put(workload, owner=run("run"), deleted=True)
    assert scene.woken == {workload}
