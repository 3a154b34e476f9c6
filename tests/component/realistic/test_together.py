"""Objects that need each other, and OCI's permissions, where all of it takes minutes."""

import pytest
from tests.component.world import World
from tests.support import manifests
from tests.support.namespace import condition, phase

pytestmark = pytest.mark.asyncio

SCORE = {"inProgress": 60, "output": ['{"ocijobs.io/results": {"score": $SCORE}}']}


async def test_a_run_takes_the_best_of_a_sweep_that_waited_for_another_run(world: World) -> None:
    stage = world.stage
    stage.emulator.set_mode(default=SCORE)
    stage.identity(logGroupId=await world.log_group())
    best = {"kind": "OCIJobSweep", "name": "sweep", "bestParameter": "SCORE"}
    world.create(
        manifests.job(results=["score"]),
        manifests.run("prepare", env=[{"name": "SCORE", "value": "0"}]),
        manifests.sweep(
            matrix={"SCORE": ["0.1", "0.9", "0.5"]},
            objective={"result": "score", "goal": "Maximize"},
            parallelism=2,
            dependsOn=[{"name": "prepare"}],
        ),
        manifests.run("final", env=[{"name": "SCORE", "valueFrom": {"resultRef": best}}]),
    )
    final = await world.until_ended("final")
    assert phase(final) == "Succeeded"
    run = stage.job_run(final["status"]["jobRunId"])
    assert run.job_configuration_override_details.environment_variables["SCORE"] == "0.9"
    prepare = stage.get("OCIJobRun", "prepare")
    for index in range(3):
        child = stage.get("OCIJobRun", f"sweep-{index}")
        assert child["status"]["acceptedTime"] >= prepare["status"]["completionTime"]
        assert child["status"]["completionTime"] <= final["status"]["acceptedTime"]
    assert stage.most_active_runs() <= 2
    assert len(stage.job_runs()) == 5


async def test_a_policy_that_comes_later_is_all_that_lacked(world: World) -> None:
    stage = world.stage
    user = stage.emulator.add_user("operator", groups=["job-operators"])
    before = stage.emulator.policies()["statements"]
    stage.emulator.set_policies([])
    await world.pass_time(minutes=1)
    stage.identity(user.config)
    world.create(manifests.job(), manifests.run())
    told = await world.until_reason("OCIJob", "job", "NotAuthorizedOrNotFound")
    assert condition(told, "Stalled")["status"] == "False"
    stage.emulator.set_policies(
        [*before, "Allow group job-operators to manage data-science-family in tenancy"]
    )
    assert phase(await world.until_ended("run")) == "Succeeded"
    assert len(stage.job_runs()) == 1
    assert len(stage.emulator.journal("CreateJob", status=200)) == 1


async def test_runs_beyond_ocis_limit_wait_and_all_end(world: World) -> None:
    stage = world.stage
    stage.emulator.set_mode(default={"inProgress": 120})
    stage.emulator.set_rules(active_runs_maximum=2)
    stage.identity()
    world.create(manifests.job(), manifests.sweep(matrix={"X": ["1", "2", "3", "4"]}))
    sweep = await world.until("OCIJobSweep", "sweep", lambda o: phase(o) == "Succeeded")
    assert sweep["status"]["succeeded"] == 4
    assert len(stage.job_runs()) == 4
    assert stage.most_active_runs() == 2
