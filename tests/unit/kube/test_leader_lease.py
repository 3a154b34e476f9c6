"""Who may write: never two at once, and nobody for longer than the lease says."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from ocijobs.kube.client import ApiError, KubeClient
from ocijobs.kube.lease import LeaderLease, NotLeadingError
from ocijobs.testing import ManualClock

pytestmark = pytest.mark.asyncio

DURATION, RENEW = 15.0, 5.0


class LeaseServer:
    """The API server, as far as one Lease goes: it honours resourceVersion."""

    def __init__(self) -> None:
        self.lease: dict[str, Any] | None = None
        self.version = 0
        self.down = False
        self.requests = 0

    async def request(
        self, verb: str, path: str, *, resource: str, body: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Answer as the API server does."""
        assert (resource, "/leases" in path) == ("leases", True)
        await asyncio.sleep(0)
        self.requests += 1
        if self.down:
            raise ApiError(0, "Timeout", "no answer")
        if verb == "GET":
            if self.lease is None:
                raise ApiError(404, "NotFound", "there is no such lease")
        elif verb == "POST":
            if self.lease is not None:
                raise ApiError(409, "AlreadyExists", "there is one")
            self._keep(body)
        else:
            seen = (body or {})["metadata"]["resourceVersion"]
            if self.lease is None or seen != self.lease["metadata"]["resourceVersion"]:
                raise ApiError(409, "Conflict", "the object has been modified")
            self._keep(body)
        return copy.deepcopy(self.lease or {})

    def _keep(self, body: dict[str, Any] | None) -> None:
        self.version += 1
        self.lease = copy.deepcopy(body or {})
        self.lease["metadata"]["resourceVersion"] = str(self.version)

    def spec(self, name: str) -> Any:
        """Return a field of the Lease."""
        return (self.lease or {})["spec"].get(name)


class Elector:
    """A process that strives for the lease, on a clock of its own."""

    def __init__(self, server: LeaseServer, name: str) -> None:
        self.clock = ManualClock()
        self.lease = LeaderLease(
            cast(KubeClient, server),
            self.clock,
            namespace="ocijobs",
            name="leader",
            identity=name,
            duration_seconds=DURATION,
            renew_seconds=RENEW,
        )
        self.task = asyncio.create_task(self.lease.run())

    async def advance(self, seconds: float) -> None:
        """Let time pass for this process."""
        await settle()
        self.clock.advance(seconds)
        await settle()

    def kill(self) -> None:
        """End the process; it gives back nothing."""
        self.task.cancel()


class Pair:
    """Two electors for one lease."""

    def __init__(self) -> None:
        self.server = LeaseServer()
        self.one = Elector(self.server, "one")
        self.two = Elector(self.server, "two")

    async def advance(self, seconds: float) -> None:
        """Let time pass for both."""
        for _ in range(int(seconds)):
            await self.one.advance(1)
            await self.two.advance(1)


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


@pytest_asyncio.fixture
async def pair() -> AsyncIterator[Pair]:
    pair = Pair()
    await settle()
    yield pair
    for elector in (pair.one, pair.two):
        elector.task.cancel()


async def test_the_first_leads_and_keeps_the_lease(pair: Pair) -> None:
    await pair.advance(100)
    assert (pair.one.lease.leading, pair.two.lease.leading) == (True, False)
    assert pair.server.spec("holderIdentity") == "one"
    assert pair.server.spec("leaseTransitions") == 0
    pair.one.lease.check()
    with pytest.raises(NotLeadingError, match="the lease ocijobs/leader is not held"):
        pair.two.lease.check()


async def test_what_is_given_back_is_taken_at_the_next_look(pair: Pair) -> None:
    await pair.advance(3)
    pair.one.kill()
    await pair.one.lease.release()
    assert not pair.one.lease.leading
    await pair.two.advance(RENEW)
    assert pair.two.lease.leading
    assert pair.server.spec("leaseTransitions") == 1


async def test_what_is_not_given_back_is_taken_after_its_whole_duration_was_watched(
    pair: Pair,
) -> None:
    await pair.advance(3)
    pair.one.kill()
    waited = 0
    while not pair.two.lease.leading:
        await pair.two.advance(1)
        waited += 1
    # It last saw the lease change at its own last look, and looks every four to five seconds.
    assert DURATION - RENEW < waited <= DURATION + 2 * RENEW
    await asyncio.wait_for(pair.two.lease.acquired(), 1)


