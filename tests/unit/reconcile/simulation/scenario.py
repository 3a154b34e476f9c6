"""What every history does: time passes, the operator works or ends, and the weather is bad."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import timedelta
from typing import Generic, TypeVar

from tests.unit.reconcile.simulation.commands import (
    Crash,
    Jump,
    Live,
    Outage,
    Sleep,
    Steps,
    Strike,
)
from tests.unit.reconcile.simulation.process import Process
from tests.unit.reconcile.simulation.weather import Weather

SpecialT = TypeVar("SpecialT")


class Scenario(ABC, Generic[SpecialT]):
    """Plays a history: the commands that all kinds have, and those of one kind."""

    def __init__(self, weather: Weather, process: Process) -> None:
        self._weather, self._process = weather, process

    def play(
        self, history: Sequence[Live | Sleep | Steps | Crash | Jump | Strike | Outage | SpecialT]
    ) -> None:
        """Carry out the commands of a history."""
        for command in history:
            match command:
                case Live(seconds=seconds):
                    self.live(seconds)
                case Sleep(seconds=seconds):
                    self._weather.advance(seconds)
                case Steps(count=count):
                    for _ in range(count):
                        self._process.step()
                case Crash(skew=skew):
                    self._process.begin()
                    self._process.skew = timedelta(seconds=skew)
                case Jump(seconds=seconds):
                    self._process.set_clock(timedelta(seconds=seconds))
                case Strike(operation=operation, mishap=mishap):
                    self._weather.strike(operation, mishap)
                case Outage(operation=operation, mishap=mishap):
                    self._weather.last(operation, mishap)
                case special:
                    self._carry_out(special)

    @abstractmethod
    def live(self, seconds: float) -> None:
        """Let time pass for an operator that works."""

    @abstractmethod
    def _carry_out(self, command: SpecialT) -> None:
        """Carry out a command of this kind."""
