"""When a run in progress changes by itself: at its own end, out of time, or idle for too long."""

from dataclasses import dataclass

from oci_emulator.state.resources import Resource

_DELEGATED_MINUTES = 24 * 60
_RESOURCE_PRINCIPAL_MINUTES = 30 * 24 * 60
"""How long a batch may go on with its owner's delegated rights, and with rights of its own."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """A time that a run may not go beyond.

    Attributes:
        idle: it is for a session that nobody uses.
    """

    at: float
    minutes: int
    idle: bool = False


def maximum_minutes(run: Resource) -> int | None:
    """How long the run may be in progress."""
    own: int | None = run.body.get("maxDurationInMinutes")
    if run.body["type"] != "BATCH":
        return own
    configuration = run.body.get("configuration", {})
    independent = configuration.get("dataflow.auth") == "resource_principal"
    most = _RESOURCE_PRINCIPAL_MINUTES if independent else _DELEGATED_MINUTES
    return most if own is None else min(own, most)


def _deadlines(run: Resource) -> list[Deadline]:
    found = []
    minutes = maximum_minutes(run)
    if minutes is not None:
        found.append(Deadline(run.inner["began"] + minutes * 60, minutes))
    if run.body["type"] == "SESSION":
        minutes = run.body["idleTimeoutInMinutes"]
        found.append(Deadline(run.inner["active"] + minutes * 60, minutes, idle=True))
    return found


def next_due(run: Resource) -> float | None:
    """When a run in progress changes by itself, if it does."""
    moments = [each.at for each in _deadlines(run)]
    if "ends" in run.inner:
        moments.append(run.inner["ends"])
    return min(moments, default=None)


def deadline(run: Resource, moment: float) -> Deadline | None:
    """The deadline that is reached, unless the run ends by itself before it."""
    own = run.inner.get("ends")
    reached = [each for each in _deadlines(run) if each.at <= moment]
    first = min(reached, key=lambda each: each.at, default=None)
    if first is not None and own is not None and own <= first.at:
        return None
    return first
