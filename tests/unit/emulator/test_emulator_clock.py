"""The emulator's time and what it moves."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from oci_emulator.state.database import Database
from oci_emulator.state.resources import Resource, Resources
from oci_emulator.time.clock import Clock, Reading, timestamp
from oci_emulator.time.timers import Timers


class RealTime:
    """Real time that a test moves by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_it_goes_with_real_time_at_its_rate() -> None:
    real = RealTime()
    clock = Clock(source=real)
    assert clock.now() == 1000
    real.now += 5
    assert clock.now() == 1005
    clock.set_rate(60)
    real.now += 1
    assert clock.now() == 1065
    clock.set_rate(0)
    real.now += 100
    assert clock.now() == 1065


def test_it_can_be_advanced_but_not_set_back() -> None:
    clock = Clock(source=RealTime())
    clock.advance(3600)
    assert clock.now() == 4600
    with pytest.raises(ValueError, match="0 or more"):
        clock.advance(-1)
    with pytest.raises(ValueError, match="0 or more"):
        clock.set_rate(-1)
    with pytest.raises(ValueError, match="0 or more"):
        clock.advance(float("nan"))


def test_a_later_process_goes_on_with_the_time() -> None:
    real = RealTime()
    clock = Clock(source=real)
    clock.set_rate(10)
    clock.advance(5)
    reading = clock.reading
    real.now += 3
    assert Clock(reading, real).now() == 1035
    assert reading == Reading(real=1000, shown=1005, rate=10)


def test_times_are_written_in_utc_with_milliseconds() -> None:
    assert timestamp(0.0025) == "1970-01-01T00:00:00.002Z"


@pytest.mark.asyncio
async def test_a_sleeper_wakes_when_time_is_advanced() -> None:
    clock = Clock(source=RealTime())
    sleeper = asyncio.create_task(clock.sleep(3600))
    await asyncio.sleep(0)
    clock.advance(1800)
    await asyncio.sleep(0)
    assert not sleeper.done()
    clock.advance(1800)
    await asyncio.wait_for(sleeper, 10)


class Ladder:
    """Resources that climb one step a second, three times."""

    def __init__(self, directory: Path) -> None:
        self.real = RealTime()
        self.clock = Clock(source=self.real)
        self.clock.set_rate(0)
        self.database = Database(directory / "state.db")
        self.resources = Resources(self.database)
        self.timers = Timers(self.clock, self.database, self.resources)
        self.climbed: list[tuple[str, float]] = []
        self.news = asyncio.Event()
        self.timers.on_due("climber", self.climb)

    def add(self, name: str, due: float) -> Resource:
        resource = Resource(
            id=name, kind="climber", compartment="c", created=0, body={"step": 0}, due=due
        )
        self.resources.add(resource)
        self.timers.schedule(resource)
        return resource

    async def until(self, steps: int) -> None:
        async with asyncio.timeout(30):
            while len(self.climbed) < steps:
                self.news.clear()
                await self.news.wait()

    def climb(self, resource: Resource, moment: float) -> None:
        if resource.id == "broken":
            raise RuntimeError("no further")
        self.climbed.append((resource.id, moment))
        self.news.set()
        resource.body["step"] += 1
        resource.due = moment + 1 if resource.body["step"] < 3 else None
        self.resources.save(resource)
        self.timers.schedule(resource)


@pytest.fixture
def ladder(tmp_path: Path) -> Iterator[Ladder]:
    ladder = Ladder(tmp_path)
    yield ladder
    ladder.database.close()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.mark.asyncio
async def test_an_advance_makes_all_happen_in_order_each_at_its_own_time(ladder: Ladder) -> None:
    ladder.timers.start()
    ladder.add("a", 1001)
    ladder.add("b", 1001.5)
    await settle()
    assert ladder.climbed == []
    ladder.clock.advance(60)
    await settle()
    assert ladder.climbed == [
        ("a", 1001), ("b", 1001.5), ("a", 1002), ("b", 1002.5), ("a", 1003), ("b", 1003.5),
    ]  # fmt: skip
    ladder.timers.stop()


@pytest.mark.asyncio
async def test_what_was_due_meanwhile_happens_after_a_restart(ladder: Ladder) -> None:
    ladder.add("a", 1001)
    ladder.database.commit()
    ladder.clock.advance(60)
    again = Timers(ladder.clock, ladder.database, ladder.resources)
    again.on_due("climber", ladder.climb)
    ladder.timers = again
    again.start()
    await settle()
    assert [moment for _, moment in ladder.climbed] == [1001, 1002, 1003]
    again.stop()


@pytest.mark.asyncio
async def test_a_time_that_was_changed_is_not_kept(ladder: Ladder) -> None:
    ladder.timers.start()
    resource = ladder.add("a", 1001)
    resource.due = 1050
    ladder.resources.save(resource)
    ladder.timers.schedule(resource)
    ladder.clock.advance(10)
    await settle()
    assert ladder.climbed == []
    ladder.clock.advance(40)
    await settle()
    assert ladder.climbed == [("a", 1050)]
    ladder.timers.stop()


@pytest.mark.asyncio
async def test_one_that_fails_stops_no_other(
    ladder: Ladder, caplog: pytest.LogCaptureFixture
) -> None:
    ladder.timers.start()
    ladder.add("broken", 1001)
    ladder.add("a", 1002)
    ladder.clock.advance(2)
    await settle()
    assert ladder.climbed[0] == ("a", 1002)
    assert "broken cannot go on" in caplog.text
    ladder.timers.stop()


@pytest.mark.asyncio
async def test_more_than_a_batch_is_moved(ladder: Ladder) -> None:
    ladder.timers.start()
    for number in range(250):
        ladder.add(f"r{number}", 1001)
    ladder.clock.advance(10)
    await ladder.until(750)
    assert len(set(ladder.climbed)) == 750
    ladder.timers.stop()
