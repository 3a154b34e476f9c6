"""The limit of requests."""

import pytest

from oci_emulator.calls.errors import ServiceError
from oci_emulator.conduct.rules import RuleBook, Rules
from oci_emulator.server.throttle import Throttle
from oci_emulator.time.clock import Clock


class Time:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def throttle(rate: int) -> tuple[Throttle, Time]:
    time = Time()
    return Throttle(RuleBook(Rules(requests_per_second=rate)), time), time


def allowed(of: Throttle, principal: str = "user", service: str = "datascience") -> bool:
    try:
        of.check(principal, service)
    except ServiceError:
        return False
    return True


def test_without_a_limit_everything_is_allowed() -> None:
    limit, _ = throttle(0)
    assert all(allowed(limit) for _ in range(1000))


def test_so_many_a_second_are_allowed_and_then_as_many_as_time_passes() -> None:
    limit, time = throttle(5)
    assert [allowed(limit) for _ in range(7)] == [True] * 5 + [False] * 2
    time.now += 0.4
    assert [allowed(limit) for _ in range(3)] == [True, True, False]
    time.now += 60
    assert sum(allowed(limit) for _ in range(20)) == 5


def test_principals_and_services_have_limits_of_their_own() -> None:
    limit, _ = throttle(1)
    assert allowed(limit)
    assert not allowed(limit)
    assert allowed(limit, principal="another")
    assert allowed(limit, service="logging")


def test_the_answer_says_when_there_is_room() -> None:
    limit, _ = throttle(1)
    limit.check("user", "datascience")
    with pytest.raises(ServiceError) as caught:
        limit.check("user", "datascience")
    assert (caught.value.status, caught.value.code) == (429, "TooManyRequests")
    assert caught.value.headers == {"retry-after": "1"}


def test_a_client_of_a_clock_that_is_moved_has_its_seconds() -> None:
    real = Time()
    clock = Clock(source=real)
    limit = Throttle(RuleBook(Rules(requests_per_second=1)), clock.of_clients)
    clock.set_rate(60)
    assert [allowed(limit), allowed(limit)] == [True, False]
    real.now += 0.5
    assert not allowed(limit), "a fast clock makes nobody faster"
    real.now += 0.5
    assert allowed(limit)
    clock.set_rate(0)
    limit = Throttle(RuleBook(Rules(requests_per_second=1)), clock.of_clients)
    assert [allowed(limit), allowed(limit)] == [True, False]
    real.now += 10
    assert not allowed(limit)
    clock.advance(1)
    assert allowed(limit)
