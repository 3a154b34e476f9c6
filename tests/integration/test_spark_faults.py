"""Spark jobs and runs when something goes wrong: kills, lost answers, conflicts, other people; and many of them."""

from collections import Counter
from typing import Any

import oci
import pytest
from tests.integration.test_spark import flow, has_phase, is_ready
from tests.integration.test_sweeps import SCORE, ended_sweep
from tests.support import manifests
from tests.support.kills import each_run_of_spark_was_created_once, launch_under_kills
from tests.support.namespace import Document, phase
from tests.support.polls import most_polls
from tests.support.rest import until_at_rest
from tests.support.stage import Stage

__all__ = ["flow"]

POLL_SECONDS = 0.2
"""Least time between two polls."""

RUNS = 9
KILLED_AFTER = (2, 5, 8)
"""Requests to OCI: none of these moments is special. tests/chaos has moments that nobody chose."""


@pytest.mark.no_operator
def test_runs_of_spark_are_created_once_though_the_operator_is_killed_again_and_again(
    flow: Stage,
) -> None:
    flow.emulator.set_mode(default={"accepted": [0.5, 3], "inProgress": [1, 6], "seed": 1})
    for operation in ("CreateRun", "CreateApplication", "PutObject"):
        flow.emulator.add_fault(operation, action="drop", probability=0.2, seed=5)
    flow.apply(manifests.spark_job())
    names = [f"run-{i:02d}" for i in range(RUNS)]
    launch_under_kills(flow, names, KILLED_AFTER)
    for name in names:
        assert phase(flow.until_ended(name, seconds=120)) == "Succeeded", name
    each_run_of_spark_was_created_once(flow, names)


@pytest.mark.settings(poll_min_seconds=POLL_SECONDS)
def test_runs_in_step_share_lists_with_one_filter(flow: Stage) -> None:
    flow.apply(manifests.spark_job())
    flow.until("OCIJob", "job", is_ready)
    flow.emulator.set_mode(default={"accepted": [0.5, 2], "inProgress": [2, 6], "seed": 1})
    seen = flow.emulator.last_seq()
    names = [f"run-{i:02d}" for i in range(30)]
    flow.apply(*(manifests.run(name) for name in names))
    for name in names:
        flow.until("OCIJobRun", name, has_phase("Succeeded"))
    calls = {operation: sum(n.values()) for operation, n in flow.emulator.counts(seen).items()}
    assert calls["CreateRun"] == 30
    # Its logs are listed and read once.
    assert calls["ListRunLogs"] == 30
    assert calls["GetRunLog"] <= 3 * 30
    # Four lists a poll, or fewer looks at single runs, however many there are; and one look or two at each that has
    # left the lists, or has just come.
    lists = flow.emulator.journal("ListRuns", since=seen, limit=10_000)
    looks = flow.emulator.journal("GetRun", since=seen, limit=10_000)
    polls = most_polls([*lists, *looks], POLL_SECONDS)
    assert len(lists) + len(looks) <= 4 * polls + 2 * 30
    until_at_rest(flow.operator)
    writes = Counter(name for _, name in flow.writes("OCIJobRun"))
    # Two of the finalizer; the intent and three states, or fewer where one was over before it was seen.
    assert max(writes[name] for name in names) <= 6


@pytest.mark.parametrize("operation", ["CreateApplication", "CreateRun"])
def test_a_conflict_on_creation_is_looked_up_and_tried_again(flow: Stage, operation: str) -> None:
    flow.emulator.add_fault(operation, status=409, code="Conflict", count=1)
    flow.apply(manifests.spark_job(), manifests.run())
    flow.until("OCIJobRun", "run", has_phase("Succeeded"))
    assert len(flow.flow_runs()) == 1
    assert len(flow.flow().list_applications(flow.emulator.tenancy).data) == 1


def test_a_sweep_of_spark_runs_finds_its_best(flow: Stage) -> None:
    flow.emulator.set_mode(default=SCORE)
    flow.apply(
        manifests.spark_job(results=["score"]),
        manifests.sweep(
            matrix={"SCORE": ["0.1", "0.9", "0.5"]},
            objective={"result": "score", "goal": "Maximize"},
            parallelism=2,
        ),
    )
    status = ended_sweep(flow)["status"]
    assert status["phase"] == "Succeeded"
    assert (status["best"]["index"], status["best"]["value"]) == (1, "0.9")


def test_an_application_made_elsewhere_is_run_as_it_is(flow: Stage) -> None:
    flow.apply(manifests.spark_job("own"))
    made = flow.until("OCIJob", "own", is_ready)["status"]
    application = flow.flow().get_application(made["jobId"]).data
    other = (
        flow.flow()
        .create_application(
            oci.data_flow.models.CreateApplicationDetails(
                compartment_id=flow.emulator.tenancy,
                display_name="by-hand",
                language="PYTHON",
                spark_version="3.5.0",
                file_uri=application.file_uri,
                driver_shape="VM.Standard.E4.Flex",
                executor_shape="VM.Standard.E4.Flex",
                num_executors=1,
                configuration={"spark.driverEnv.PASSWORD": "swordfish"},
            )
        )
        .data
    )
    flow.create(_run("by-hand", jobId=other.id, args=["--all"], spark={"numExecutors": 3}))
    status = flow.until("OCIJobRun", "by-hand", has_phase("Succeeded"))["status"]
    run = flow.flow().get_run(status["jobRunId"]).data
    assert (run.arguments, run.num_executors) == (["--all"], 3)
    assert run.configuration == {"spark.driverEnv.PASSWORD": "swordfish"}
    assert "swordfish" not in str(flow.get("OCIJobRun", "by-hand"))
    flow.create(_run("refused", jobId=other.id, env=[{"name": "A", "value": "1"}]))
    refused = flow.until("OCIJobRun", "refused", has_phase("Failed"))["status"]
    assert "Data Flow takes a configuration whole" in refused["conditions"][0]["message"]


def _run(name: str, **spec: Any) -> Document:
    document = manifests.run(name, **spec)
    del document["spec"]["jobRef"]
    return document
