"""Schedules: each firing makes all its resources, and CronJob's rules say when and how many."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml
from tests.support import manifests
from tests.support.namespace import condition, phase
from tests.support.patience import patience
from tests.support.rest import until_at_rest
from tests.support.stage import Stage

from ocijobs.api.names import API_VERSION

SCHEDULED_TIME = "ocijobs.io/scheduled-time"
QUICK = {"accepted": 0.2, "inProgress": 0.3}
SLOW = {"accepted": 0.2, "inProgress": 600}


def schedule(*resources: dict[str, Any], every: str = "3s", **spec: Any) -> dict[str, Any]:
    """Return an OCIJobSchedule."""
    made = resources or ({"name": "train", "run": {"jobRef": {"name": "job"}}},)
    return {
        "apiVersion": API_VERSION,
        "kind": "OCIJobSchedule",
        "metadata": {"name": "nightly"},
        "spec": {"schedule": f"@every {every}", "resources": list(made), **spec},
    }


def firings(stage: Stage, kind: str = "OCIJobRun") -> set[str]:
    """Return the times of which objects are there."""
    return {item["metadata"]["annotations"][SCHEDULED_TIME] for item in stage.all(kind)}


def object_name(at: str, resource: str = "train") -> str:
    """Return the name of what a start makes: minutes are counted from 1970, as in a CronJob's jobs."""
    minutes = int(datetime.fromisoformat(at).timestamp()) // 60
    return f"nightly-{minutes}-{resource}"


def made_by(schedule: dict[str, Any], name: str, at: str) -> dict[str, Any]:
    """Return a run as a schedule makes it at a time."""
    run = manifests.run(name)
    owner = {
        "apiVersion": API_VERSION,
        "kind": "OCIJobSchedule",
        "name": schedule["metadata"]["name"],
        "uid": schedule["metadata"]["uid"],
        "controller": True,
    }
    run["metadata"] |= {"ownerReferences": [owner], "annotations": {SCHEDULED_TIME: at}}
    return run


def until_fired(stage: Stage, times: int) -> dict[str, Any]:
    """Wait until the schedule has that many firings in its status."""
    return stage.until(
        "OCIJobSchedule",
        "nightly",
        lambda document: len(document.get("status", {}).get("firings", ())) >= times,
        seconds=60,
    )


def refusal(namespace: str, expression: str) -> tuple[dict[str, Any], ...]:
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


def until_in_force(stage: Stage, refused: dict[str, Any]) -> None:
    """Return when a document is refused that an admission policy is about."""
    command = ("create", "--dry-run=server", "-f", "-")
    deadline = time.monotonic() + patience(60)
    while "denied" not in stage.kubectl(*command, stdin=yaml.safe_dump(refused), check=False):
        # A policy takes effect after a moment, and nothing tells when.
        assert time.monotonic() < deadline, "the policy does not take effect"
        time.sleep(0.1)


def test_a_firing_makes_all_its_resources_which_know_each_other_and_the_time(stage: Stage) -> None:
    stage.emulator.set_mode(
        default={**QUICK, "output": ['{"ocijobs.io/results": {"score": $SCORE}}']}
    )
    stage.identity(logGroupId=stage.log_group())
    best = {"kind": "OCIJobSweep", "name": "search", "bestParameter": "SCORE"}
    stage.apply(
        manifests.job(results=["score"]),
        schedule(
            {
                "name": "prepare",
                "run": {"jobRef": {"name": "job"}, "env": [{"name": "SCORE", "value": "0"}]},
            },
            {
                "name": "search",
                "sweep": {
                    "jobRef": {"name": "job"},
                    "matrix": {"SCORE": ["0.5", "0.7"]},
                    "objective": {"result": "score", "goal": "Maximize"},
                    "dependsOn": [{"name": "prepare"}],
                },
            },
            {
                "name": "final",
                "run": {
                    "jobRef": {"name": "job"},
                    "env": [{"name": "SCORE", "valueFrom": {"resultRef": best}}],
                },
            },
            every="2s",
            concurrencyPolicy="Forbid",
        ),
    )
    fired = until_fired(stage, 1)
    stage.patch("OCIJobSchedule", "nightly", {"spec": {"suspend": True}})
    first = fired["status"]["firings"][0]["scheduledTime"]
    ended = stage.until(
        "OCIJobSchedule",
        "nightly",
        lambda document: document["status"]["firings"][0]["state"] == "Succeeded",
        seconds=90,
    )
    assert ended["status"]["lastSuccessfulTime"]
    runs = {
        item["metadata"]["name"].split("-", 2)[2]: item
        for item in stage.all("OCIJobRun")
        if item["metadata"]["annotations"][SCHEDULED_TIME] == first
    }
    assert set(runs) == {"prepare", "search-0", "search-1", "final"}
    for run in runs.values():
        variables = stage.job_run(
            run["status"]["jobRunId"]
        ).job_configuration_override_details.environment_variables
        assert variables["OCIJOBS_SCHEDULED_TIME"] == first
    assert runs["final"]["spec"]["env"][0]["valueFrom"]["resultRef"]["name"].startswith("nightly-")
    assert runs["final"]["status"]["dependencies"][0]["values"] == {"parameter:SCORE": "0.7"}


