"""When what was created together has arrived, by this process's own clock."""

from __future__ import annotations

from datetime import datetime, timedelta

_ROUNDING = timedelta(seconds=1)
"""How much later than its creationTimestamp an object may have been created: the API server cuts off fractions."""

_CLOCKS_AGREE = timedelta(seconds=60)
"""Objects are seen within this time, or were created before this process began, or by another clock than its own."""


def arrived_at(created: datetime, seen_at: datetime | None, *, bound: bool) -> datetime:
    """Return from when on an object is there.

    `creationTimestamp` is of the API server's clock. Where ours is another, an object would wait for hours, or be
    launched with what was read before it was there.

    Args:
        created: metadata.creationTimestamp.
        seen_at: when this process first saw the object.
        bound: whether it was launched before, so that nothing has to be read for it.
    """
    if seen_at is None or abs(seen_at - created) <= _CLOCKS_AGREE:
        return created
    return min(created, seen_at) if bound else seen_at


def settled(arrived: datetime, seconds: float) -> datetime:
    """Return when the rest of the same apply has arrived."""
    return arrived + _ROUNDING + timedelta(seconds=seconds)
