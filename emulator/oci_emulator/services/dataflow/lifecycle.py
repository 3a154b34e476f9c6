"""The states of runs and the words that go with them, which are the emulator's own."""

from dataclasses import dataclass

ACTIVE = ("ACCEPTED", "IN_PROGRESS", "CANCELING", "STOPPING")
"""States in which a run isn't over."""
CANCELABLE = ("ACCEPTED", "IN_PROGRESS")
ENDED = ("SUCCEEDED", "FAILED", "CANCELED", "STOPPED")
MOVABLE = ENDED
"""States in which a run can change its compartment."""

WAITING_FOR_POOL = "The run waits for its pool."
CANCELING = "The run is being canceled."
STOPPING = "The run is being stopped."
LOST = "The Spark application was lost, as the emulator was stopped while it ran."

_TEXTS = {
    "SUCCEEDED": "",
    "FAILED": "The Spark application failed.",
    "CANCELED": "The run was canceled.",
    "STOPPED": "The run was stopped.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ends.

    Attributes:
        read: bytes that it has read, and written: that it has written.
    """

    state: str
    details: str
    read: int = 0
    written: int = 0


def outcome(state: str, details: str = "") -> Outcome:
    """An end with the details that it has if nothing else is said."""
    return Outcome(state=state, details=details or _TEXTS[state])


def unreadable(field: str, reason: str) -> str:
    """A file of the application can't be read."""
    return f"{field} can't be read with the rights of the run's owner: {reason}"


def exited(code: int) -> str:
    """Spark ended with this code, or minus the signal that ended it."""
    how = f"exit code {code}" if code > 0 else f"signal {-code}"
    return f"The Spark application failed with {how}."


def no_log(log: str) -> str:
    """The log of the run isn't there."""
    return f"The log {log} of applicationLogConfig does not exist."


def out_of_time(minutes: int) -> str:
    """The run went on for too long."""
    return f"The run exceeded its maximum duration of {minutes} minutes and was ended."


def idle(minutes: int) -> str:
    """The session was idle for too long."""
    return f"The session was idle for {minutes} minutes and was stopped."