def test_forbid_starts_nothing_while_an_earlier_firing_has_not_ended(stage: Stage) -> None:
    stage.emulator.set_mode(default=SLOW)
    stage.identity()
    stage.apply(manifests.job(), schedule(concurrencyPolicy="Forbid", every="2s"))
    stage.until_reason("OCIJobSchedule", "nightly", "AlreadyActive")
    assert len(firings(stage)) == 1
    (run,) = stage.all("OCIJobRun")
    stage.patch("OCIJobRun", run["metadata"]["name"], {"spec": {"cancel": True}})
    stage.until(
        "OCIJobSchedule",
        "nightly",
        lambda document: (
            document["status"]["lastScheduleTime"] > run["metadata"]["annotations"][SCHEDULED_TIME]
        ),
    )


def test_replace_deletes_the_firing_that_has_not_ended(stage: Stage) -> None:
    stage.emulator.set_mode(default=SLOW)
    stage.identity()
    stage.apply(manifests.job(), schedule(concurrencyPolicy="Replace", every="4s"))
    fired = until_fired(stage, 1)["status"]["firings"][0]
    stage.until_gone("OCIJobRun", object_name(fired["scheduledTime"]))
    stage.patch("OCIJobSchedule", "nightly", {"spec": {"suspend": True}})


def test_deleting_a_schedule_deletes_what_it_has_made(stage: Stage) -> None:
    stage.emulator.set_mode(default=SLOW)
    stage.identity()
    search = {"name": "all", "sweep": {"jobRef": {"name": "job"}, "matrix": {"X": ["1", "2"]}}}
    stage.apply(manifests.job(), schedule(search, every="2s", concurrencyPolicy="Forbid"))
    until_fired(stage, 1)
    (sweep,) = (made["metadata"]["name"] for made in stage.all("OCIJobSweep"))
    for index in range(2):
        stage.until_reason("OCIJobRun", f"{sweep}-{index}", "Running")
    stage.delete("OCIJobSchedule", "nightly")
    for index in range(2):
        stage.until_gone("OCIJobRun", f"{sweep}-{index}")
    stage.until_gone("OCIJobSweep", sweep)
    assert {run.lifecycle_state for run in stage.job_runs()} == {"CANCELED"}


def test_firings_beyond_the_history_limits_go(stage: Stage) -> None:
    stage.emulator.set_mode(default=QUICK)
    stage.identity()
    stage.apply(manifests.job(), schedule(successfulJobsHistoryLimit=1, every="7m", suspend=True))
    idle = stage.until_reason("OCIJobSchedule", "nightly", "Suspended")
    # What a firing of an hour ago has left.
    an_hour_ago = f"{datetime.now(UTC) - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
    stage.create(made_by(idle, "former", an_hour_ago))
    stage.until_ended("former")
    stage.patch_status("OCIJobSchedule", "nightly", {"lastScheduleTime": an_hour_ago})
    stage.patch("OCIJobSchedule", "nightly", {"spec": {"suspend": False}})
    stage.until_gone("OCIJobRun", "former")
    (newest,) = stage.all("OCIJobRun")
    assert phase(newest) == "Succeeded"
    assert newest["metadata"]["annotations"][SCHEDULED_TIME] > an_hour_ago


def test_a_suspended_schedule_starts_nothing_and_is_as_it_should_be(stage: Stage) -> None:
    stage.identity()
    stage.apply(manifests.job(), schedule(suspend=True, every="1s"))
    idle = stage.until_reason("OCIJobSchedule", "nightly", "Suspended")
    assert condition(idle, "Ready")["status"] == "True"
    assert condition(idle, "Suspended")["status"] == "True"
    assert "nextScheduleTime" not in idle["status"]
    assert not stage.all("OCIJobRun")


