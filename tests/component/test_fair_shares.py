"""One principal's trouble with OCI is nobody else's: others' runs take the polls, rounds and time of ever."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from tests.component.world import World
from tests.support import manifests
from tests.support.namespace import condition, is_synced, phase

from ocijobs.api.shared.metadata import ObjectKey
from ocijobs.cloud.calls import Calls, OciRequest
from ocijobs.controller.worker import Worker

pytestmark = pytest.mark.asyncio

NOISY = [f"noisy-{number:02}" for number in range(40)]
QUIET = [f"quiet-{number}" for number in range(3)]
RUNS_FOR = 60
RETRY_AFTER = 45


@pytest.fixture(autouse=True)
def _no_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "uniform", lambda least, most: (least + most) / 2)


@pytest.fixture
def rounds(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count the rounds of each object."""
    counted: Counter[str] = Counter()
    reconcile = Worker.reconcile

    async def counting(self: Worker, key: ObjectKey) -> None:
        counted[key.name] += 1
        await reconcile(self, key)

    monkeypatch.setattr(Worker, "reconcile", counting)
    return counted


class Slow:
    """Answers to the calls of one identity that come when time has passed on the operator's clock."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds = 0.0
        self.held = self.most = 0
        send, clock = Calls._send, world.clock

        async def late(calls: Calls, request: OciRequest, *rest: Any) -> Any:
            if self.seconds and request.principal.identity.name == "default":
                self.held += 1
                self.most = max(self.most, self.held)
                try:
                    await clock.sleep(self.seconds)
                finally:
                    self.held -= 1
            return await send(calls, request, *rest)

        monkeypatch.setattr(Calls, "_send", late)
        world.operator.held = lambda: self.held


@dataclass(frozen=True)
class Cost:
    """What three runs took of one principal."""

    polls: int
    creations: int
    rounds: Counter[str]
    seconds: float


async def _prepare(world: World) -> str:
    """Make two identities with a job each; return the user of the one that is to be left alone."""
    stage = world.stage
    stage.emulator.set_mode(default={"accepted": 5, "inProgress": RUNS_FOR})
    other = stage.emulator.add_user("other", groups=["data-scientists"])
    stage.identity()
    stage.identity(other.config, name="other")
    world.create(manifests.job("noisy"), manifests.job("quiet", identityRef={"name": "other"}))
    for name in ("noisy", "quiet"):
        await world.until_synced(name)
    return other.id


async def _lives(world: World, user: str, rounds: Counter[str], names: list[str]) -> Cost:
    """Have runs of the quiet job live, and return what they took."""
    seen, begun = world.stage.emulator.last_seq(), world.clock.monotonic()
    before = Counter(rounds)
    world.create(*(manifests.run(name, of="quiet") for name in names))
    for name in names:
        assert phase(await world.until_ended(name)) == "Succeeded"
    calls = Counter(
        entry.operation
        for entry in world.stage.emulator.journal(principal=user, since=seen, limit=10_000)
    )
    return Cost(
        polls=calls["ListJobRuns"],
        creations=calls["CreateJobRun"],
        rounds=Counter({f"#{i}": (rounds - before)[name] for i, name in enumerate(names)}),
        seconds=world.clock.monotonic() - begun,
    )


def _as_alone(alone: Cost, beside: Cost) -> None:
    assert beside.creations == alone.creations == len(QUIET)
    assert beside.polls <= alone.polls + 3, "three lists are one poll"
    assert beside.seconds <= alone.seconds * 1.1 + 1
    assert beside.rounds.total() <= alone.rounds.total() + 2 * len(QUIET)


async def test_what_oci_throttles_for_one_costs_another_nothing(
    world: World, rounds: Counter[str]
) -> None:
    user = await _prepare(world)
    alone = await _lives(world, user, rounds, [f"alone-{name}" for name in QUIET])
    mine = world.stage.emulator.user
    fault = world.stage.emulator.add_fault(
        principal=mine, status=429, code="TooManyRequests", retryAfter=RETRY_AFTER
    )
    world.create(*(manifests.run(name, of="noisy") for name in NOISY))
    await world.pass_time(seconds=30)
    counted, seen = Counter(rounds), world.stage.emulator.last_seq()
    _as_alone(alone, await _lives(world, user, rounds, QUIET))
    # What waits says so, and until when; and it waits for its turn without a round for nothing.
    asked = world.stage.emulator.journal(principal=mine, since=seen, limit=10_000)
    assert 1 <= len(asked) <= 12
    for name in NOISY:
        ready = condition(world.stage.get("OCIJobRun", name), "Ready")
        assert (ready["status"], ready["reason"]) == ("False", "Throttled"), ready
        assert "Z" in ready["message"].rsplit(" ", 1)[-1], ready
    spent = sum((rounds - counted)[name] for name in NOISY)
    assert spent <= 6 * len(NOISY)
    # And when OCI lets it, all of them go on.
    world.stage.emulator.remove_fault(fault)
    for name in NOISY:
        await world.until_ended(name)


async def test_what_oci_answers_late_to_one_costs_another_nothing(
    world: World, rounds: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Slow(world, monkeypatch)
    user = await _prepare(world)
    alone = await _lives(world, user, rounds, [f"alone-{name}" for name in QUIET])
    slow.seconds = 10
    world.create(*(manifests.run(name, of="noisy") for name in NOISY))
    await world.pass_time(seconds=15)
    _as_alone(alone, await _lives(world, user, rounds, QUIET))
    assert slow.most >= 8, "calls were under way all the time, as many as one may have"
    for name in NOISY:
        await world.until_ended(name, within=timedelta(hours=2))


async def test_a_job_that_waits_for_its_turn_says_so(world: World) -> None:
    await _prepare(world)
    mine = world.stage.emulator.user
    world.stage.emulator.add_fault(
        principal=mine, status=429, code="TooManyRequests", retryAfter=RETRY_AFTER, count=1
    )
    world.create(manifests.job("first"), manifests.job("second"))
    await world.pass_time(seconds=10)
    ready = [condition(world.stage.get("OCIJob", name), "Ready") for name in ("first", "second")]
    assert {one["reason"] for one in ready} == {"Throttled"}, ready
    for name in ("first", "second"):
        assert is_synced(await world.until_synced(name))
