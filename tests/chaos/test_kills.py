"""The operator is killed at moments that nobody chose: OCI gets each run once, and the story has one end."""

import random
from collections.abc import Callable

import pytest
from tests.integration.test_model_selection import EXAMPLE, apply, model_of
from tests.support import manifests
from tests.support.kills import (
    each_run_of_spark_was_created_once,
    each_was_created_once,
    launch_under_kills,
)
from tests.support.namespace import Document, phase
from tests.support.stage import Stage

pytestmark = pytest.mark.chaos


@pytest.mark.timeout(1200)
@pytest.mark.no_operator
def test_a_hundred_runs_are_created_once_though_the_operator_is_killed_thirty_times(
    stage: Stage, chance: random.Random
) -> None:
    stage.emulator.set_mode(
        default={"accepted": [0.5, 4], "inProgress": [1, 30], "seed": chance.randrange(1000)},
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
    # Some answers never arrive, although the run was created; others are late.
    dropped, late = {"probability": 0.1, "action": "drop"}, {"probability": 0.3, "delay": 0.3}
    for fault in (dropped, late):
        stage.emulator.add_fault("CreateJobRun", **fault, seed=chance.randrange(1000))
    stage.identity()
    stage.apply(manifests.job())
    names = [f"run-{i:03d}" if i % 10 else f"run-{i:03d}-fails" for i in range(100)]
    launch_under_kills(stage, names, [chance.randint(1, 12) for _ in range(30)])
    for name in names:
        ended = stage.until_ended(name, seconds=180)
        assert phase(ended) == ("Failed" if name.endswith("fails") else "Succeeded"), name
    each_was_created_once(stage, names)


@pytest.mark.timeout(600)
@pytest.mark.no_operator
def test_runs_of_spark_are_created_once_though_the_operator_is_killed_ten_times(
    stage: Stage, chance: random.Random
) -> None:
    stage.identity(artifactBucketUri=f"{stage.bucket('code')}/spark")
    stage.emulator.set_mode(
        default={"accepted": [0.5, 3], "inProgress": [1, 10], "seed": chance.randrange(1000)}
    )
    for operation in ("CreateRun", "CreateApplication", "PutObject"):
        fault = {"action": "drop", "probability": 0.2, "seed": chance.randrange(1000)}
        stage.emulator.add_fault(operation, **fault)
    stage.apply(manifests.spark_job())
    names = [f"run-{i:02d}" for i in range(30)]
    launch_under_kills(stage, names, [chance.randint(1, 10) for _ in range(10)])
    for name in names:
        assert phase(stage.until_ended(name, seconds=180)) == "Succeeded", name
    each_run_of_spark_was_created_once(stage, names)


@pytest.mark.timeout(1800)
@pytest.mark.real_runs
def test_the_story_ends_the_same_though_the_operator_is_killed_five_times(
    stage: Stage, chance: random.Random
) -> None:
    stage.identity(logGroupId=stage.log_group())
    apply(stage, EXAMPLE)
    milestones: list[tuple[str, str, Callable[[Document], bool]]] = [
        ("OCIJobRun", "prepare", lambda document: "submit" in document["status"]),
        ("OCIJobRun", "prepare", lambda document: phase(document) == "Succeeded"),
        ("OCIJobSweep", "search", lambda document: "binding" in document["status"]),
        ("OCIJobSweep", "search", lambda document: bool(document["status"].get("succeeded"))),
        ("OCIJobSweep", "search", lambda document: phase(document) == "Succeeded"),
    ]
    for kind, name, reached in milestones:
        stage.until(kind, name, reached, seconds=300)
        seen = stage.emulator.last_seq()
        if more := chance.randint(0, 3):
            stage.emulator.wait_for(since=seen, count=more)
        stage.operator.kill()
        stage.start_operator()
    final = stage.until_ended("final", seconds=900)
    assert phase(final) == "Succeeded", final["status"]
    assert model_of(stage, final)
    # Nothing was run twice: prepare, three model classes, the final training.
    assert len(stage.job_runs()) == 5
