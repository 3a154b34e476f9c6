"""Runs that wait for others, and take values from them."""

from __future__ import annotations

from tests.support import manifests
from tests.support.namespace import condition, phase
from tests.support.stage import Stage

PRINTS_A_RESULT = {
    "accepted": 0.2,
    "inProgress": 0.2,
    "output": ['{"ocijobs.io/results": {"auc": 0.930, "model": "a $$b"}}'],
}


def taking(name: str, result: str) -> dict[str, object]:
    """Return a variable that takes a result of the run `name`."""
    return {"name": "TAKEN", "valueFrom": {"resultRef": {"name": name, "result": result}}}


def test_a_run_begins_when_what_it_waits_for_has_succeeded(stage: Stage) -> None:
    stage.identity()
    stage.apply(
        manifests.run("second", dependsOn=[{"name": "first"}]),
        manifests.job(),
    )
    waiting = stage.until_reason("OCIJobRun", "second", "WaitingForDependency")
    assert "OCIJobRun first, which does not exist" in condition(waiting, "Ready")["message"]
    stage.apply(manifests.run("first"))
    first, second = stage.until_ended("first"), stage.until_ended("second")
    assert phase(second) == "Succeeded"
    assert second["status"]["acceptedTime"] >= first["status"]["completionTime"]
    assert second["status"]["dependencies"][0]["uid"] == first["metadata"]["uid"]


def test_a_result_of_one_run_is_a_variable_of_the_next(stage: Stage) -> None:
    stage.emulator.set_mode(default=PRINTS_A_RESULT)
    stage.identity(logGroupId=stage.log_group())
    stage.apply(
        manifests.job(results=["auc", "model"]),
        manifests.run("first"),
        manifests.run("second", env=[taking("first", "auc")]),
    )
    second = stage.until_ended("second")
    assert phase(second) == "Succeeded"
    variables = stage.job_run(
        second["status"]["jobRunId"]
    ).job_configuration_override_details.environment_variables
    assert variables["TAKEN"] == "0.930"


def test_what_waits_for_a_run_that_fails_fails_too_unless_any_end_will_do(stage: Stage) -> None:
    stage.emulator.set_mode(
        plans=[
            {
                "match": {"displayName": "*/first"},
                "accepted": 0.2,
                "inProgress": 0.2,
                "outcome": "FAILED",
            }
        ]
    )
    stage.identity()
    stage.apply(
        manifests.job(),
        manifests.run("first"),
        manifests.run("strict", dependsOn=[{"name": "first"}]),
        manifests.run("anyway", dependsOn=[{"name": "first", "condition": "Finished"}]),
    )
    strict = stage.until_ended("strict")
    assert condition(strict, "Failed")["reason"] == "DependencyFailed"
    assert "jobRunId" not in strict["status"]
    assert phase(stage.until_ended("anyway")) == "Succeeded"


def test_a_result_that_was_not_reported_fails_what_needs_it(stage: Stage) -> None:
    stage.identity()
    stage.apply(
        manifests.job(results=["auc"]),
        manifests.run("first"),
        manifests.run("second", env=[taking("first", "auc")]),
    )
    second = stage.until_ended("second")
    assert condition(second, "Failed")["reason"] == "ResultMissing"
    assert "result auc" in condition(second, "Failed")["message"]


def test_a_dependency_on_itself_is_refused_with_its_name(stage: Stage) -> None:
    stage.identity()
    stage.apply(manifests.job(), manifests.run(dependsOn=[{"name": "run"}]))
    ended = stage.until_ended("run")
    assert condition(ended, "Failed")["reason"] == "InvalidSpec"
    assert "OCIJobRun run -> OCIJobRun run is a cycle" in condition(ended, "Failed")["message"]


def test_a_cycle_is_refused_with_the_names_of_all_in_it(stage: Stage) -> None:
    stage.identity()
    stage.apply(
        manifests.job(),
        manifests.run("a", dependsOn=[{"name": "b"}]),
        manifests.run("b", dependsOn=[{"kind": "OCIJobSweep", "name": "c"}]),
        manifests.sweep("c", matrix={"X": ["1"]}, dependsOn=[{"name": "a"}]),
    )
    message = condition(stage.until_ended("a"), "Failed")["message"]
    stage.until_ended("b")
    assert "OCIJobRun a -> OCIJobRun b -> OCIJobSweep c -> OCIJobRun a is a cycle" in message
    assert not stage.job_runs()
