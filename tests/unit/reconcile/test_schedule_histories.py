"""Schedules over generated histories: time passes and jumps, the operator crashes, specs change; the laws hold.

That no object is made twice, and that the last start never goes back, the world itself holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.reconcile.simulation.schedule_world import Crash, ScheduleWorld

from ocijobs.api.schedule import ConcurrencyPolicy, FiringState
from ocijobs.reconcile.schedule.firings import firings
from ocijobs.testing import START

PERIOD = timedelta(minutes=10)
KEEP_SUCCEEDED, KEEP_FAILED = 2, 1


class Do(Enum):
    """What happens."""

    PASS = "a few minutes pass"
    LONG = "hours pass"
    DOWN = "the operator is down for an hour"
    CRASH = "the operator is killed when it has done one thing, and restarted"
    CRASH_LATER = "the operator is killed when it has done two, and restarted"
    AHEAD = "the clock is set ahead"
    BACK = "the clock is set back"
    SUCCEED = "the oldest object succeeds"
    FAIL = "the oldest object fails"
    EXPIRE = "an object that has ended is deleted"
    SUSPEND = "spec.suspend is set"
    RESUME = "spec.suspend is taken back"
    EDIT = "spec.schedule is another one"
    EDIT_BACK = "spec.schedule is the first one again"
    DEADLINE = "spec.startingDeadlineSeconds is set"
    ZONE = "spec.timeZone is set"
    SHRINK = "spec.resources gets one less"
    GROW = "spec.resources gets one more"


ENDINGS = st.sampled_from([Do.SUCCEED, Do.FAIL])


@dataclass
class History:
    """A world, and what happens in it."""

    world: ScheduleWorld

    def do(self, what: Do) -> None:
        """Let something happen."""
        world = self.world
        match what:
            case Do.PASS:
                world.wait(timedelta(minutes=4))
            case Do.LONG:
                world.wait(timedelta(hours=2))
            case Do.DOWN:
                world.restart()
                world.now += timedelta(hours=1)
            case Do.CRASH | Do.CRASH_LATER:
                self.crash(after=1 if what is Do.CRASH else 2)
            case Do.AHEAD | Do.BACK:
                world.now += timedelta(minutes=37) * (1 if what is Do.AHEAD else -1)
            case Do.SUCCEED | Do.FAIL if world.running:
                world.end(world.running[0], succeeded=what is Do.SUCCEED)
            case Do.EXPIRE:
                self.expire()
            case _:
                self.edit(what)
        self.check()

    def edit(self, what: Do) -> None:
        """Change the spec."""
        world = self.world
        match what:
            case Do.SUSPEND | Do.RESUME:
                world.edit(suspend=what is Do.SUSPEND)
            case Do.EDIT | Do.EDIT_BACK:
                world.edit(schedule="@every 7m" if what is Do.EDIT else "*/10 * * * *")
            case Do.DEADLINE:
                world.edit(starting_deadline_seconds=90)
            case Do.ZONE:
                world.edit(time_zone="Asia/Kolkata")
            case Do.SHRINK | Do.GROW:
                names = ("a",) if what is Do.SHRINK else ("a", "b", "c")
                world.edit(
                    resources=[
                        {"name": name, "run": {"job_ref": {"name": "job"}}} for name in names
                    ]
                )
            case _:
                pass

    def crash(self, after: int) -> None:
        """Kill the process in the middle of what it does."""
        self.world.now += PERIOD
        try:
            self.world.live(crash_after=after)
        except Crash:
            self.world.restart()

    def expire(self) -> None:
        """Delete an object that has ended; those of a firing that is being made are spared."""
        starting = self.world.schedule.status.starting
        for one in list(self.world.objects.values()):
            if one.ended and one.scheduled_time != starting:
                # The watch tells of an end before it tells of a deletion.
                self.world.live()
                self.world.objects.pop(one.name, None)
                return

    def check(self) -> None:
        """Hold what is true at any time."""
        world = self.world
        active = [one for one in firings(world.observe()) if one.state is FiringState.ACTIVE]
        if world.schedule.spec.concurrency_policy is not ConcurrencyPolicy.ALLOW:
            assert len(active) <= 1, "never two firings at a time"


@given(st.sampled_from(ConcurrencyPolicy), st.lists(st.sampled_from(Do), max_size=30), ENDINGS)
def test_a_schedule_keeps_its_laws_in_every_history(
    policy: ConcurrencyPolicy, whatever: Sequence[Do], ending: Do
) -> None:
    world = ScheduleWorld(
        "a",
        "b",
        concurrency_policy=policy,
        successful_jobs_history_limit=KEEP_SUCCEEDED,
        failed_jobs_history_limit=KEEP_FAILED,
    )
    history = History(world)
    for what in whatever:
        history.do(what)
    world.edit(suspend=True)
    world.live()
    for name in world.running:
        world.end(name, succeeded=ending is Do.SUCCEED)
    world.live()
    assert len(world.times(FiringState.SUCCEEDED)) <= KEEP_SUCCEEDED
    assert len(world.times(FiringState.FAILED)) <= KEEP_FAILED
    assert world.schedule.status.active == 0

    written = world.writes
    world.restart()
    world.live()
    assert world.writes == written, "a restart with nothing changed writes nothing"

    # With the clock right again, the next start comes, with all that the spec has now.
    last = world.schedule.status.last_schedule_time
    world.now = max(world.now, last or START)
    world.edit(suspend=False, starting_deadline_seconds=None)
    before = set(world.created)
    world.wait(2 * PERIOD)
    news = {name for name in world.created if name not in before}
    assert len(news) >= len(world.schedule.spec.resources), "what is due is started, in full"
