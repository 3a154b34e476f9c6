"""Queues: runs that name a queue of Kueue are launched when the real Kueue admits them, and give their quota back."""

from __future__ import annotations

import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from kubernetes import watch as kubernetes_watch
from tests.support import manifests
from tests.support.kueue import install_kueue
from tests.support.namespace import Document, condition, phase
from tests.support.patience import patience
from tests.support.queues import API, job, queue, queued
from tests.support.rest import until_at_rest
from tests.support.stage import Stage
from tests.support.stages import install_definitions

from kubecontrolplane.cluster import up
from kubecontrolplane.testing import namespace_in
from oci_emulator.testing import Emulator

FOREVER = {"accepted": 0.2, "inProgress": 600}
BRIEFLY = {"accepted": 0.2, "inProgress": 0.2}


def workloads(stage: Stage) -> list[Document]:
    """Return the Workloads of the namespace."""
    return list(
        stage.objects.list_namespaced_custom_object(
            "kueue.x-k8s.io", "v1beta2", stage.namespace, "workloads"
        )["items"]
    )


def workload(stage: Stage, run: str) -> Document:
    """Return the Workload of a run."""
    return next(w for w in workloads(stage) if w["metadata"]["labels"]["ocijobs.io/run"] == run)


def until_workload(stage: Stage, arguments: str, run: str, *, seconds: int = 60) -> None:
    """Await something of a run's Workload."""
    stage.kubectl(
        "wait",
        f"--for={arguments}",
        f"workload/{workload(stage, run)['metadata']['name']}",
        f"--timeout={patience(seconds)}s",
    )


def until_workloads(stage: Stage, is_so: Callable[[Document], bool], *, of: int) -> None:
    """Await that so many Workloads are so, which is all that there are."""
    so: set[str] = set()
    seconds = int(patience(60))
    changes: Any = kubernetes_watch.Watch().stream(
        stage.objects.list_namespaced_custom_object,
        *("kueue.x-k8s.io", "v1beta2", stage.namespace, "workloads"),
        timeout_seconds=seconds,
    )
    for event in changes:
        if is_so(event["object"]):
            so.add(event["object"]["metadata"]["name"])
        if len(so) == of == len(workloads(stage)):
            return
    raise AssertionError(f"only {sorted(so)} got so in {seconds} s: {workloads(stage)}")


def until_found(stage: Stage) -> None:
    """Await that the operator has listed Workloads, as the audit log tells."""
    deadline = time.monotonic() + patience(60)
    while not _listed(stage):
        # The audit log is a file of another program, and tells nobody that it grew.
        assert time.monotonic() < deadline, stage.hint()
        time.sleep(0.1)


def _listed(stage: Stage) -> bool:
    return any(
        entry["verb"] == "list"
        and entry.get("objectRef", {}).get("resource") == "workloads"
        and entry.get("responseStatus", {}).get("code") == HTTPStatus.OK
        for entry in stage.audited()
    )


def workload_writes(stage: Stage) -> int:
    """Return how often the operator has written Workloads."""
    return sum(
        entry["verb"] in {"create", "update", "patch"}
        for entry in stage.audited()
        if entry.get("objectRef", {}).get("resource") == "workloads"
    )


def stop(stage: Stage, name: str, policy: str) -> None:
    """Set a ClusterQueue's stopPolicy."""
    stage.kubectl(
        "patch",
        "clusterqueue",
        name,
        "--type=merge",
        "-p",
        f'{{"spec":{{"stopPolicy":"{policy}"}}}}',
    )


def one_runs_and_one_waits(stage: Stage) -> Document:
    """Have two runs of which the queue has room for one; return the other."""
    queue(stage)
    stage.emulator.set_mode(default=FOREVER)
    stage.identity()
    stage.apply(job(), queued("first"))
    stage.until_reason("OCIJobRun", "first", "Running")
    stage.apply(queued("second"))
    return stage.until_told("OCIJobRun", "second", "insufficient unused quota for cpu")


def test_one_run_is_launched_and_the_other_waits_for_its_quota(queued_stage: Stage) -> None:
    stage = queued_stage
    held = one_runs_and_one_waits(stage)
    assert phase(held) == "Pending"
    assert condition(held, "Ready")["reason"] == "WaitingForQueue"
    assert condition(held, "Ready")["message"].startswith("queue team: ")
    assert len(stage.job_runs()) == 1
    stage.until_event("second", "WaitingForQueue")
    until_at_rest(stage.operator)
    assert {kind for kind, reason, _ in stage.events("second") if reason == "WaitingForQueue"} == {
        "Normal"
    }
    stage.emulator.set_mode(default=BRIEFLY)
    stage.patch("OCIJobRun", "first", {"spec": {"cancel": True}})
    assert phase(stage.until_ended("first")) == "Cancelled"
    assert phase(stage.until_ended("second")) == "Succeeded"
    until_workload(stage, "condition=Finished", "second")
    first, second = stage.get("OCIJobRun", "first"), stage.get("OCIJobRun", "second")
    assert (
        stage.job_run(first["status"]["jobRunId"]).time_finished
        <= stage.job_run(second["status"]["jobRunId"]).time_accepted
    )
    until_workloads(stage, lambda w: "finalizers" not in w["metadata"], of=2)


