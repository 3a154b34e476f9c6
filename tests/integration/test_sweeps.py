"""Sweeps: many runs of one job, as many at a time as may be, and the best of them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from tests.support import manifests
from tests.support.namespace import condition, phase
from tests.support.patience import patience
from tests.support.rest import until_at_rest
from tests.support.stage import Stage

QUICK = {"accepted": 0.2, "inProgress": 0.3}
LARGE, PARALLELISM = 120, 12
"""Runs of a sweep, and as many at a time; bench/sweep.py has a thousand."""

SCORE = QUICK | {"output": ['{"ocijobs.io/results": {"score": $SCORE}}']}


def ended_sweep(stage: Stage, name: str = "sweep", seconds: float = 90) -> dict[str, Any]:
    """Wait for the end of a sweep."""
    ends = {"Succeeded", "Failed", "Cancelled"}
    return stage.until(
        "OCIJobSweep", name, lambda document: phase(document) in ends, seconds=seconds
    )


def test_each_combination_becomes_a_run_and_the_best_is_told(stage: Stage) -> None:
    stage.emulator.set_mode(default=SCORE)
    stage.identity(logGroupId=stage.log_group())
    stage.apply(
        manifests.job(results=["score"]),
        manifests.sweep(
            matrix={"SCORE": ["0.1", "0.90", "0.9", "NaN"], "ALPHA": ["a", "b"]},
            objective={"result": "score", "goal": "Maximize"},
            parallelism=3,
        ),
    )
    status = ended_sweep(stage)["status"]
    assert status["phase"] == "Succeeded"
    assert status["total"] == status["succeeded"] == 8
    assert status["completedIndexes"] == "0-7"
    # Keys are sorted, the last changes fastest; of equal values the first wins.
    assert status["best"] == {
        "index": 1,
        "name": "sweep-1",
        "value": "0.90",
        "parameters": {"ALPHA": "a", "SCORE": "0.90"},
        "results": {"score": "0.90"},
    }
    assert stage.most_active_runs() <= 3
    done = stage.kubectl(
        "wait", "--for=condition=Complete", "ocijobsweep/sweep", f"--timeout={patience(60)}s"
    )
    assert "condition met" in done


def test_a_run_takes_the_best_parameters_of_a_sweep(stage: Stage) -> None:
    stage.emulator.set_mode(default=SCORE)
    stage.identity(logGroupId=stage.log_group())
    best = [
        {
            "name": name,
            "valueFrom": {"resultRef": {"kind": "OCIJobSweep", "name": "sweep", **what}},
        }
        for name, what in (
            ("MODEL", {"bestParameter": "MODEL"}),
            ("SCORE", {"result": "score"}),
        )
    ]
    stage.apply(
        manifests.job(results=["score"]),
        manifests.run("final", env=best),
        manifests.sweep(
            points=[
                {"parameters": {"MODEL": "ridge", "SCORE": "2.5"}},
                {"parameters": {"MODEL": "forest", "SCORE": "1.50"}, "args": ["--deep"]},
            ],
            objective={"result": "score", "goal": "Minimize"},
        ),
    )
    final = stage.until_ended("final")
    assert phase(final) == "Succeeded"
    variables = stage.job_run(
        final["status"]["jobRunId"]
    ).job_configuration_override_details.environment_variables
    assert (variables["MODEL"], variables["SCORE"]) == ("forest", "1.50")


def test_one_failure_too_many_cancels_the_others(stage: Stage) -> None:
    stage.emulator.set_mode(
        default={"accepted": 0.2, "inProgress": 600},
        plans=[{"match": {"displayName": "*/sweep-1"}, **QUICK, "outcome": "FAILED"}],
    )
    stage.identity()
    stage.apply(manifests.job(), manifests.sweep(matrix={"X": ["1", "2", "3", "4"]}, parallelism=2))
    status = ended_sweep(stage)["status"]
    assert status["phase"] == "Failed"
    assert condition({"status": status}, "Failed")["reason"] == "MaxFailedRunsExceeded"
    assert status["created"] == 2
    assert phase(stage.get("OCIJobRun", "sweep-0")) == "Cancelled"


def test_suspending_resuming_and_cancelling_act_on_the_runs(stage: Stage) -> None:
    stage.emulator.set_mode(default={"accepted": 0.2, "inProgress": 600})
    stage.identity()
    stage.apply(manifests.job(), manifests.sweep(matrix={"X": ["1", "2", "3"]}, parallelism=2))
    for name in ("sweep-0", "sweep-1"):
        stage.until_reason("OCIJobRun", name, "Running")
    stage.patch("OCIJobSweep", "sweep", {"spec": {"suspend": True}})
    for name in ("sweep-0", "sweep-1"):
        stage.until("OCIJobRun", name, lambda document: phase(document) == "Suspended")
    stage.until_reason("OCIJobSweep", "sweep", "Suspended")
    stage.patch("OCIJobSweep", "sweep", {"spec": {"suspend": False, "parallelism": 3}})
    for name in ("sweep-0", "sweep-1", "sweep-2"):
        stage.until_reason("OCIJobRun", name, "Running")
    stage.patch("OCIJobSweep", "sweep", {"spec": {"cancel": True}})
    assert phase(ended_sweep(stage)) == "Cancelled"
    assert all(phase(run) == "Cancelled" for run in stage.all("OCIJobRun"))


def test_a_run_that_was_deleted_is_not_run_again(stage: Stage) -> None:
    stage.emulator.set_mode(
        default=QUICK, plans=[{"match": {"displayName": "*/sweep-0"}, "inProgress": 600}]
    )
    stage.identity()
    stage.apply(manifests.job(), manifests.sweep(matrix={"X": ["1", "2", "3"]}, parallelism=1))
    stage.until_reason("OCIJobRun", "sweep-0", "Running")
    stage.delete("OCIJobRun", "sweep-0")
    status = ended_sweep(stage)["status"]
    assert status["goneIndexes"] == "0"
    assert status["completedIndexes"] == "1-2"
    assert status["phase"] == "Succeeded"


def test_deleting_a_sweep_deletes_its_runs(stage: Stage) -> None:
    stage.emulator.set_mode(default={"accepted": 0.2, "inProgress": 600})
    stage.identity()
    stage.apply(manifests.job(), manifests.sweep(matrix={"X": ["1", "2"]}))
    stage.until_reason("OCIJobRun", "sweep-1", "Running")
    stage.delete("OCIJobSweep", "sweep")
    stage.until_gone("OCIJobRun", "sweep-0")
    stage.until_gone("OCIJobRun", "sweep-1")
    assert {run.lifecycle_state for run in stage.job_runs()} == {"CANCELED"}


def test_all_runs_are_of_the_job_as_it_was_when_the_sweep_began(stage: Stage) -> None:
    stage.emulator.set_mode(plans=[{"match": {"displayName": "*/sweep-1"}, "inProgress": 3600}])
    stage.identity()
    stage.apply(
        manifests.job(env=[{"name": "A", "value": "1"}]),
        manifests.sweep(matrix={"X": [str(n) for n in range(4)]}, parallelism=1),
    )
    second = stage.until_reason("OCIJobRun", "sweep-1", "Running")["status"]
    stage.patch("OCIJob", "job", {"spec": {"env": [{"name": "A", "value": "2"}]}})
    assert stage.until_synced("job")["status"]["jobId"] != second["jobId"]
    stage.emulator.force_run(second["jobRunId"], "SUCCEEDED")
    assert phase(ended_sweep(stage)) == "Succeeded"
    assert len({run.job_id for run in stage.job_runs()}) == 1


def test_a_million_combinations_are_refused_with_their_number(stage: Stage) -> None:
    stage.identity()
    values = [str(number) for number in range(1000)]
    stage.apply(manifests.job(), manifests.sweep(matrix={"A": values, "B": values}))
    failed = ended_sweep(stage)
    assert condition(failed, "Failed")["reason"] == "InvalidSpec"
    assert "1,000,000 combinations" in condition(failed, "Failed")["message"]


def test_cancelling_a_sweep_that_has_ended_changes_nothing(stage: Stage) -> None:
    stage.identity()
    stage.emulator.set_mode(default=QUICK)
    stage.apply(manifests.job(), manifests.sweep(matrix={"X": ["1"]}))
    before = ended_sweep(stage)
    stage.patch("OCIJobSweep", "sweep", {"spec": {"cancel": True}})
    after = stage.until(
        "OCIJobSweep",
        "sweep",
        lambda document: (
            document["status"]["observedGeneration"] == document["metadata"]["generation"] == 2
        ),
    )
    assert phase(after) == phase(before) == "Succeeded"
    assert after["status"]["completionTime"] == before["status"]["completionTime"]


def test_a_sweep_waits_while_somebody_else_has_the_name_of_a_run(stage: Stage) -> None:
    stage.identity()
    stage.emulator.set_mode(default=QUICK)
    stage.apply(manifests.job(), manifests.run("sweep-1", suspend=True))
    stage.apply(manifests.sweep(matrix={"X": ["1", "2", "3"]}))
    waiting = stage.until_reason("OCIJobSweep", "sweep", "NameTaken")
    assert "OCIJobRun sweep-1 which is not of this sweep" in condition(waiting, "Ready")["message"]
    stage.delete("OCIJobRun", "sweep-1")
    assert ended_sweep(stage)["status"]["completedIndexes"] == "0-2"


def test_runs_that_a_quota_forbids_are_made_when_it_allows_them(stage: Stage) -> None:
    stage.identity()
    stage.emulator.set_mode(default=QUICK)
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "few"},
        "spec": {"hard": {"count/ocijobruns.ocijobs.io": "1"}},
    }
    stage.apply(manifests.job(), quota)
    counted = "--for=jsonpath={.status.used.count/ocijobruns\\.ocijobs\\.io}=0"
    stage.kubectl("wait", "resourcequota/few", counted, f"--timeout={patience(60)}s")
    stage.apply(manifests.sweep(matrix={"X": ["1", "2", "3"]}))
    told = stage.until_reason("OCIJobSweep", "sweep", "CreationForbidden")
    assert "exceeded quota: few" in condition(told, "Ready")["message"]
    stage.kubectl("delete", "resourcequota", "few")
    assert ended_sweep(stage)["status"]["completedIndexes"] == "0-2"


def test_runs_that_go_as_soon_as_they_have_ended_are_counted_and_not_run_again(
    stage: Stage,
) -> None:
    stage.identity(logGroupId=stage.log_group())
    stage.emulator.set_mode(default=SCORE)
    stage.apply(
        manifests.job(results=["score"]),
        manifests.sweep(
            matrix={"SCORE": ["0.1", "0.9", "0.5", "0.7"]},
            objective={"result": "score", "goal": "Maximize"},
            runTemplate={"spec": {"ttlSecondsAfterFinished": 0}},
            parallelism=2,
        ),
    )
    status = ended_sweep(stage)["status"]
    assert (status["completedIndexes"], status["best"]["value"]) == ("0-3", "0.9")
    for index in range(4):
        stage.until_gone("OCIJobRun", f"sweep-{index}")
    assert len(stage.job_runs()) == 4


@pytest.mark.settings(aggregate_interval_seconds=3600, lease_duration_seconds=patience(30))
def test_a_large_sweep_has_as_many_runs_at_a_time_as_it_may_and_hardly_writes_of_itself(
    stage: Stage,
) -> None:
    first = [f"sweep-{number}" for number in range(PARALLELISM)]
    stage.emulator.set_mode(
        default={"accepted": 0.2, "inProgress": 0.8},
        plans=[{"match": {"displayName": f"*/{name}"}, "inProgress": 3600} for name in first],
    )
    stage.identity()
    stage.apply(manifests.job())
    stage.until_synced("job")
    points = [{"parameters": {"POINT": str(number)}} for number in range(LARGE)]
    stage.create(manifests.sweep(points=points, parallelism=PARALLELISM))
    # However slow the operator is, so many are active at a time.
    running = [stage.until_reason("OCIJobRun", name, "Running") for name in first]
    for run in running:
        stage.emulator.force_run(run["status"]["jobRunId"], "SUCCEEDED")
    status = ended_sweep(stage, seconds=180)["status"]
    assert (status["phase"], status["completedIndexes"]) == ("Succeeded", f"0-{LARGE - 1}")
    runs = stage.job_runs()
    assert len(runs) == len({run.display_name for run in runs}) == LARGE
    assert stage.most_active_runs() == PARALLELISM
    until_at_rest(stage.operator)
    # Ends are told in the order of creation: of as many at once as run at a time, not one by one.
    assert len(stage.writes("OCIJobSweep", "sweep")) <= 2 * LARGE / PARALLELISM + 4
    writes = Counter(name for _, name in stage.writes("OCIJobRun"))
    # It is created, held and let go; the intent and three states, or fewer where one was over before it was seen.
    assert max(writes.values()) <= 7