async def test_a_process_that_was_asleep_may_not_write_when_it_wakes(pair: Pair) -> None:
    await pair.advance(3)
    pair.one.clock.advance(DURATION)
    # Nothing has run since: the check alone must know.
    with pytest.raises(NotLeadingError):
        pair.one.lease.check()


async def test_who_loses_the_lease_ends(pair: Pair) -> None:
    await pair.advance(3)
    pair.server.down = True
    for _ in range(int(DURATION + RENEW)):
        await pair.one.advance(1)
    with pytest.raises(NotLeadingError, match="was lost"):
        await asyncio.wait_for(pair.one.task, 1)


async def test_what_was_lost_stays_lost_though_the_process_may_lead_again(pair: Pair) -> None:
    """What is left of a term that is over passes no fence of the next one."""
    await pair.advance(3)
    pair.server.down = True
    for _ in range(int(DURATION + RENEW)):
        await pair.one.advance(1)
    pair.server.down = False
    former = pair.one.lease
    again = Elector(pair.server, "one")
    await again.advance(RENEW)
    assert again.lease.leading
    assert not former.leading
    with pytest.raises(NotLeadingError):
        former.check()
    again.kill()


@pytest.mark.parametrize("taken", ["by another", "given back for it", "deleted"])
async def test_a_lease_that_is_anothers_is_lost_at_once(pair: Pair, taken: str) -> None:
    """Not when its time is over: who took it may lead by now."""
    await pair.advance(3)
    if taken == "deleted":
        pair.server.lease = None
    else:
        lease = copy.deepcopy(pair.server.lease or {})
        lease["spec"]["holderIdentity"] = "three" if taken == "by another" else ""
        await pair.server.request("PUT", "/leases", resource="leases", body=lease)
    for _ in range(int(2 * RENEW)):
        await pair.one.advance(1)
    assert 2 * RENEW < DURATION
    with pytest.raises(NotLeadingError, match="taken or deleted"):
        await asyncio.wait_for(pair.one.task, 1)
    assert not pair.one.lease.leading


async def test_a_renewal_is_one_request(pair: Pair) -> None:
    await pair.advance(30)
    before, version = pair.server.requests, pair.server.version
    for _ in range(30):
        await pair.one.advance(1)
    assert pair.server.requests - before == pair.server.version - version > 5


async def test_a_short_outage_of_the_api_server_costs_nothing(pair: Pair) -> None:
    await pair.advance(3)
    pair.server.down = True
    await pair.advance(6)
    pair.server.down = False
    await pair.advance(20)
    assert pair.one.lease.leading
    assert pair.server.spec("leaseTransitions") == 0


async def test_who_has_not_heard_of_the_lease_for_long_is_out_of_touch(pair: Pair) -> None:
    await pair.advance(3)
    assert pair.two.lease.in_touch
    pair.server.down = True
    for _ in range(int(2 * DURATION + RENEW)):
        await pair.two.advance(1)
    assert not pair.two.lease.in_touch
    pair.server.down = False
    await pair.two.advance(RENEW)
    assert pair.two.lease.in_touch


@given(
    st.lists(
        st.sampled_from(["both", "one stands", "two stands", "down", "up", "give back"]),
        max_size=60,
    )
)
async def test_never_do_two_lead_whoever_stands_still_or_hears_nothing(steps: list[str]) -> None:
    """Time passes for all alike; a process that stands still misses what it would have done in that time."""
    pair = Pair()
    await settle()
    for step in steps:
        pair.server.down = {"down": True, "up": False}.get(step, pair.server.down)
        if step == "give back":
            await pair.one.lease.release()
        for elector, stands in ((pair.one, "one stands"), (pair.two, "two stands")):
            elector.clock.advance(4)
            if step != stands:
                await settle()
        assert not (pair.one.lease.leading and pair.two.lease.leading)
    for elector in (pair.one, pair.two):
        elector.kill()
        await asyncio.gather(elector.task, return_exceptions=True)