def test_what_a_run_asks_for(queued_stage: Stage) -> None:
    stage = queued_stage
    queue(stage, ocpus=0)
    stage.identity()
    stage.apply(job(), queued())
    held = stage.until_reason("OCIJobRun", "run", "WaitingForQueue")
    found = workload(stage, "run")
    owner = found["metadata"]["ownerReferences"][0]
    assert (owner["kind"], owner["uid"], owner["controller"]) == (
        "OCIJobRun",
        held["metadata"]["uid"],
        True,
    )
    (pods,) = found["spec"]["podSets"]
    (node,) = pods["template"]["spec"]["containers"]
    assert (pods["name"], pods["count"]) == ("main", 1)
    assert node["resources"]["requests"] == {"cpu": "1", "memory": "16Gi"}
    assert found["spec"]["queueName"] == "team"


def test_a_stopped_queue_cancels_the_attempt_and_the_run_comes_back_when_it_goes_on(
    queued_stage: Stage,
) -> None:
    stage = queued_stage
    name = queue(stage)
    stage.emulator.set_mode(default=FOREVER)
    stage.identity()
    stage.apply(job(), queued())
    stage.until_reason("OCIJobRun", "run", "Running")
    before = workload(stage, "run")
    stop(stage, name, "HoldAndDrain")
    held = stage.until_reason("OCIJobRun", "run", "WaitingForQueue")
    assert held["status"]["attempts"][0]["lifecycleState"] == "CANCELED"
    assert "failed" not in held["status"]
    until_workload(stage, "condition=QuotaReserved=false", "run")
    assert stage.until_event("run", "Evicted")
    stage.emulator.set_mode(default=BRIEFLY)
    stop(stage, name, "None")
    ended = stage.until_ended("run")
    assert phase(ended) == "Succeeded"
    assert ended["status"]["attemptCount"] == 2
    assert workload(stage, "run")["metadata"]["uid"] == before["metadata"]["uid"]


def test_a_run_of_higher_priority_takes_the_place_of_another_once_oci_has_ended_it(
    queued_stage: Stage,
) -> None:
    stage = queued_stage
    name = queue(stage, preemption={"withinClusterQueue": "LowerPriority"})
    stage.emulator.set_mode(default=FOREVER)
    stage.identity()
    stage.apply(
        {
            "apiVersion": API,
            "kind": "WorkloadPriorityClass",
            "metadata": {"name": name},
            "value": 100,
        },
        job(),
        queued("low"),
    )
    stage.until_reason("OCIJobRun", "low", "Running")
    stage.emulator.set_mode(default=BRIEFLY)
    stage.apply(queued("high", priority=name))
    assert phase(stage.until_ended("high")) == "Succeeded"
    low = stage.until_ended("low")
    assert phase(low) == "Succeeded"
    assert low["status"]["attemptCount"] == 2
    assert stage.most_active_runs() == 1


def test_a_deactivated_workload_stops_its_run_until_it_is_active_again(queued_stage: Stage) -> None:
    stage = queued_stage
    queue(stage)
    stage.emulator.set_mode(default=FOREVER)
    stage.identity()
    stage.apply(job(), queued())
    stage.until_reason("OCIJobRun", "run", "Running")
    name = workload(stage, "run")["metadata"]["name"]
    stage.kubectl("patch", "workload", name, "--type=merge", "-p", '{"spec":{"active":false}}')
    stage.until_told("OCIJobRun", "run", "is deactivated")
    until_workload(stage, "condition=QuotaReserved=false", "run")
    stage.emulator.set_mode(default=BRIEFLY)
    stage.kubectl("patch", "workload", name, "--type=merge", "-p", '{"spec":{"active":true}}')
    assert phase(stage.until_ended("run")) == "Succeeded"


def test_a_deleted_workload_keeps_its_quota_until_oci_has_ended_the_run(
    queued_stage: Stage,
) -> None:
    stage = queued_stage
    queue(stage)
    stage.emulator.set_mode(default=FOREVER)
    stage.identity()
    stage.apply(job(), queued("first"))
    stage.until_reason("OCIJobRun", "first", "Running")
    stage.apply(queued("second"))
    stage.until_reason("OCIJobRun", "second", "WaitingForQueue")
    stage.emulator.set_mode(default=BRIEFLY)
    # As Argo CD prunes: in the foreground, so that what belongs to the run is deleted before it.
    stage.kubectl(
        "delete", "ocijobrun", "first", "--cascade=foreground", f"--timeout={patience(60)}s"
    )
    assert phase(stage.until_ended("second")) == "Succeeded"
    assert stage.most_active_runs() == 1
    name = workload(stage, "second")["metadata"]["name"]
    stage.kubectl("delete", "workload", name)
    assert phase(stage.get("OCIJobRun", "second")) == "Succeeded"


