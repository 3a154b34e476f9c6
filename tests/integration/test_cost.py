"""What a run costs: writes in the cluster, counted from the API server's audit log, and calls to OCI."""

from collections import Counter
from typing import Any

import pytest
from tests.support import manifests
from tests.support.lives import seen_in_each_state
from tests.support.namespace import Document, phase
from tests.support.patience import patience
from tests.support.polls import most_polls
from tests.support.rest import until_at_rest
from tests.support.stage import Stage

PLAIN = {"accepted": 0.2, "output": ['{"ocijobs.io/results": {"auc": 0.5}}']}
POLL_SECONDS = 0.2
"""Least time between two polls."""

LATE = 3600.0
OVER = {"log_settle_seconds": 0.1, "utilisation_settle_seconds": 0.1}
"""The time in which an ended run is looked at again is over when the operator has started."""

# What is looked at after the end has its time, and a clock that a test moves: tests/component/test_late_looks.py.
pytestmark = pytest.mark.settings(log_settle_seconds=LATE, utilisation_settle_seconds=LATE)


def _ready(stage: Stage, **spec: Any) -> None:
    stage.emulator.set_mode(default={**PLAIN, "inProgress": 3600})
    stage.identity(logGroupId=stage.log_group())
    stage.apply(manifests.job(**spec))
    stage.until_reason("OCIJob", "job", "Synced")


def _finished(document: Document) -> bool:
    return phase(document) == "Succeeded" and "finalizers" not in document["metadata"]


def _lived(stage: Stage, name: str = "run") -> None:
    """Have a run live, and return when nothing is left to be done about it but to look again later."""
    run_id = seen_in_each_state(stage, manifests.run(name))
    stage.emulator.force_run(run_id, "SUCCEEDED")
    stage.until("OCIJobRun", name, _finished)
    until_at_rest(stage.operator)


def _calls(stage: Stage, since: int) -> dict[str, int]:
    """Return how often each operation was asked for."""
    return {
        operation: sum(by_status.values())
        for operation, by_status in stage.emulator.counts(since).items()
    }


def test_a_plain_run_costs_two_finalizer_writes_and_four_of_status(stage: Stage) -> None:
    _ready(stage)
    seen = stage.emulator.last_seq()
    _lived(stage)
    assert Counter(sub for sub, _ in stage.writes("OCIJobRun", "run")) == {"": 2, "status": 4}
    calls = _calls(stage, seen)
    assert calls.pop("CreateJobRun") == 1
    assert calls.pop("GetJobRun") <= 2
    # What is left is shared with all runs of the compartment, or batched.
    assert set(calls) == {"ListJobRuns", "SearchLogs"}
    assert calls["SearchLogs"] == 1


def test_a_plain_run_of_spark_costs_no_more(stage: Stage) -> None:
    stage.emulator.set_mode(default={**PLAIN, "inProgress": 3600})
    stage.identity(artifactBucketUri=stage.bucket("code"))
    stage.apply(manifests.spark_job(results=["auc"]))
    stage.until_reason("OCIJob", "job", "Synced")
    seen = stage.emulator.last_seq()
    stage.emulator.force_run(seen_in_each_state(stage, manifests.run()), "SUCCEEDED")
    run = stage.until("OCIJobRun", "run", _finished)
    until_at_rest(stage.operator)
    assert run["status"]["results"] == {"auc": "0.5"}
    assert Counter(sub for sub, _ in stage.writes("OCIJobRun", "run")) == {"": 2, "status": 4}
    calls = _calls(stage, seen)
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
    _lived(stage)
    status = stage.get("OCIJobRun", "run")["status"]
    assert status["results"] == {"auc": "0.5"}
    calls = _calls(stage, seen)
    assert (calls["GetObject"], calls["ListObjects"]) == (1, 1)
    assert Counter(sub for sub, _ in stage.writes("OCIJobRun", "run")) == {"": 2, "status": 4}


