"""Schedules: each firing makes all its resources, and CronJob's rules say when and how many."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
import yaml
from tests.component.world import World
from tests.support import manifests
from tests.support.namespace import Document, condition, phase
from tests.support.patience import patience

from ocijobs.api.shared.names import API_VERSION

pytestmark = pytest.mark.asyncio

LONG = {"inProgress": 1_000_000}
NAME = "nightly"
RUN = {"jobRef": {"name": "job"}}


def schedule(*resources: dict[str, Any], every: str = "10m", **spec: Any) -> Document:
    """Return an OCIJobSchedule."""
    made = resources or ({"name": "train", "run": RUN},)
    return {
        "apiVersion": API_VERSION,
        "kind": "OCIJobSchedule",
        "metadata": {"name": NAME},
        "spec": {"schedule": f"@every {every}", "resources": list(made), **spec},
    }


def fired(world: World, kind: str = "OCIJobRun") -> list[datetime]:
    """Return the times of which objects are there, in their order."""
    annotations = (item["metadata"]["annotations"] for item in world.stage.all(kind))
    return sorted({datetime.fromisoformat(a["ocijobs.io/scheduled-time"]) for a in annotations})


async def until_fired(world: World, times: int = 1) -> Document:
    """Let time pass until the schedule has that many firings in its status."""
    return await world.until(
        "OCIJobSchedule",
        NAME,
        lambda o: len(o.get("status", {}).get("firings", ())) >= times,
    )


def refusal(namespace: str, expression: str) -> tuple[Document, ...]:
    """Return an admission policy for the runs of a namespace."""
    rule = {
        "apiGroups": ["ocijobs.io"],
        "apiVersions": ["*"],
        "operations": ["CREATE"],
        "resources": ["ocijobruns"],
    }
    group = "admissionregistration.k8s.io/v1"
    policy = {
        "matchConstraints": {"resourceRules": [rule]},
        "validations": [{"expression": expression, "reason": "Invalid"}],
    }
    where = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
    binding = {
        "policyName": namespace,
        "validationActions": ["Deny"],
        "matchResources": {"namespaceSelector": where},
    }
    return (
        {
            "apiVersion": group,
            "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": namespace},
            "spec": policy,
        },
        {
            "apiVersion": group,
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": namespace},
            "spec": binding,
        },
    )


async def test_a_firing_makes_all_its_resources_which_know_each_other_and_the_time(
    world: World,
) -> None:
    stage = world.stage
    stage.emulator.set_mode(
        default={"inProgress": 60, "output": ['{"ocijobs.io/results": {"score": $SCORE}}']}
    )
    stage.identity(logGroupId=await world.log_group())
    best = {"kind": "OCIJobSweep", "name": "search", "bestParameter": "SCORE"}
    world.create(
        manifests.job(results=["score"]),
        schedule(
            {"name": "prepare", "run": {**RUN, "env": [{"name": "SCORE", "value": "0"}]}},
            {
                "name": "search",
                "sweep": {
                    **RUN,
                    "matrix": {"SCORE": ["0.5", "0.7"]},
                    "objective": {"result": "score", "goal": "Maximize"},
                    "dependsOn": [{"name": "prepare"}],
                },
            },
            {
                "name": "final",
                "run": {**RUN, "env": [{"name": "SCORE", "valueFrom": {"resultRef": best}}]},
            },
        ),
    )
    first = (await until_fired(world))["status"]["firings"][0]["scheduledTime"]
    ended = await world.until(
        "OCIJobSchedule", NAME, lambda o: o["status"]["firings"][0]["state"] == "Succeeded"
    )
    assert ended["status"]["lastSuccessfulTime"]
    assert len(ended["status"]["firings"]) == 1
    runs = {item["metadata"]["name"].split("-", 2)[2]: item for item in stage.all("OCIJobRun")}
    assert set(runs) == {"prepare", "search-0", "search-1", "final"}
    for run in runs.values():
        assert run["metadata"]["annotations"]["ocijobs.io/scheduled-time"] == first
        variables = stage.job_run(
            run["status"]["jobRunId"]
        ).job_configuration_override_details.environment_variables
        assert variables["OCIJOBS_SCHEDULED_TIME"] == first
    assert runs["final"]["spec"]["env"][0]["valueFrom"]["resultRef"]["name"].startswith("nightly-")
    assert runs["final"]["status"]["dependencies"][0]["values"] == {"parameter:SCORE": "0.7"}


async def test_a_schedule_fires_at_its_times_and_at_no_other(world: World) -> None:
    world.stage.identity()
    world.create(manifests.job(), schedule(successfulJobsHistoryLimit=100))
    await until_fired(world)
    await world.pass_time(minutes=35)
    times = fired(world)
    assert [later - earlier for earlier, later in pairwise(times)] == [timedelta(minutes=10)] * 3


async def test_a_schedule_tells_spark_its_time(world: World) -> None:
    stage = world.stage
    stage.identity(artifactBucketUri=f"{stage.bucket('code')}/spark")
    world.create(manifests.spark_job(), schedule())
    await until_fired(world)
    (made,) = stage.all("OCIJobRun")
    status = (await world.until_phase(made["metadata"]["name"], "Succeeded"))["status"]
    configuration = stage.flow().get_run(status["jobRunId"]).data.configuration
    told = configuration["spark.driverEnv.OCIJOBS_SCHEDULED_TIME"]
    assert told == made["metadata"]["annotations"]["ocijobs.io/scheduled-time"]


async def test_forbid_starts_nothing_while_an_earlier_firing_has_not_ended(world: World) -> None:
    stage = world.stage
    stage.emulator.set_mode(default=LONG)
    stage.identity()
    world.create(manifests.job(), schedule(concurrencyPolicy="Forbid"))
    await world.until_reason("OCIJobSchedule", NAME, "AlreadyActive")
    await world.pass_time(minutes=30)
    (run,) = stage.all("OCIJobRun")
    stage.patch("OCIJobRun", run["metadata"]["name"], {"spec": {"cancel": True}})
    await world.until(
        "OCIJobSchedule",
        NAME,
        lambda o: (
            o["status"]["lastScheduleTime"]
            > run["metadata"]["annotations"]["ocijobs.io/scheduled-time"]
        ),
    )


async def test_replace_deletes_the_firing_that_has_not_ended(world: World) -> None:
    stage = world.stage
    stage.emulator.set_mode(default=LONG)
    stage.identity()
    world.create(manifests.job(), schedule(concurrencyPolicy="Replace"))
    await until_fired(world)
    (first,) = stage.all("OCIJobRun")
    await world.until_phase(first["metadata"]["name"], "Running")
    await world.until_gone("OCIJobRun", first["metadata"]["name"])
    (second,) = stage.all("OCIJobRun")
    assert second["metadata"]["name"] != first["metadata"]["name"]
    assert min(run.lifecycle_state for run in stage.job_runs()) == "CANCELED"


async def test_deleting_a_schedule_deletes_what_it_has_made(world: World) -> None:
    stage = world.stage
    stage.emulator.set_mode(default=LONG)
    stage.identity()
    search = {"name": "all", "sweep": {**RUN, "matrix": {"X": ["1", "2"]}}}
    world.create(manifests.job(), schedule(search))
    await until_fired(world)
    (sweep,) = (made["metadata"]["name"] for made in stage.all("OCIJobSweep"))
    for index in range(2):
        await world.until_phase(f"{sweep}-{index}", "Running")
    stage.delete("OCIJobSchedule", NAME)
    await world.until_marked("OCIJobSweep", sweep)
    for index in range(2):
        await world.until_marked("OCIJobRun", f"{sweep}-{index}")
        await world.until_gone("OCIJobRun", f"{sweep}-{index}")
    await world.until_gone("OCIJobSweep", sweep)
    assert {run.lifecycle_state for run in stage.job_runs()} == {"CANCELED"}


async def test_firings_beyond_the_history_limits_go(world: World) -> None:
    world.stage.identity()
    world.create(manifests.job(), schedule(successfulJobsHistoryLimit=1))
    await until_fired(world)
    (first,) = fired(world)
    await world.pass_time(minutes=35)
    (left,) = fired(world)
    assert left - first == timedelta(minutes=30)


async def test_a_suspended_schedule_starts_nothing_and_is_as_it_should_be(world: World) -> None:
    stage = world.stage
    stage.identity()
    world.create(manifests.job(), schedule(suspend=True))
    await world.pass_time(minutes=30)
    idle = stage.get("OCIJobSchedule", NAME)
    assert condition(idle, "Ready")["reason"] == "Suspended"
    assert condition(idle, "Ready")["status"] == "True"
    assert condition(idle, "Suspended")["status"] == "True"
    assert "nextScheduleTime" not in idle["status"]
    assert not stage.all("OCIJobRun")


async def test_of_the_starts_missed_while_the_operator_was_down_the_last_is_made_up_for(
    world: World,
) -> None:
    stage = world.stage
    stage.identity()
    world.create(manifests.job(), schedule(every="7m", successfulJobsHistoryLimit=100))
    await until_fired(world)
    await world.operator.kill()
    (first,) = fired(world)
    await world.pass_time(hours=1)
    await world.start()
    await world.until("OCIJobSchedule", NAME, lambda _: len(fired(world)) > 1)
    await world.until_reason("OCIJobSchedule", NAME, "Scheduled")
    (_, second) = fired(world)
    # An hour has eight starts every seven minutes.
    assert second - first == timedelta(minutes=8 * 7)


async def test_a_schedule_that_never_fires_is_refused_in_words(world: World) -> None:
    broken = schedule()
    broken["spec"]["schedule"] = "0 0 31 2 *"
    world.create(broken)
    told = await world.until_reason("OCIJobSchedule", NAME, "InvalidSpec")
    assert condition(told, "Stalled")["status"] == "True"
    assert "names no day that any year has" in condition(told, "Ready")["message"]


async def test_what_could_never_run_is_told_before_anything_is_made(world: World) -> None:
    stage = world.stage
    many = [str(number) for number in range(1000)]
    world.create(schedule({"name": "all", "sweep": {**RUN, "matrix": {"A": many, "B": many}}}))
    told = await world.until_reason("OCIJobSchedule", NAME, "InvalidSpec")
    message = condition(told, "Stalled")["message"]
    assert "spec.resources[all].sweep.matrix: 1,000,000 combinations" in message
    itself = {**RUN, "dependsOn": [{"name": "train"}]}
    stage.patch("OCIJobSchedule", NAME, {"spec": {"resources": [{"name": "train", "run": itself}]}})
    await world.until(
        "OCIJobSchedule",
        NAME,
        lambda o: "train -> train is a cycle" in condition(o, "Ready")["message"],
    )
    await world.pass_time(minutes=30)
    assert not stage.all("OCIJobRun")


async def test_a_start_that_an_admission_policy_refuses_is_given_up_whole(world: World) -> None:
    stage = world.stage
    stage.identity()
    world.create(manifests.job())
    stage.apply(*refusal(stage.namespace, "!object.metadata.name.endsWith('-no')"))
    # The policy takes effect after a moment of real time.
    await world.operator.see(_until_in_force, world)
    world.create(schedule({"name": "yes", "run": RUN}, {"name": "no", "run": RUN}))
    told = await world.until_reason("OCIJobSchedule", NAME, "StartRefused")
    assert "-no" in condition(told, "Stalled")["message"]
    await world.until_so(
        lambda: True if not stage.all("OCIJobRun") else None,
        within=timedelta(minutes=5),
        what="what was made of the start is gone",
    )
    for kind in ("validatingadmissionpolicybinding", "validatingadmissionpolicy"):
        stage.kubectl("delete", kind, stage.namespace)


def _until_in_force(world: World) -> None:
    """Return when a run is refused that the admission policy does not allow."""
    probe = yaml.safe_dump(manifests.run("probe-no"))
    command = ("create", "--dry-run=server", "-f", "-")
    deadline = time.monotonic() + patience(60)
    while "denied" not in world.stage.kubectl(*command, stdin=probe, check=False):
        # Nothing tells when it is.
        assert time.monotonic() < deadline, "the policy does not take effect"
        time.sleep(0.1)


async def test_a_schedule_that_was_restored_starts_nothing_until_it_is_released(
    world: World,
) -> None:
    stage = world.stage
    await world.restart(hold_new=True)
    stage.identity()
    world.create(manifests.job(), schedule(), manifests.sweep(matrix={"X": ["1", "2"]}))
    release = {"metadata": {"annotations": {"ocijobs.io/allow-start": "true"}}}
    stage.patch("OCIJob", "job", release)
    await world.until_reason("OCIJobSchedule", NAME, "Held")
    await world.until_reason("OCIJobSweep", "sweep", "Held")
    await world.pass_time(minutes=30)
    assert not stage.all("OCIJobRun")
    stage.patch("OCIJobSweep", "sweep", release)
    stage.patch("OCIJobSchedule", NAME, release)
    await world.until("OCIJobSweep", "sweep", lambda o: phase(o) == "Succeeded")
    await until_fired(world)
    await world.until(
        "OCIJobSchedule", NAME, lambda o: o["status"]["firings"][0]["state"] == "Succeeded"
    )
