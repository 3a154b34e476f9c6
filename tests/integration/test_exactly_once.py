"""Exactly once: whatever happens to the operator, OCI gets each run one time."""

import random

import pytest
from tests.support import manifests
from tests.support.namespace import phase
from tests.support.stage import Stage

RUNS = 100
KILLS = 30
SHORT_LEASE = {
    "oci_connect_timeout_seconds": 0.5,
    "oci_read_timeout_seconds": 2,
    "lease_duration_seconds": 3,
    "lease_renew_seconds": 0.5,
}


@pytest.mark.slow
def test_a_hundred_runs_are_created_once_though_the_operator_is_killed_thirty_times(
    stage: Stage,
) -> None:
    chance = random.Random(3)  # noqa: S311 - where to kill, the same each time
    stage.operator.stop()
    stage.emulator.set_mode(
        default={"accepted": [0.5, 4], "inProgress": [1, 30], "seed": 1},
        plans=[
            {
                "match": {"displayName": "*fails*"},
                "accepted": 1,
                "inProgress": 2,
                "outcome": "FAILED",
                "exitCode": 3,
            }
        ],
    )
    # Some answers never arrive, although the run was created.
    stage.emulator.add_fault("CreateJobRun", action="drop", probability=0.1, seed=5)
    stage.emulator.add_fault("CreateJobRun", delay=0.3, probability=0.3, seed=6)
    stage.identity()
    stage.kubectl_apply(manifests.job())
    names = [f"run-{i:03d}" if i % 10 else f"run-{i:03d}-fails" for i in range(RUNS)]
    batches = [names[i::KILLS] for i in range(KILLS)]

    for batch in batches:
        stage.restart_operator(**SHORT_LEASE)
        seen = stage.emulator.last_seq()
        stage.kubectl_apply(*(manifests.run(name) for name in batch))
        # Killed after some number of requests, none of which is special.
        stage.emulator.wait_for(since=seen, count=chance.randint(1, 12))
        stage.operator.kill()

    stage.emulator.clear_faults()
    stage.restart_operator()
    for name in names:
        ended = stage.until_ended(name, seconds=180)
        assert phase(ended) == ("Failed" if name.endswith("fails") else "Succeeded"), name
    created = {
        entry.resource_id
        for entry in stage.emulator.journal("CreateJobRun", status=200, limit=10_000)
    }
    assert len(created) == RUNS
    assert len(stage.job_runs()) == RUNS
    bound = {stage.get("OCIJobRun", name)["status"]["jobRunId"] for name in names}
    assert bound == {run.id for run in stage.job_runs()}
    assert len(stage.all("OCIJob")) == 1


def test_two_operators_create_one_run_when_the_leader_hands_over(stage: Stage) -> None:
    stage.identity()
    stage.kubectl_apply(manifests.job())
    stage.until_reason("OCIJob", "job", "Synced")
    first = stage.operator.until_ready()
    stage.restart_operator()
    stage.operator.until_ready()
    stage.kubectl_apply(*(manifests.run(f"run-{i}") for i in range(10)))
    stage.emulator.wait_for("CreateJobRun", count=3)
    assert first.stop() == 0
    for i in range(10):
        stage.until_ended(f"run-{i}")
    assert len(stage.job_runs()) == 10


def test_an_answer_that_never_comes_is_asked_for_again_with_the_same_token(stage: Stage) -> None:
    stage.identity()
    stage.emulator.add_fault("CreateJobRun", action="drop", count=2)
    stage.kubectl_apply(manifests.job(), manifests.run())
    stage.until_ended("run")
    calls = stage.emulator.journal("CreateJobRun")
    assert len(calls) == 3
    assert len({call.retry_token for call in calls}) == 1
    assert len(stage.job_runs()) == 1


def test_a_run_of_the_same_name_after_a_deletion_is_another_run(stage: Stage) -> None:
    stage.identity()
    stage.kubectl_apply(manifests.job(), manifests.run())
    first = stage.until_ended("run")["status"]["jobRunId"]
    stage.delete("OCIJobRun", "run")
    stage.until_gone("OCIJobRun", "run")
    stage.create(manifests.run())
    second = stage.until_ended("run")["status"]["jobRunId"]
    assert first != second
    assert len(stage.job_runs()) == 2


def test_an_old_intent_is_searched_for_before_anything_is_created(stage: Stage) -> None:
    """OCI keeps a token for 24 hours; later, the tag tells."""
    stage.operator.stop()
    stage.restart_operator(token_lifetime_seconds=0.1)
    stage.identity()
    stage.emulator.add_fault("CreateJobRun", action="drop", count=1)
    stage.kubectl_apply(manifests.job(), manifests.run())
    stage.until_ended("run")
    assert len(stage.emulator.journal("CreateJobRun")) == 1
    assert len(stage.job_runs()) == 1