@pytest.mark.real_runs
@pytest.mark.settings(utilisation_settle_seconds=patience(6))
def test_what_a_run_has_used_costs_four_queries_and_one_late_write(stage: Stage) -> None:
    stage.identity(logGroupId=stage.log_group())
    busy = "import time\nuntil = time.monotonic() + 4\nwhile time.monotonic() < until:\n    pass\n"
    seen = stage.emulator.last_seq()
    stage.apply(manifests.job(files={"main.py": busy}), manifests.run())
    used = stage.until("OCIJobRun", "run", lambda o: "metrics" in o["status"])["status"]["metrics"]
    # One of the two threads of an OCPU.
    assert 0 < used["cpuUtilization"]["mean"] <= used["cpuUtilization"]["max"] <= 100
    assert set(used) == {"cpuUtilization", "memoryUtilization", "diskUtilization"}
    assert _calls(stage, seen)["SummarizeMetricsData"] == 4
    written = [sub for sub, _ in stage.writes("OCIJobRun", "run") if sub == "status"]
    assert len(written) <= 4 + 2, "utilisation, and the last lines where more of them have come"


@pytest.mark.settings(poll_min_seconds=POLL_SECONDS)
def test_runs_in_step_share_their_polls(stage: Stage) -> None:
    _ready(stage)
    stage.emulator.set_mode(default={**PLAIN, "accepted": 3, "inProgress": 4})
    seen = stage.emulator.last_seq()
    names = [f"run-{i:02d}" for i in range(40)]
    stage.apply(*(manifests.run(name) for name in names))
    for name in names:
        stage.until("OCIJobRun", name, _finished)
    calls = _calls(stage, seen)
    assert calls["CreateJobRun"] == len(names)
    # A run that has left the lists is looked at; one that came between two lists, once more.
    assert calls["GetJobRun"] <= 2 * len(names)
    # Three lists a poll, however many runs there are.
    lists = stage.emulator.journal("ListJobRuns", since=seen, limit=10_000)
    assert len(lists) <= 3 * most_polls(lists, POLL_SECONDS)
    until_at_rest(stage.operator)
    writes = Counter(name for _, name in stage.writes("OCIJobRun"))
    # Two of the finalizer; the intent and three states, or fewer where one was over before it was seen.
    assert max(writes[name] for name in names) <= 6


def _counts_the_running_one(job: Document) -> bool:
    status = job["status"]
    last = status.get("lastRun", {})
    seen = (last.get("name"), last.get("phase"), status["runs"]["active"])
    return seen == ("running", "Running", 1)


def test_a_restart_with_nothing_changed_writes_nothing(stage: Stage) -> None:
    _ready(stage)
    _lived(stage, "done")
    stage.create(manifests.run("running"))
    stage.until("OCIJobRun", "running", lambda o: phase(o) == "Running")
    stage.create(manifests.run("waiting", of="nothing"))
    stage.until_reason("OCIJobRun", "waiting", "WaitingForJob")
    kinds = ("OCIJobRun", "OCIJob", "OCIIdentity")
    stage.until("OCIJob", "job", _counts_the_running_one)
    stage.operator.stop()
    before = {kind: stage.writes(kind) for kind in kinds}
    seen = stage.emulator.last_seq()
    stage.start_operator(**OVER)
    # Two polls of the running run, so that everything was looked at.
    stage.emulator.wait_for("ListJobRuns", since=seen, count=6)
    until_at_rest(stage.operator)
    stage.operator.stop()
    assert {kind: stage.writes(kind) for kind in kinds} == before
    calls = set(stage.emulator.counts(seen))
    assert calls <= {"GetNamespace", "ListJobRuns"}


def test_a_finished_run_is_asked_for_no_more(stage: Stage) -> None:
    _ready(stage)
    _lived(stage)
    stage.operator.stop()
    seen = stage.emulator.last_seq()
    stage.start_operator(**OVER)
    stage.create(manifests.run("other", of="nothing"))
    stage.until_reason("OCIJobRun", "other", "WaitingForJob")
    until_at_rest(stage.operator)
    assert set(stage.emulator.counts(seen)) <= {"GetNamespace"}
