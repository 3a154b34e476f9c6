"""Spark jobs and runs when something goes wrong: kills, lost answers, conflicts, other people; and many of them."""

import random
from collections import Counter
from typing import Any

import oci
import pytest
from tests.integration.test_exactly_once import SHORT_LEASE
from tests.integration.test_spark import flow, has_phase, is_ready
from tests.integration.test_sweeps import SCORE, ended_sweep
from tests.support import manifests
from tests.support.namespace import Document, phase
from tests.support.stage import Stage

from ocijobs.api.names import API_VERSION

__all__ = ["flow"]

RUNS = 15
KILLS = 5


@pytest.mark.slow
def test_runs_of_spark_are_created_once_though_the_operator_is_killed_again_and_again(
    flow: Stage,
) -> None:
    chance = random.Random(5)  # noqa: S311 - where to kill, the same each time
    flow.operator.stop()
    flow.emulator.set_mode(default={"accepted": [0.5, 3], "inProgress": [1, 10], "seed": 1})
    for operation in ("CreateRun", "CreateApplication", "PutObject"):
        flow.emulator.add_fault(operation, action="drop", probability=0.2, seed=5)
    flow.kubectl_apply(manifests.spark_job())
    names = [f"run-{i:02d}" for i in range(RUNS)]
    for batch in (names[i::KILLS] for i in range(KILLS)):
        flow.restart_operator(**SHORT_LEASE)
        seen = flow.emulator.last_seq()
        flow.kubectl_apply(*(manifests.run(name) for name in batch))
        flow.emulator.wait_for(since=seen, count=chance.randint(1, 10))
        flow.operator.kill()
    flow.emulator.clear_faults()
    flow.restart_operator()
    for name in names:
        assert phase(flow.until_ended(name, seconds=180)) == "Succeeded", name
    made = flow.flow_runs()
    assert len(made) == RUNS
    assert {flow.get("OCIJobRun", name)["status"]["jobRunId"] for name in names} == {
        run.id for run in made
    }
    applications = flow.flow().list_applications(flow.emulator.tenancy).data
    assert len(applications) == 1


def test_runs_in_step_share_lists_with_one_filter(flow: Stage) -> None:
    flow.kubectl_apply(manifests.spark_job())
    flow.until("OCIJob", "job", is_ready)
    flow.emulator.set_mode(default={"accepted": [0.5, 2], "inProgress": [2, 6], "seed": 1})
    seen = flow.emulator.last_seq()
    names = [f"run-{i:02d}" for i in range(30)]
    flow.kubectl_apply(*(manifests.run(name) for name in names))
    for name in names:
        flow.until("OCIJobRun", name, has_phase("Succeeded"))
    calls = {operation: sum(n.values()) for operation, n in flow.emulator.counts(seen).items()}
    assert calls["CreateRun"] == 30
    # One look when a run has left the lists; its logs are listed and read once.
    assert calls["GetRun"] <= 45
    assert calls["ListRunLogs"] == 30
    assert calls["GetRunLog"] <= 90
    assert calls["ListRuns"] <= 150
    writes = Counter(name for _, name in flow.writes("OCIJobRun"))
    assert {writes[name] for name in names} <= {5, 6}


@pytest.mark.parametrize("operation", ["CreateApplication", "CreateRun"])
def test_a_conflict_on_creation_is_looked_up_and_tried_again(flow: Stage, operation: str) -> None:
    flow.emulator.add_fault(operation, status=409, code="Conflict", count=1)
    flow.kubectl_apply(manifests.spark_job(), manifests.run())
    flow.until("OCIJobRun", "run", has_phase("Succeeded"))
    assert len(flow.flow_runs()) == 1
    assert len(flow.flow().list_applications(flow.emulator.tenancy).data) == 1


def test_a_sweep_of_spark_runs_finds_its_best(flow: Stage) -> None:
    flow.emulator.set_mode(default=SCORE)
    flow.kubectl_apply(
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


def test_a_schedule_tells_spark_its_time(flow: Stage) -> None:
    flow.kubectl_apply(
        manifests.spark_job(),
        {
            "apiVersion": API_VERSION,
            "kind": "OCIJobSchedule",
            "metadata": {"name": "often"},
            "spec": {
                "schedule": "@every 5s",
                "resources": [{"name": "r", "run": {"jobRef": {"name": "job"}}}],
            },
        },
    )
    flow.until("OCIJobSchedule", "often", lambda one: one["status"].get("lastScheduleTime"))
    (name, *_) = [run["metadata"]["name"] for run in flow.all("OCIJobRun")]
    status = flow.until("OCIJobRun", name, has_phase("Succeeded"))["status"]
    configuration = flow.flow().get_run(status["jobRunId"]).data.configuration
    told = configuration["spark.driverEnv.OCIJOBS_SCHEDULED_TIME"]
    assert (
        told == flow.get("OCIJobRun", name)["metadata"]["annotations"]["ocijobs.io/scheduled-time"]
    )


def test_an_application_made_elsewhere_is_run_as_it_is(flow: Stage) -> None:
    flow.kubectl_apply(manifests.spark_job("own"))
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
