"""Commands that every history has, as data."""

from __future__ import annotations

from dataclasses import dataclass

from tests.unit.reconcile.simulation.weather import Mishap

from ocijobs.reconcile.actions.calls import Operation


@dataclass(frozen=True, slots=True)
class Live:
    """Time passes, the shared poll lists once, log searches are answered, and the shell works until it rests."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Sleep:
    """Time passes while the operator does nothing, as when it is down."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Steps:
    """The shell does that many things: a decision, a call, a write."""

    count: int


@dataclass(frozen=True, slots=True)
class Crash:
    """The process ends; the next one's clock is off by so many seconds."""

    skew: float = 0


@dataclass(frozen=True, slots=True)
class Jump:
    """The clock of the process's machine is set by so many seconds while it works."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Strike:
    """The next call of this kind meets with a mishap."""

    operation: Operation
    mishap: Mishap


@dataclass(frozen=True, slots=True)
class Outage:
    """All calls of this kind meet with a mishap, until the weather clears."""

    operation: Operation
    mishap: Mishap
