"""Schedules by example: what is started when, and what people are told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.unit.reconcile.simulation.schedule_world import RUN, ScheduleWorld

from ocijobs.api.shared.names import ANNOTATION_ALLOW_START, ANNOTATION_PAUSED
from ocijobs.reconcile.schedule.firings import FiringView, creations
from ocijobs.reconcile.schedule.observation import MadeView
from ocijobs.testing import START, make_metadata

MANY = [str(number) for number in range(1000)]
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def taking(name: str) -> dict[str, Any]:
    """Return a variable that takes a result of a sibling."""
    return {"name": "X", "value_from": {"result_ref": {"name": name, "result": "auc"}}}


def test_a_delay_counts_from_the_last_start_however_often_the_schedule_is_looked_at() -> None:
    world = ScheduleWorld(schedule="@every 90m")
    for _ in range(7):
        world.wait(timedelta(minutes=13))
    assert len(world.created) == 1
    assert world.schedule.status.last_schedule_time == START + 90 * MINUTE
    assert world.schedule.status.next_schedule_time == START + 180 * MINUTE


def test_a_delay_longer_than_the_deadline_is_over_all_the_same() -> None:
    world = ScheduleWorld(schedule="@every 1h", starting_deadline_seconds=60)
    world.wait(HOUR)
    assert len(world.created) == 1
    world.now += HOUR + 2 * MINUTE
    world.live()
    assert len(world.created) == 1, "it was missed by more than the deadline"
    world.wait(HOUR)
    assert len(world.created) == 2


def test_a_start_that_the_api_server_refuses_is_given_up_and_the_next_one_is_tried() -> None:
    world = ScheduleWorld("prepare", "train", concurrency_policy="Forbid")
    world.refuses = "train"
    world.wait(10 * MINUTE)
    assert world.reason == "StartRefused"
    assert "no such field" in world.message
    assert not world.objects, "half a firing would wait for ever, and forbid all others"
    before = world.schedule.status
    world.restart()
    world.live()
    assert world.schedule.status == before, "a restart with nothing changed writes nothing"
    world.refuses = None
    world.wait(10 * MINUTE)
    assert world.reason == "Scheduled"
    assert len(world.objects) == 2


def test_a_start_whose_name_somebody_else_has_is_given_up_and_says_so() -> None:
    world = ScheduleWorld("prepare", "train")
    minute = int((START + 10 * MINUTE).timestamp()) // 60
    world.strangers = {f"nightly-{minute}-train"}
    world.wait(10 * MINUTE)
    assert world.reason == "StartRefused"
    assert f"nightly-{minute}-train which is not of this schedule" in world.message
    world.wait(10 * MINUTE)
    assert len(world.objects) == 2


def test_a_clock_that_was_set_back_starts_nothing_and_is_told() -> None:
    world = ScheduleWorld()
    world.now += timedelta(days=30)
    world.live()
    world.now -= timedelta(days=30)
    world.wait(HOUR)
    assert len(world.created) == 1
    assert world.reason == "ClockSetBack"
    world.wait(timedelta(days=30))
    assert world.reason == "Scheduled"


def test_what_is_new_to_a_restored_cluster_starts_nothing_until_it_may() -> None:
    world = ScheduleWorld()
    world.settings = world.settings.model_copy(update={"hold_new": True})
    world.wait(HOUR)
    assert world.created == []
    assert world.reason == "Held"
    meta = world.schedule.metadata.model_copy(
        update={"annotations": {ANNOTATION_ALLOW_START: "true"}}
    )
    world.schedule = world.schedule.model_copy(update={"metadata": meta})
    world.wait(HOUR)
    assert world.created
    assert world.annotations[world.created[0]][ANNOTATION_ALLOW_START] == "true"


def test_a_firing_that_has_failed_does_not_succeed_by_the_deletion_of_what_failed() -> None:
    world = ScheduleWorld("prepare", "train")
    world.wait(10 * MINUTE)
    prepare, train = world.running
    world.end(prepare, succeeded=True)
    world.end(train, succeeded=False)
    world.live()
    del world.objects[train]
    world.live()
    assert [one.state for one in world.schedule.status.firings] == ["Failed"]
    assert world.schedule.status.last_successful_time is None


@pytest.mark.parametrize(
    ("resources", "says"),
    [
        ([{"name": "a", "run": {**RUN, "depends_on": [{"name": "a"}]}}], "a -> a is a cycle"),
        (
            [
                {"name": "a", "run": {**RUN, "depends_on": [{"name": "b"}]}},
                {"name": "b", "run": {**RUN, "env": [taking("c")]}},
                {"name": "c", "run": {**RUN, "depends_on": [{"name": "a"}]}},
            ],
            "a -> b -> c -> a is a cycle",
        ),
        (
            [
                {"name": "all", "sweep": {**RUN, "matrix": {"X": ["1"]}}},
                {"name": "a", "run": {**RUN, "depends_on": [{"name": "all"}]}},
            ],
            "waits for all of this schedule, which is an OCIJobSweep: say so in `kind`",
        ),
        (
            [{"name": "all", "sweep": {**RUN, "matrix": {"A": MANY, "B": MANY}}}],
            "spec.resources[all].sweep.matrix: 1,000,000 combinations",
        ),
    ],
)
def test_what_could_never_run_is_told_before_anything_is_started(
    resources: list[Any], says: str
) -> None:
    world = ScheduleWorld(resources=resources)
    world.wait(HOUR)
    assert world.created == []
    assert world.reason == "InvalidSpec"
    assert says in world.message


def test_a_schedule_that_is_resumed_makes_up_for_the_last_start_that_it_missed() -> None:
    world = ScheduleWorld(suspend=True)
    world.wait(HOUR)
    world.edit(suspend=False)
    world.live()
    assert [one.scheduled_time for one in world.objects.values()] == [START + HOUR]
    late = ScheduleWorld(suspend=True, starting_deadline_seconds=30)
    late.wait(HOUR + MINUTE)
    late.edit(suspend=False)
    late.live()
    assert late.created == []


def test_another_time_zone_counts_from_the_last_start_on() -> None:
    world = ScheduleWorld(schedule="30 14 * * *")
    world.wait(3 * HOUR)
    world.edit(time_zone="America/New_York")
    world.wait(timedelta(days=1))
    times = [one.scheduled_time for one in world.objects.values()]
    assert times == [START + timedelta(hours=2.5), START + timedelta(hours=7.5)]


def test_a_start_that_a_quota_forbids_is_tried_again_until_it_is_made() -> None:
    world = ScheduleWorld("prepare", "train")
    world.forbids = "train"
    world.wait(10 * MINUTE)
    assert world.reason == "CreationForbidden"
    assert "used up" in world.message
    assert len(world.objects) == 1
    world.forbids = None
    world.wait(5 * MINUTE)
    assert world.reason == "Scheduled"
    assert len(world.objects) == 2


@pytest.mark.parametrize(
    "changes", [{"annotations": {ANNOTATION_PAUSED: "true"}}, {"deleted": START}]
)
def test_a_schedule_that_is_paused_or_deleted_starts_nothing(changes: dict[str, Any]) -> None:
    world = ScheduleWorld()
    meta = make_metadata("nightly", **changes)
    world.schedule = world.schedule.model_copy(update={"metadata": meta})
    world.wait(HOUR)
    assert (world.created, world.writes) == ([], 0)


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ({"schedule": "* * *"}, "spec.schedule: '* * *' has 3 fields"),
        (
            {"schedule": "TZ=UTC 0 2 * * *"},
            "spec.schedule: TZ and CRON_TZ are not for spec.schedule: use spec.timeZone",
        ),
        ({"time_zone": "Mars/Olympus"}, "spec.timeZone: 'Mars/Olympus' is not a time zone"),
        (
            {
                "resources": [
                    {
                        "name": "train",
                        "run": {
                            **RUN,
                            "failure_policy": {
                                "rules": [
                                    {
                                        "action": "Fail",
                                        "on_lifecycle_details": {"pattern": "(oops"},
                                    }
                                ]
                            },
                        },
                    }
                ]
            },
            "spec.resources[train].run.failurePolicy.rules[0].onLifecycleDetails.pattern: ",
        ),
        (
            {
                "resources": [
                    {
                        "name": "tune",
                        "sweep": {
                            "job_ref": {"name": "job"},
                            "matrix": {"X": ["1"]},
                            "run_template": {
                                "spec": {
                                    "failure_policy": {
                                        "rules": [
                                            {
                                                "action": "Fail",
                                                "on_lifecycle_details": {"pattern": "(oops"},
                                            }
                                        ]
                                    }
                                }
                            },
                        },
                    }
                ]
            },
            "spec.resources[tune].sweep.runTemplate.spec.failurePolicy.rules[0]",
        ),
    ],
)
def test_what_could_never_start_is_told_when_it_is_applied(spec: dict[str, Any], says: str) -> None:
    world = ScheduleWorld(**spec)
    world.wait(HOUR)
    assert world.created == []
    assert world.reason == "InvalidSpec"
    assert world.message.startswith(says)


def test_resources_may_wait_for_one_in_several_ways_as_long_as_none_waits_for_itself() -> None:
    def run(*names: str) -> dict[str, Any]:
        return {**RUN, "depends_on": [{"name": name} for name in names]}

    diamond = {"first": run(), "a": run("first"), "b": run("first"), "last": run("a", "b")}
    resources = [{"name": name, "run": given} for name, given in diamond.items()]
    world = ScheduleWorld(resources=resources)
    world.wait(10 * MINUTE)
    assert len(world.created) == 4
    resources[0] = {"name": "first", "run": run("last")}
    world = ScheduleWorld(resources=resources)
    world.wait(10 * MINUTE)
    assert world.message.endswith("is a cycle: nothing in it can ever begin")


def test_a_sweep_of_a_firing_waits_for_its_siblings_and_takes_their_results() -> None:
    sweep = {
        "job_ref": {"name": "job"},
        "matrix": {"Y": ["1", "2"]},
        "depends_on": [{"name": "prepare"}, {"name": "elsewhere"}],
        "run_template": {"spec": {"env": [taking("prepare"), {"name": "B", "value": "1"}]}},
    }
    resources = [{"name": "prepare", "run": RUN}, {"name": "tune", "sweep": sweep}]
    world = ScheduleWorld(resources=resources)
    due = creations(world.observe(), START + 10 * MINUTE)
    documents: dict[str, Any] = {str(one.document["kind"]): one.document for one in due}
    assert documents.keys() == {"OCIJobRun", "OCIJobSweep"}
    prepare = documents["OCIJobRun"]["metadata"]["name"]
    made = documents["OCIJobSweep"]["spec"]
    assert [one["name"] for one in made["dependsOn"]] == [prepare, "elsewhere"]
    taken, plain = made["runTemplate"]["spec"]["env"]
    assert taken["valueFrom"]["resultRef"]["name"] == prepare
    assert plain == {"name": "B", "value": "1"}
    assert made["matrix"] == {"Y": ["1", "2"]}


def test_a_firing_has_ended_when_the_last_of_its_objects_has() -> None:
    def made(name: str, minutes: int) -> MadeView:
        return MadeView(
            kind="OCIJobRun",
            name=name,
            uid=name,
            scheduled_time=START,
            ended=True,
            succeeded=True,
            completion_time=START + minutes * MINUTE,
            deleting=False,
        )

    firing = FiringView(scheduled_time=START, made=(made("a", 5), made("b", 9), made("c", 7)))
    assert firing.completion_time == START + 9 * MINUTE
