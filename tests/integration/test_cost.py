"""What a run costs: writes in the cluster, counted from the API server's audit log, and calls to OCI."""

from collections import Counter
from typing import Any

import pytest
from tests.support import manifests
from tests.support.namespace import Document, phase
from tests.support.stage import Stage

PLAIN = {
    "accepted": 3,
    "inProgress": 4,
    "output": ["working", '{"ocijobs.io/results": {"auc": 0.5}}'],
}
"""Longer in each state than the shared poll's interval, so that each is seen."""


def _ready(stage: Stage, **spec: Any) -> None:
    stage.emulator.set_mode(default=PLAIN)
    stage.identity(logGroupId=stage.log_group())
    stage.kubectl_apply(manifests.job(**spec))
    stage.until_reason("OCIJob", "job", "Synced")


def _finished(document: Document) -> bool:
    return phase(document) == "Succeeded" and "finalizers" not in document["metadata"]


def _settled(stage: Stage, name: str) -> None:
    """Return when the run has ended and its log was read for the last time."""
    stage.until("OCIJobRun", name, _finished)
    stage.emulator.wait_for("SearchLogs", count=2)


def test_a_plain_run_costs_two_finalizer_writes_and_four_of_status(stage: Stage) -> None:
    _ready(stage)
    seen = stage.emulator.last_seq()
    stage.create(manifests.run())
    _settled(stage, "run")
    assert Counter(sub for sub, _ in stage.writes("OCIJobRun", "run")) == {"": 2, "status": 4}
    calls = {operation: sum(n.values()) for operation, n in stage.emulator.counts(seen).items()}
    assert calls.pop("CreateJobRun") == 1
    assert calls.pop("GetJobRun") <= 2
    # What is left is shared with all runs of the compartment, or batched.
    assert set(calls) - {"SummarizeMetricsData"} == {"ListJobRuns", "SearchLogs"}
    assert calls["SearchLogs"] == 2


def test_a_plain_run_of_spark_costs_no_more(stage: Stage) -> None:
    stage.emulator.set_mode(default=PLAIN)
    stage.identity(artifactBucketUri=stage.bucket("code"))
    stage.kubectl_apply(manifests.spark_job(results=["auc"]))
    stage.until_reason("OCIJob", "job", "Synced")
    seen = stage.emulator.last_seq()
    stage.create(manifests.run())
    run = stage.until("OCIJobRun", "run", _finished)
    assert run["status"]["results"] == {"auc": "0.5"}
    assert Counter(sub for sub, _ in stage.writes("OCIJobRun", "run")) == {"": 2, "status": 4}
    calls = {operation: sum(n.values()) for operation, n in stage.emulator.counts(seen).items()}
    assert calls.pop("CreateRun") == 1
    # What Data Flow kept of the output: which logs there are, and the one that has it.
    assert (calls.pop("ListRunLogs"), calls.pop("GetRunLog")) == (1, 1)
    # What is left are polls: by lists with all runs of the compartment, or by one call while there is one run; and
    # Data Flow's own look for the code.
    assert set(calls) == {"ListRuns", "GetRun", "GetObject"}


def test_results_and_outputs_cost_one_read_and_one_list(stage: Stage) -> None:
    bucket = stage.bucket("outputs")
    _ready(stage, results=["auc"], outputs={"uri": f"{bucket}/$(JOB_RUN_OCID)"})
    seen = stage.emulator.last_seq()
    stage.create(manifests.run())
    _settled(stage, "run")
    status = stage.get("OCIJobRun", "run")["status"]
    assert status["results"] == {"auc": "0.5"}
    calls = stage.emulator.counts(seen)
    assert sum(calls["GetObject"].values()) == 1
    assert sum(calls["ListObjects"].values()) == 1
    assert Counter(sub for sub, _ in stage.writes("OCIJobRun", "run")) == {"": 2, "status": 4}


@pytest.mark.real_runs
@pytest.mark.slow
def test_what_a_run_has_used_costs_four_queries_and_one_late_write(stage: Stage) -> None:
    stage.identity(logGroupId=stage.log_group())
    busy = "import time\nuntil = time.monotonic() + 4\nwhile time.monotonic() < until:\n    pass\n"
    seen = stage.emulator.last_seq()
    stage.kubectl_apply(manifests.job(files={"main.py": busy}), manifests.run())
    used = stage.until("OCIJobRun", "run", lambda o: "metrics" in o["status"])["status"]["metrics"]
    # One of the two threads of an OCPU.
    assert 0 < used["cpuUtilization"]["mean"] <= used["cpuUtilization"]["max"] <= 100
    assert set(used) == {"cpuUtilization", "memoryUtilization", "diskUtilization"}
    assert sum(stage.emulator.counts(seen)["SummarizeMetricsData"].values()) == 4
    written = [sub for sub, _ in stage.writes("OCIJobRun", "run") if sub == "status"]
    assert len(written) <= 4 + 2, "utilisation, and the last lines where more of them have come"


def test_runs_in_step_share_their_polls(stage: Stage) -> None:
    _ready(stage)
    seen = stage.emulator.last_seq()
    names = [f"run-{i:02d}" for i in range(40)]
    stage.kubectl_apply(*(manifests.run(name) for name in names))
    for name in names:
        stage.until("OCIJobRun", name, _finished)
    calls = {operation: sum(n.values()) for operation, n in stage.emulator.counts(seen).items()}
    assert calls["CreateJobRun"] == 40
    assert calls["GetJobRun"] <= 80
    # About ten seconds at two polls a second and three lists a poll, not forty times that.
    assert calls["ListJobRuns"] <= 120
    writes = Counter(name for _, name in stage.writes("OCIJobRun"))
    assert {writes[name] for name in names} <= {5, 6}


def test_a_restart_with_nothing_changed_writes_nothing(stage: Stage) -> None:
    _ready(stage)
    stage.kubectl_apply(manifests.run("done"))
    _settled(stage, "done")
    stage.emulator.set_mode(default={"accepted": 0.1, "inProgress": 3600})
    stage.create(manifests.run("running"))
    stage.until("OCIJobRun", "running", lambda o: phase(o) == "Running")
    stage.create(manifests.run("waiting", of="nothing"))
    stage.until_reason("OCIJobRun", "waiting", "WaitingForJob")
    kinds = ("OCIJobRun", "OCIJob", "OCIIdentity")
    stage.until("OCIJob", "job", lambda o: o["status"].get("runs", {}).get("active") == 1)
    stage.operator.stop()
    before = {kind: stage.writes(kind) for kind in kinds}
    seen = stage.emulator.last_seq()
    stage.restart_operator()
    # Two polls of the running run, so that everything was looked at.
    stage.emulator.wait_for("ListJobRuns", since=seen, count=6)
    stage.operator.stop()
    assert {kind: stage.writes(kind) for kind in kinds} == before
    calls = set(stage.emulator.counts(seen))
    assert calls <= {"GetNamespace", "ListJobRuns"}


def test_a_finished_run_is_asked_for_no_more(stage: Stage) -> None:
    _ready(stage)
    stage.create(manifests.run())
    _settled(stage, "run")
    seen = stage.emulator.last_seq()
    stage.operator.stop()
    stage.restart_operator()
    stage.create(manifests.run("other", of="nothing"))
    stage.until_reason("OCIJobRun", "other", "WaitingForJob")
    assert set(stage.emulator.counts(seen)) <= {"GetNamespace"}
