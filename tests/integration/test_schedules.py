"""Schedules: each firing makes all its resources, and CronJob's rules say when and how many."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tests.support import manifests
from tests.support.namespace import condition, phase
from tests.support.stage import Stage

from ocijobs.api.names import API_VERSION

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
    return {
        item["metadata"]["annotations"]["ocijobs.io/scheduled-time"] for item in stage.all(kind)
    }


def until_fired(stage: Stage, times: int) -> dict[str, Any]:
    """Wait until the schedule has that many firings in its status."""
    return stage.until(
        "OCIJobSchedule",
        "nightly",
        lambda document: len(document.get("status", {}).get("firings", ())) >= times,
        seconds=60,
    )


def test_a_firing_makes_all_its_resources_which_know_each_other_and_the_time(stage: Stage) -> None:
    stage.emulator.set_mode(
        default={**QUICK, "output": ['{"ocijobs.io/results": {"score": $SCORE}}']}
    )
    stage.identity(logGroupId=stage.log_group())
    best = {"kind": "OCIJobSweep", "name": "search", "bestParameter": "SCORE"}
    stage.kubectl_apply(
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
        if item["metadata"]["annotations"]["ocijobs.io/scheduled-time"] == first
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
    stage.kubectl_apply(manifests.job(), schedule(concurrencyPolicy="Forbid", every="2s"))
    stage.until_reason("OCIJobSchedule", "nightly", "AlreadyActive")
    assert len(firings(stage)) == 1
    (run,) = stage.all("OCIJobRun")
    stage.patch("OCIJobRun", run["metadata"]["name"], {"spec": {"cancel": True}})
    stage.until(
        "OCIJobSchedule",
        "nightly",
        lambda document: (
            document["status"]["lastScheduleTime"]
            > run["metadata"]["annotations"]["ocijobs.io/scheduled-time"]
        ),
    )


def test_replace_deletes_the_firing_that_has_not_ended(stage: Stage) -> None:
    stage.emulator.set_mode(default=SLOW)
    stage.identity()
    stage.kubectl_apply(manifests.job(), schedule(concurrencyPolicy="Replace", every="4s"))
    until_fired(stage, 1)
    (first, *_) = stage.all("OCIJobRun")
    stage.until_gone("OCIJobRun", first["metadata"]["name"])
    stage.patch("OCIJobSchedule", "nightly", {"spec": {"suspend": True}})


def test_firings_beyond_the_history_limits_go(stage: Stage) -> None:
    stage.emulator.set_mode(default=QUICK)
    stage.identity()
    stage.kubectl_apply(manifests.job(), schedule(successfulJobsHistoryLimit=1, every="2s"))
    until_fired(stage, 1)
    (first, *_) = stage.all("OCIJobRun")
    stage.until_gone("OCIJobRun", first["metadata"]["name"], seconds=90)
    stage.patch("OCIJobSchedule", "nightly", {"spec": {"suspend": True}})


def test_a_suspended_schedule_starts_nothing_and_is_as_it_should_be(stage: Stage) -> None:
    stage.identity()
    stage.kubectl_apply(manifests.job(), schedule(suspend=True, every="1s"))
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
    stage.kubectl_apply(manifests.job(), schedule(every="2s", successfulJobsHistoryLimit=100))
    before = until_fired(stage, 1)["status"]["lastScheduleTime"]
    stage.operator.kill()
    made = firings(stage)
    # What a downtime of an hour leaves behind.
    an_hour_ago = datetime.fromisoformat(before) - timedelta(hours=1)
    stage.patch_status(
        "OCIJobSchedule", "nightly", {"lastScheduleTime": f"{an_hour_ago:%Y-%m-%dT%H:%M:%SZ}"}
    )
    stage.patch("OCIJobSchedule", "nightly", {"spec": {"schedule": "@every 7m"}})
    stage.restart_operator()
    stage.until("OCIJobSchedule", "nightly", lambda _: len(firings(stage)) > len(made))
    stage.until_reason("OCIJobSchedule", "nightly", "Scheduled")
    assert len(firings(stage)) == len(made) + 1


def test_a_schedule_that_never_fires_is_refused_in_words(stage: Stage) -> None:
    broken = schedule()
    broken["spec"]["schedule"] = "0 0 31 2 *"
    stage.create(broken)
    told = stage.until_reason("OCIJobSchedule", "nightly", "InvalidSpec")
    assert condition(told, "Stalled")["status"] == "True"
    assert "names no day that any year has" in condition(told, "Ready")["message"]


def test_an_object_that_the_api_server_refuses_stalls_the_schedule(stage: Stage) -> None:
    stage.identity()
    wrong = {"name": "PATH$", "value": "x"}
    stage.create(
        schedule(
            {
                "name": "s",
                "sweep": {
                    "jobRef": {"name": "job"},
                    "points": [{"parameters": {wrong["name"]: "x"}}],
                },
            },
            every="2s",
        )
    )
    until_fired(stage, 1)
    (sweep,) = stage.all("OCIJobSweep")[:1]
    failed = stage.until(
        "OCIJobSweep", sweep["metadata"]["name"], lambda document: phase(document) == "Failed"
    )
    assert "PATH$: no name of an environment variable" in condition(failed, "Failed")["message"]
