"""When a refused call is made again.

Pauses grow and are jittered in full, so that a thousand objects that were refused together do not come back
together (https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/). The jitter is a hash
of the object and the try, so that the decision stays a function of what is observed.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from ocijobs.backends.records import RefusalKind
from ocijobs.reconcile.actions.calls import Call
from ocijobs.settings import Settings

SHORT_PAUSE_SECONDS = 1.0
"""First pause after what usually passes by itself."""

LONG_PAUSE_SECONDS = 60.0
"""Longest pause after what usually passes by itself."""

_ONLY_OTHERS_CAN_MEND = frozenset(
    {
        RefusalKind.CREDENTIALS,
        RefusalKind.NOT_AUTHORIZED_OR_NOT_FOUND,
        RefusalKind.QUOTA,
        RefusalKind.INVALID,
        RefusalKind.NO_ROOM,
        RefusalKind.DIED,
        RefusalKind.QUARANTINED,
    }
)


def due_at(call: Call | None, *, epoch: str, seed: str, settings: Settings) -> datetime | None:
    """Return when the operation may be called again; None means at once.

    A call that was not refused, or was refused in another epoch, does not hold the next one back.
    """
    if call is None or call.refusal is None or call.epoch != epoch:
        return None
    if call.refusal.kind in _ONLY_OTHERS_CAN_MEND:
        return mended_at(call, seed=seed, settings=settings)
    if call.refusal.until is not None:
        # OCI's own time counts, and is no reason to wait longer: whose turn it is then, the shell sees to.
        return max(call.refusal.until, call.at + timedelta(seconds=SHORT_PAUSE_SECONDS))
    ceiling = min(LONG_PAUSE_SECONDS, SHORT_PAUSE_SECONDS * 2 ** min(call.tries, 16))
    pause = ceiling * (0.5 + 0.5 * fraction(seed, call.tries))
    return call.at + timedelta(seconds=pause)


def mended_at(call: Call, *, seed: str, settings: Settings) -> datetime:
    """Return when a call is made again whose answer only others can change: refused, or that there is nothing."""
    least, most = settings.refusal_retry_min_seconds, settings.refusal_retry_max_seconds
    pause = least + (most - least) * fraction(seed, call.tries)
    return call.at + timedelta(seconds=pause)


def fraction(seed: str, tries: int) -> float:
    """Return a number in [0, 1), the same for the same object and try."""
    digest = hashlib.sha256(f"{seed}/{tries}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
