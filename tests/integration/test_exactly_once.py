"""Exactly once: whatever happens to the operator, OCI gets each run one time."""

import pytest
from tests.support import manifests
from tests.support.kills import each_was_created_once, launch_under_kills
from tests.support.namespace import phase
from tests.support.stage import Stage

RUNS = 32
KILLED_AFTER = (1, 2, 3, 4, 6, 8, 10, 12)
"""Requests to OCI: none of these moments is special. tests/chaos has moments that nobody chose."""


@pytest.mark.no_operator
def test_runs_are_created_once_though_the_operator_is_killed_eight_times(stage: Stage) -> None:
    stage.emulator.set_mode(
        default={"accepted": [0.5, 4], "inProgress": [1, 6], "seed": 1},
        plans=[{"match": {"displayName": "*fails*"}, "outcome": "FAILED", "exitCode": 3}],
    )
    # Some answers never arrive, although the run was created; others are late.
    stage.emulator.add_fault("CreateJobRun", action="drop", probability=0.2, seed=5)
    stage.emulator.add_fault("CreateJobRun", delay=0.3, probability=0.3, seed=6)
    stage.identity()
    stage.apply(manifests.job())
    names = [f"run-{i:02d}" if i % 8 else f"run-{i:02d}-fails" for i in range(RUNS)]
    launch_under_kills(stage, names, KILLED_AFTER)
    for name in names:
        ended = stage.until_ended(name, seconds=120)
        assert phase(ended) == ("Failed" if name.endswith("fails") else "Succeeded"), name
    each_was_created_once(stage, names)


@pytest.mark.own_process
def test_two_operators_create_one_run_when_the_leader_hands_over(stage: Stage) -> None:
    stage.identity()
    stage.apply(manifests.job())
    stage.until_reason("OCIJob", "job", "Synced")
    first = stage.operator.until_ready()
    stage.start_operator()
    stage.operator.until_ready()
    stage.apply(*(manifests.run(f"run-{i}") for i in range(10)))
    stage.emulator.wait_for("CreateJobRun", count=3)
    assert first.stop() == 0
    for i in range(10):
        stage.until_ended(f"run-{i}")
    assert len(stage.job_runs()) == 10


@pytest.mark.own_process
def test_an_answer_that_never_comes_is_asked_for_again_with_the_same_token(stage: Stage) -> None:
    stage.identity()
    stage.emulator.add_fault("CreateJobRun", action="drop", count=2)
    stage.apply(manifests.job(), manifests.run())
    stage.until_ended("run")
    calls = stage.emulator.journal("CreateJobRun")
    assert len(calls) == 3
    assert len({call.retry_token for call in calls}) == 1
    assert len(stage.job_runs()) == 1


def test_a_run_of_the_same_name_after_a_deletion_is_another_run(stage: Stage) -> None:
    stage.identity()
    stage.apply(manifests.job(), manifests.run())
    first = stage.until_ended("run")["status"]["jobRunId"]
    stage.delete("OCIJobRun", "run")
    stage.until_gone("OCIJobRun", "run")
    stage.create(manifests.run())
    second = stage.until_ended("run")["status"]["jobRunId"]
    assert first != second
    assert len(stage.job_runs()) == 2


@pytest.mark.settings(token_lifetime_seconds=0.1)
def test_an_old_intent_is_searched_for_before_anything_is_created(stage: Stage) -> None:
    """OCI keeps a token for 24 hours; later, the tag tells."""
    stage.identity()
    stage.emulator.add_fault("CreateJobRun", action="drop", count=1)
    stage.apply(manifests.job(), manifests.run())
    stage.until_ended("run")
    assert len(stage.emulator.journal("CreateJobRun")) == 1
    assert len(stage.job_runs()) == 1
