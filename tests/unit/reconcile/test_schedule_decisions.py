"""Schedules by example: what is started when, and what people are told."""

from __future__ import annotations

from datetime import timedelta

from tests.unit.reconcile.simulation.schedule_world import ScheduleWorld

from ocijobs.testing import START

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


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
