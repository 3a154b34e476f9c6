"""The limit of requests: so many a second for each principal and service, then 429."""

import math
from collections.abc import Callable

from oci_emulator.calls.errors import ServiceError
from oci_emulator.conduct.rules import RuleBook

_REMEMBERED = 1000


class Throttle:
    """A bucket for each principal and service, which fills at the rate that the rules allow.

    Args:
        source: seconds as clients count them, from any beginning; another one, if the clock is set.
    """

    def __init__(self, book: RuleBook, source: Callable[[], float]) -> None:
        self._book = book
        self._source = source
        self._buckets: dict[tuple[str, str], tuple[float, float]] = {}

    def check(self, principal: str, service: str) -> None:
        """Count a request.

        Raises:
            ServiceError: 429, there were too many; ``retry-after`` says when there is room.
        """
        rate = self._book.rules.requests_per_second
        if not rate:
            return
        now = self._source()
        key = (principal, service)
        left, since = self._buckets.get(key, (float(rate), now))
        left = min(rate, left + max(0.0, now - since) * rate)
        if len(self._buckets) >= _REMEMBERED:
            self._buckets.clear()
        if left < 1:
            self._buckets[key] = (left, now)
            seconds = math.ceil((1 - left) / rate)
            raise ServiceError(
                429,
                "TooManyRequests",
                f"Too many requests for {service}: {rate} a second are allowed.",
                {"retry-after": str(seconds)},
            )
        self._buckets[key] = (left - 1, now)
