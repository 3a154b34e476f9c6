"""A run in a queue: what it asks for, what it says, and that the laws of the queue bite."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from tests.unit.reconcile.simulation.commands import Live, Strike
from tests.unit.reconcile.simulation.laws import ViolationError
from tests.unit.reconcile.simulation.run_circumstances import Circumstances
from tests.unit.reconcile.simulation.run_history import Command, Do, Progress
from tests.unit.reconcile.simulation.run_queue import QUEUE_LABEL
from tests.unit.reconcile.simulation.run_scenario import run_history
from tests.unit.reconcile.simulation.weather import Mishap

from ocijobs.api.kueue import (
    ANNOTATION_REQUEST,
    LABEL_PRIORITY,
    LABEL_SHAPE,
    Workload,
    WorkloadCondition,
    WorkloadStatus,
)
from ocijobs.api.run.binding import RunTemplate
from ocijobs.api.run.settings import RunSettings
from ocijobs.api.run.status import OCIJobRunStatus
from ocijobs.api.shared.conditions import Condition, ConditionStatus
from ocijobs.backends.data_science.backend import DATA_SCIENCE
from ocijobs.backends.pod_sets import PodSet
from ocijobs.backends.records import Refusal, RefusalKind, RunState
from ocijobs.reconcile.actions.action import Action
from ocijobs.reconcile.actions.calls import Operation
from ocijobs.reconcile.actions.objects import CreateWorkload, DeleteWorkload, PatchWorkload
from ocijobs.reconcile.decision import Decision
from ocijobs.reconcile.known.run import RunKnown
from ocijobs.reconcile.run import decide, prelaunch, queueing, stopping, submission
from ocijobs.reconcile.run.decide import decide_run
from ocijobs.reconcile.run.observation import QueueView, RunObservation
from ocijobs.reconcile.run.pod_sets import request_of, workload_name
from ocijobs.reconcile.run.prelaunch import GATES
from ocijobs.reconcile.run.queueing import waiting
from ocijobs.testing import SETTLED, START, make_metadata, make_run, make_run_observation

QUEUED = Circumstances(queued=True)
RUNNING: list[Command] = [
    Live(3),
    Do.ADMIT,
    Live(3),
    Progress(RunState.IN_PROGRESS),
    Live(3),
]


def _attempts(history: list[Command], circumstances: Circumstances = QUEUED) -> list[str]:
    """Play a history, and return how the attempts ended."""
    run = run_history(circumstances, history).world.api.present
    return [attempt.lifecycle_state for attempt in run.status.attempts]


def test_an_evicted_attempt_is_followed_by_another_one() -> None:
    assert _attempts([*RUNNING, Do.EVICT, Live(3), Progress(RunState.CANCELED), Live(3)]) == [
        "CANCELED",
        "SUCCEEDED",
    ]


@pytest.mark.parametrize("deed", [Do.DEACTIVATE, Do.DELETE_WORKLOAD])
def test_so_is_one_whose_workload_is_taken_away(deed: Do) -> None:
    history = [*RUNNING, deed, Live(3), Progress(RunState.CANCELED), Live(3)]
    assert _attempts(history) == ["CANCELED", "SUCCEEDED"]


def test_a_failed_attempt_keeps_its_admission() -> None:
    circumstances = replace(QUEUED, backoff_limit=1)
    scenario = run_history(circumstances, [*RUNNING, Progress(RunState.FAILED), Live(3), Live(60)])
    assert len(scenario.world.queue.all()) == 1
    attempts = scenario.world.api.present.status.attempts
    assert [each.lifecycle_state for each in attempts] == ["FAILED", "SUCCEEDED"]


def test_what_was_launched_before_kueue_came_goes_on() -> None:
    history: list[Command] = [
        Live(3),
        Progress(RunState.IN_PROGRESS),
        Live(3),
        Do.INSTALL_KUEUE,
        Live(3),
    ]
    assert _attempts(history, replace(QUEUED, kueue=False)) == ["SUCCEEDED"]


def test_what_was_launched_with_kueue_goes_on_when_kueue_is_gone() -> None:
    assert _attempts([*RUNNING, Do.REMOVE_KUEUE, Live(3)]) == ["SUCCEEDED"]


def _ignore_evictions(patch: pytest.MonkeyPatch) -> None:
    """An admission is looked at once, before the launch."""
    patch.setattr(submission, "lost_admission", lambda _: False)


def _launch_unadmitted(patch: pytest.MonkeyPatch) -> None:
    """The queue is not asked."""
    others = tuple(each for each in GATES if each.name != "queue")
    assert len(others) == len(GATES) - 1
    patch.setattr(prelaunch, "GATES", others)


def _give_back_at_once(patch: pytest.MonkeyPatch) -> None:
    """The reservation is given up while OCI is still ending the attempt."""
    settle = queueing.sync_workload

    def hasty(
        o: RunObservation, decision: Decision[OCIJobRunStatus], now: datetime
    ) -> Decision[OCIJobRunStatus]:
        idle = o.run.model_copy(update={"status": o.run.status.model_copy(update={"submit": None})})
        return settle(replace(o, run=idle), decision, now)

    patch.setattr(decide, "sync_workload", hasty)


def _never_stop(patch: pytest.MonkeyPatch) -> None:
    """What is evicted goes on."""
    patch.setattr(stopping, "lost_admission", lambda _: False)


def _keep_what_has_ended(patch: pytest.MonkeyPatch) -> None:
    """An ended run is not declared finished."""
    patch.setattr(queueing, "_finish", lambda *_: ())


DROPPED: list[Command] = [Live(3), Strike(Operation.CREATE, Mishap.THROTTLED), Do.ADMIT, Live(0)]


@pytest.mark.parametrize(
    ("breaks", "harm", "history"),
    [
        (_launch_unadmitted, "no intent without admission", [Live(3)]),
        (_ignore_evictions, "nothing is created in OCI", [*DROPPED, Do.EVICT, Live(60)]),
        (_give_back_at_once, "quota is kept while OCI runs", [*RUNNING, Do.EVICT, Live(3)]),
        (_keep_what_has_ended, "quota is given back in the end", RUNNING),
    ],
)
def test_a_broken_rule_breaks_a_law(
    breaks: Callable[[pytest.MonkeyPatch], None],
    harm: str,
    history: list[Command],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run_history(QUEUED, history)
    breaks(monkeypatch)
    with pytest.raises(ViolationError, match=harm):
        run_history(QUEUED, history)


def test_an_attempt_that_is_not_stopped_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    _never_stop(monkeypatch)
    assert _attempts([*RUNNING, Do.EVICT, Live(3)]) == ["SUCCEEDED"]


def _queued(**labels: str) -> RunObservation:
    meta = make_metadata("run", finalizer=True).model_copy(update={"labels": QUEUE_LABEL | labels})
    return make_run_observation(run=make_run(metadata=meta), queue=QueueView(served=True))


def _only(actions: tuple[Action, ...]) -> CreateWorkload:
    (action,) = actions
    assert isinstance(action, CreateWorkload)
    return action


def test_a_run_that_may_be_launched_enters_its_queue() -> None:
    o = _queued(**{LABEL_PRIORITY: "urgent"})
    action = _only(decide_run(o, SETTLED).actions)
    assert action.priority_class == "urgent"
    document: dict[str, Any] = dict(action.document)
    assert document["metadata"]["name"] == workload_name(o.run)
    assert document["spec"]["queueName"] == "team"


def test_a_workload_that_is_refused_is_told_and_tried_again() -> None:
    o = _queued()
    action = _only(decide_run(o, SETTLED).actions)
    refusal = Refusal(kind=RefusalKind.MISSING, message="there is no WorkloadPriorityClass urgent")
    known = RunKnown().called(Operation.QUEUE, at=SETTLED, refusal=refusal, epoch=action.epoch)
    decision = decide_run(replace(o, known=known), SETTLED)
    ready = next(c for c in decision.status.conditions if c.type == "Ready")
    assert (ready.reason, ready.message) == (
        "WaitingForQueue",
        "queue team: there is no WorkloadPriorityClass urgent",
    )
    assert not decision.actions
    assert decision.wake_at is not None


def test_the_name_of_a_workload_is_short_and_of_one_run_only() -> None:
    runs = [make_run(metadata=make_metadata("r" * 63, uid=uid)) for uid in ("a", "b")]
    names = {workload_name(run) for run in runs}
    assert len(names) == 2
    assert all(len(name) == 63 for name in names)


def _sets(job: dict[str, Any], **run: Any) -> list[dict[str, Any]]:
    template = RunTemplate.model_validate({"infrastructure": job})
    return _asked(DATA_SCIENCE.pod_sets(template, RunSettings.model_validate(run)))


def _asked(sets: Iterable[PodSet]) -> list[dict[str, Any]]:
    return list(request_of(make_run(), "queue", sets).pod_sets)


@pytest.mark.parametrize(
    ("shape", "size", "requests"),
    [
        ("VM.Standard.E4.Flex", {"ocpus": 2, "memoryInGBs": 32}, {"cpu": "2", "memory": "32Gi"}),
        (
            "VM.Standard3.Flex",
            {"ocpus": 0.5, "memoryInGBs": 1.5},
            {"cpu": "0.5", "memory": "1.5Gi"},
        ),
        ("VM.GPU.A10.2", None, {"nvidia.com/gpu": "2"}),
        ("BM.GPU4.8", None, {"nvidia.com/gpu": "8"}),
        ("VM.GPU3.1", None, {"nvidia.com/gpu": "1"}),
        ("BM.GPU.MI300X.8", None, {"amd.com/gpu": "8"}),
        ("BM.GPU.L40S-NC.4", None, {"nvidia.com/gpu": "4"}),
        ("VM.Standard2.1", None, None),
    ],
)
def test_what_a_shape_counts_for(
    shape: str, size: dict[str, float] | None, requests: dict[str, str] | None
) -> None:
    (only,) = _sets({"shapeName": shape, **({"jobShapeConfigDetails": size} if size else {})})
    (node,) = only["template"]["spec"]["containers"]
    assert node.get("resources", {}).get("requests") == requests
    assert only["template"]["spec"]["nodeSelector"] == {LABEL_SHAPE: shape}
    assert (only["name"], only["count"]) == ("main", 1)


def test_machines_that_the_manifest_does_not_tell_count_for_one_pod() -> None:
    target = {
        "computeTargetId": "ocid1.datasciencecomputetarget.oc1.iad.a",
        "resourceRequest": {"ocpus": 1, "memoryInGBs": 16},
    }
    for sets in (
        _sets({"computeTarget": target}),
        _asked(DATA_SCIENCE.pod_sets(RunTemplate(), RunSettings())),
    ):
        (only,) = sets
        (node,) = only["template"]["spec"]["containers"]
        assert (only["name"], only["count"], node) == ("main", 1, {"name": "node"})


def test_a_run_counts_for_its_own_shape() -> None:
    size = {"ocpus": 4, "memoryInGBs": 64}
    own = {"shapeName": "VM.Standard.E5.Flex", "jobShapeConfigDetails": size}
    (only,) = _sets({"shapeName": "VM.Standard2.1"}, infrastructure=own)
    (node,) = only["template"]["spec"]["containers"]
    assert node["resources"]["requests"] == {"cpu": "4", "memory": "64Gi"}


def test_each_group_of_nodes_is_a_set_of_pods() -> None:
    groups = [
        {"name": "Head_Node", "replicas": 1},
        {"name": "workers", "replicas": 3, "shapeName": "VM.GPU.A10.1"},
    ]
    head, workers = _sets({"shapeName": "VM.Standard2.1", "jobNodeGroups": groups})
    assert (head["name"], head["count"]) == ("head-node-0", 1)
    assert (workers["name"], workers["count"]) == ("workers-1", 3)
    (node,) = workers["template"]["spec"]["containers"]
    assert node["resources"]["requests"] == {"nvidia.com/gpu": "1"}


def _waiting(**annotations: str) -> RunObservation:
    """Return a run whose Workload waits."""
    o = _queued()
    document: dict[str, Any] = dict(_only(decide_run(o, SETTLED).actions).document)
    document["metadata"] |= {"uid": "w", "creationTimestamp": SETTLED.isoformat()}
    document["metadata"]["annotations"] |= annotations
    workload = Workload.model_validate(document)
    return replace(o, queue=QueueView(served=True, workload=workload))


def test_a_workload_of_another_request_leaves_the_queue() -> None:
    o = _waiting(**{ANNOTATION_REQUEST: "of another shape"})
    (first,) = decide_run(o, SETTLED).actions
    assert isinstance(first, PatchWorkload)
    assert o.queue.workload is not None
    loose = o.queue.workload.metadata.model_copy(update={"finalizers": ()})
    workload = o.queue.workload.model_copy(update={"metadata": loose})
    o = replace(o, queue=QueueView(served=True, workload=workload))
    assert decide_run(o, SETTLED).actions == (DeleteWorkload(name=loose.name, uid="w"),)


def test_a_run_without_the_label_is_launched_and_leaves_the_queue() -> None:
    o = _waiting()
    meta = o.run.metadata.model_copy(update={"labels": {}})
    decision = decide_run(replace(o, run=o.run.model_copy(update={"metadata": meta})), SETTLED)
    assert [type(action) for action in decision.actions] == [PatchWorkload, DeleteWorkload]
    assert decision.status.submit is not None
    assert decision.status.workload is None


def _evicted(o: RunObservation, *conditions: Condition) -> RunObservation:
    """Return the observation after Kueue evicted the Workload, which has no admission written."""
    workload = o.queue.workload
    assert workload is not None
    status = WorkloadStatus(conditions=conditions)
    workload = workload.model_copy(update={"status": status})
    return replace(o, queue=QueueView(served=True, workload=workload))


def _said(kind: WorkloadCondition, *, status: ConditionStatus = ConditionStatus.TRUE) -> Condition:
    return Condition(
        type=kind,
        status=status,
        observed_generation=1,
        last_transition_time=START,
        reason="Preempted",
        message="another one is more urgent",
    )


def test_an_evicted_workload_gives_its_reservation_back_in_place() -> None:
    reserved, evicted = WorkloadCondition.QUOTA_RESERVED, WorkloadCondition.EVICTED
    former = _said(WorkloadCondition.ADMITTED, status=ConditionStatus.FALSE)
    (action,) = decide_run(
        _evicted(_waiting(), _said(reserved), _said(evicted), former), SETTLED
    ).actions
    assert isinstance(action, PatchWorkload)
    assert action.status
    paths: dict[str, Any] = {change["path"]: change for change in action.changes}
    assert "/status/admission" not in paths, "there is none"
    assert paths["/status/conditions/0"]["value"]["status"] == "False"
    # What was False before keeps its time.
    assert paths["/status/conditions/2"]["value"]["lastTransitionTime"].startswith(
        "2026-01-01T12:00"
    )
    assert paths["/status/conditions/-"]["value"]["type"] == "Requeued"
    assert paths["/status/conditions/-"]["value"]["status"] == "True"


def test_an_intent_that_lost_its_workload_says_that_it_waits() -> None:
    o = _queued()
    assert waiting(o) == "queue team: waiting for Kueue to admit the run"
