"""The states of job runs and the words that go with them.

The texts are those that clients have seen of the real service, in their order; they matter, as a
run's exit code is nowhere but in ``lifecycleDetails``. Those marked below are the emulator's own:
no document has a text for what they say.
"""

from dataclasses import dataclass

from oci_emulator.conduct.lags import Lags

ACTIVE = ("ACCEPTED", "IN_PROGRESS", "NEEDS_ATTENTION", "CANCELING")
"""States in which a run isn't over."""
CANCELABLE = ("ACCEPTED", "IN_PROGRESS", "NEEDS_ATTENTION")
NOT_UPDATABLE = ("ACCEPTED", "CANCELING", "NEEDS_ATTENTION")
ENDED = ("SUCCEEDED", "FAILED", "CANCELED")


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of a run's way to its execution.

    Attributes:
        lag: the name of the lag that says how long it takes.
    """

    lag: str
    details: str

    def seconds(self, lags: Lags) -> float:
        """How long it takes."""
        seconds: float = getattr(lags, self.lag)
        return seconds


STAGES = (
    Stage("accepted", ""),
    Stage("provisioning", "Infrastructure provisioning."),
    Stage("provisioned", "Infrastructure provisioned."),
    Stage("bootstrap", "Job run bootstrap starting."),
    Stage("starting", "Job run bootstrap complete. Artifact execution starting."),
)
"""All in ACCEPTED, in this order."""
PROVISIONING, PROVISIONED, BOOTSTRAP, STARTING = range(1, 5)
RUNNING = len(STAGES)

IN_PROGRESS = "Job run artifact execution in progress."
SUCCEEDED = "Job run artifact execution succeeded. Infrastructure de-provisioning."


def failed(exit_code: int) -> str:
    """The process ended with this code."""
    return f"Job run artifact execution failed with exit code {exit_code}."


# The emulator's own words:

CANCELING = "Job run cancellation in progress."
CANCELED = "Job run canceled."
LOST = (
    "Job run infrastructure failed: the process was lost, as the emulator was stopped while it ran."
)


def bootstrap_failed(reason: str) -> str:
    """The run never came to execute its artifact."""
    return f"Job run bootstrap failed: {reason}"


def never_ready(tries: int) -> str:
    """The startup probe failed too often."""
    return f"Job run startup probe failed {tries} times."


def out_of_time(minutes: int) -> str:
    """The process ran for too long."""
    return f"Job run exceeded its maximum runtime of {minutes} minutes and was stopped."


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ends.

    Attributes:
        failed_groups: the node groups whose nodes failed it.
    """

    state: str
    details: str
    failed_groups: frozenset[str] = frozenset()


def exited(exit_code: int) -> Outcome:
    """The outcome of a process that ended by itself."""
    if exit_code == 0:
        return Outcome(state="SUCCEEDED", details=SUCCEEDED)
    return Outcome(state="FAILED", details=failed(exit_code))
