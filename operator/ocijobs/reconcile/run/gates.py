"""The launch of a run on its way through the gates before it: what a gate is, what it may say, what it hands on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from ocijobs.api.run.binding import Binding, JobBinding
from ocijobs.api.shared.reasons import Reason
from ocijobs.backends.requests import RunCreation
from ocijobs.backends.values import NO_VALUES, Values
from ocijobs.reconcile.actions.calls import Launcher
from ocijobs.reconcile.blocking import Blocker
from ocijobs.reconcile.run.observation import RunObservation


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """All that a launch needs: as whom, what is sent, and what is recorded of it."""

    caller: Launcher
    request: RunCreation
    request_digest: str
    revision: str | None
    binding: Binding


JOB_UNKNOWN = Blocker(reason=Reason.WAITING_FOR_JOB, message="the OCI job is not known yet")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A launch as far as it has come: a gate may hand on what those after it need.

    Attributes:
        job: what the run is launched from, once that is known.
        caller: as whom it is launched.
        values: what the variables' references gave.
        launch: the whole, or why there is none yet.
    """

    o: RunObservation
    now: datetime
    job: JobBinding | None = None
    caller: Launcher | None = None
    values: Values = NO_VALUES
    launch: Launch | Blocker = JOB_UNKNOWN


Answer_co = TypeVar("Answer_co", covariant=True)
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate(Generic[Answer_co]):
    """Something that a run waits for before its launch.

    Attributes:
        name: the gate's, for people.
        open_when: the condition in words, for docs/runs.md.
        check: gives None for a run that may pass, a draft to hand on, or what the run gets that may not.
        reasons: what `Ready` says meanwhile; without one it keeps what it said, as the gate opens within moments.
        refusals: whether the reason may also be that of a call which OCI refused.
    """

    name: str
    open_when: str
    check: Callable[[Draft], Draft | Answer_co | None]
    reasons: tuple[Reason, ...] = ()
    refusals: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed(Generic[Answer_co]):
    """The gate that a run does not pass, and what the run gets there."""

    gate: Gate[Answer_co]
    answer: Answer_co


def pass_gates(draft: Draft, gates: Iterable[Gate[Answer]]) -> Draft | Closed[Answer]:
    """Return the draft as the last gate hands it on, or the first gate that is closed."""
    for gate in gates:
        answer = gate.check(draft)
        if isinstance(answer, Draft):
            draft = answer
        elif answer is not None:
            return Closed(gate=gate, answer=answer)
    return draft