@pytest.mark.settings(retry_pause_min_seconds=1, retry_pause_max_seconds=2)
def test_a_failed_attempt_keeps_its_admission_for_the_next_one(queued_stage: Stage) -> None:
    stage = queued_stage
    queue(stage)
    stage.emulator.set_mode(default={**BRIEFLY, "outcome": "FAILED", "exitCode": 3})
    stage.identity()
    stage.apply(job(), queued(backoffLimit=1))
    ended = stage.until_ended("run")
    assert ended["status"]["attemptCount"] == 2
    until_workload(stage, "condition=Finished", "run")
    (found,) = workloads(stage)
    conditions = {c["type"]: c for c in found["status"]["conditions"]}
    assert conditions["Finished"]["reason"] == "Failed"
    assert "Evicted" not in conditions
    assert conditions["Admitted"]["status"] == "True"


def test_a_suspended_run_gives_its_quota_to_others(queued_stage: Stage) -> None:
    stage = queued_stage
    queue(stage)
    stage.emulator.set_mode(default=FOREVER)
    stage.identity()
    stage.apply(job(), queued("first"))
    stage.until_reason("OCIJobRun", "first", "Running")
    stage.emulator.set_mode(default=BRIEFLY)
    stage.patch("OCIJobRun", "first", {"spec": {"suspend": True}})
    stage.apply(queued("second"))
    assert phase(stage.until_ended("second")) == "Succeeded"
    stage.until("OCIJobRun", "first", lambda run: phase(run) == "Suspended")
    stage.patch("OCIJobRun", "first", {"spec": {"suspend": False}})
    assert phase(stage.until_ended("first")) == "Succeeded"


def test_the_runs_of_a_sweep_are_queued_as_the_sweep_says(queued_stage: Stage) -> None:
    stage = queued_stage
    queue(stage)
    stage.emulator.set_mode(default=BRIEFLY)
    stage.identity()
    sweep = manifests.sweep(matrix={"N": ["1", "2", "3"]}, parallelism=3)
    sweep["metadata"]["labels"] = {"kueue.x-k8s.io/queue-name": "team"}
    stage.apply(job(), sweep)
    stage.until("OCIJobSweep", "sweep", lambda o: phase(o) == "Succeeded")
    assert stage.most_active_runs() == 1


def test_a_restart_with_nothing_changed_writes_no_workload(queued_stage: Stage) -> None:
    stage = queued_stage
    one_runs_and_one_waits(stage)
    stage.operator.stop()
    before = workload_writes(stage)
    stage.start_operator()
    stage.create(manifests.run("third", suspend=True))
    stage.until_reason("OCIJobRun", "third", "Suspended")
    until_at_rest(stage.operator)
    stage.operator.stop()
    # Kueue writes Workloads, too, when it likes.
    assert workload_writes(stage) == before


def test_a_run_that_goes_by_force_leaves_no_workload(queued_stage: Stage) -> None:
    stage = queued_stage
    queue(stage, ocpus=0)
    stage.identity()
    stage.apply(job(), queued())
    stage.until_reason("OCIJobRun", "run", "WaitingForQueue")
    name = workload(stage, "run")["metadata"]["name"]
    stage.operator.kill()
    stage.kubectl("delete", "ocijobrun", "run", "--wait=false")
    stage.patch("OCIJobRun", "run", {"metadata": {"finalizers": None}})
    stage.until_gone("OCIJobRun", "run")
    assert [w["metadata"]["name"] for w in workloads(stage)] == [name]
    stage.start_operator()
    stage.kubectl("wait", "--for=delete", f"workload/{name}", f"--timeout={patience(60)}s")


@pytest.mark.breadth
def test_kueue_may_come_and_go(tmp_path: Path) -> None:
    cluster = up(tmp_path / "cluster", audit=True)
    try:
        install_definitions(cluster)
        with (
            namespace_in(cluster, "kueue", delete=False) as namespace,
            Emulator(tmp_path / "oci", mode="simulated") as emulator,
        ):
            stage = Stage(cluster, namespace, emulator, tmp_path / "stage")
            stage.start_operator(resync_seconds=1)
            try:
                _comes_and_goes(stage)
            finally:
                stage.operator.stop()
    finally:
        cluster.down(delete=True)


def _comes_and_goes(stage: Stage) -> None:
    stage.emulator.set_mode(default=BRIEFLY)
    stage.identity()
    stage.apply(job(), queued("before"))
    assert phase(stage.until_ended("before")) == "Succeeded"
    install_kueue(stage.cluster)
    # The next list finds it.
    until_found(stage)
    stage.apply(queued("held"))
    stage.until_reason("OCIJobRun", "held", "WaitingForQueue")
    stage.kubectl("delete", "customresourcedefinition", "workloads.kueue.x-k8s.io")
    assert phase(stage.until_ended("held")) == "Succeeded"


def test_without_kueue_the_label_says_nothing(stage: Stage) -> None:
    stage.identity()
    stage.apply(job(), queued())
    assert phase(stage.until_ended("run")) == "Succeeded"