def test_of_the_starts_missed_while_the_operator_was_down_the_last_is_made_up_for(
    stage: Stage,
) -> None:
    stage.emulator.set_mode(default=QUICK)
    stage.identity()
    stage.apply(manifests.job(), schedule(every="2s", successfulJobsHistoryLimit=100))
    until_fired(stage, 1)
    # No start is under way when the operator ends.
    stage.patch("OCIJobSchedule", "nightly", {"spec": {"suspend": True}})
    idle = stage.until_reason("OCIJobSchedule", "nightly", "Suspended")
    before = idle["status"]["lastScheduleTime"]
    stage.operator.kill()
    made = firings(stage)
    # What a downtime of an hour leaves behind.
    an_hour_ago = datetime.fromisoformat(before) - timedelta(hours=1)
    stage.patch_status(
        "OCIJobSchedule", "nightly", {"lastScheduleTime": f"{an_hour_ago:%Y-%m-%dT%H:%M:%SZ}"}
    )
    stage.patch("OCIJobSchedule", "nightly", {"spec": {"schedule": "@every 7m", "suspend": False}})
    stage.start_operator()
    stage.until_reason("OCIJobSchedule", "nightly", "Scheduled")
    until_at_rest(stage.operator)
    assert len(firings(stage)) == len(made) + 1


def test_a_schedule_that_never_fires_is_refused_in_words(stage: Stage) -> None:
    broken = schedule()
    broken["spec"]["schedule"] = "0 0 31 2 *"
    stage.create(broken)
    told = stage.until_reason("OCIJobSchedule", "nightly", "InvalidSpec")
    assert condition(told, "Stalled")["status"] == "True"
    assert "names no day that any year has" in condition(told, "Ready")["message"]


def test_what_could_never_run_is_told_before_anything_is_made(stage: Stage) -> None:
    many = [str(number) for number in range(1000)]
    stage.create(
        schedule(
            {"name": "all", "sweep": {"jobRef": {"name": "job"}, "matrix": {"A": many, "B": many}}}
        )
    )
    told = stage.until_reason("OCIJobSchedule", "nightly", "InvalidSpec")
    message = condition(told, "Stalled")["message"]
    assert "spec.resources[all].sweep.matrix: 1,000,000 combinations" in message
    itself = {"jobRef": {"name": "job"}, "dependsOn": [{"name": "train"}]}
    stage.patch(
        "OCIJobSchedule", "nightly", {"spec": {"resources": [{"name": "train", "run": itself}]}}
    )
    told = stage.until(
        "OCIJobSchedule",
        "nightly",
        lambda document: "train -> train is a cycle" in condition(document, "Ready")["message"],
    )
    assert not stage.all("OCIJobRun")


def test_a_start_that_an_admission_policy_refuses_is_given_up_whole(stage: Stage) -> None:
    stage.identity()
    stage.apply(manifests.job(), *refusal(stage.namespace, "!object.metadata.name.endsWith('-no')"))
    until_in_force(stage, manifests.run("probe-no"))
    run = {"jobRef": {"name": "job"}}
    stage.create(schedule({"name": "yes", "run": run}, {"name": "no", "run": run}, every="4s"))
    told = stage.until_reason("OCIJobSchedule", "nightly", "StartRefused")
    assert "-no" in condition(told, "Stalled")["message"]
    # What was made before the refusal is deleted.
    stage.until_gone("OCIJobRun", object_name(told["status"]["lastScheduleTime"], "yes"))
    for kind in ("validatingadmissionpolicybinding", "validatingadmissionpolicy"):
        stage.kubectl("delete", kind, stage.namespace)


@pytest.mark.settings(hold_new="true")
def test_a_schedule_that_was_restored_starts_nothing_until_it_is_released(stage: Stage) -> None:
    stage.identity()
    stage.apply(
        manifests.job(),
        schedule(every="2s"),
        manifests.sweep(matrix={"X": ["1", "2"]}),
    )
    stage.kubectl("annotate", "ocijob/job", "ocijobs.io/release=true")
    stage.until_reason("OCIJobSchedule", "nightly", "Held")
    stage.until_reason("OCIJobSweep", "sweep", "Held")
    assert not stage.all("OCIJobRun")
    for name in ("ocijobsweep/sweep", "ocijobschedule/nightly"):
        stage.kubectl("annotate", name, "ocijobs.io/release=true")
    stage.until("OCIJobSweep", "sweep", lambda document: phase(document) == "Succeeded")
    until_fired(stage, 1)
    stage.patch("OCIJobSchedule", "nightly", {"spec": {"suspend": True}})
    stage.until(
        "OCIJobSchedule",
        "nightly",
        lambda document: document["status"]["firings"][0]["state"] == "Succeeded",
    )
