"""Simulated runs of OCI Data Flow: batch runs, and streams, which go on until they are stopped."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tests.unit.reconcile.simulation.oci_runs import NOT_FOUND, SimulatedRun, SimulatedRuns
from tests.unit.reconcile.simulation.weather import Weather

from ocijobs.backends.records import LogAddress, Refusal, RunRecord, RunState, RunTotals
from ocijobs.backends.requests import RunCreation
from ocijobs.testing import ManualClock, make_ocid

_DETAILS = {RunState.FAILED: "The driver ended with an exception."}


@dataclass
class SimulatedSparkRun(SimulatedRun):
    """A run of Data Flow: how long it took, and so when it started, is told when it has ended."""

    def as_of(self, when: datetime, *, log: LogAddress | None, complete: bool) -> RunRecord | None:
        """Return the run as it was at `when`, or None if it was not there yet."""
        record = super().as_of(when, log=log, complete=complete)
        if record is None:
            return None
        totals = self._totals() if complete and record.state.ended else None
        started_at = None
        if totals is not None and totals.milliseconds and self.ended_at is not None:
            started_at = self.ended_at - timedelta(milliseconds=totals.milliseconds)
        details = self.details or _DETAILS.get(record.state, "")
        return replace(record, started_at=started_at, totals=totals, details=details)

    def _totals(self) -> RunTotals:
        took = timedelta()
        if self.started_at is not None and self.ended_at is not None:
            took = self.ended_at - self.started_at
        milliseconds = took // timedelta(milliseconds=1)
        return RunTotals(ocpus=2, read_bytes=2048, written_bytes=512, milliseconds=milliseconds)


class SimulatedSparkRuns(SimulatedRuns):
    """The runs of one compartment."""

    def __init__(self, clock: ManualClock, weather: Weather, *, stream: bool) -> None:
        super().__init__(clock, weather)
        self._stream = stream
        self.cancelling = RunState.STOPPING if stream else RunState.CANCELING

    def _new(self, request: RunCreation) -> SimulatedRun:
        return SimulatedSparkRun(make_ocid("dataflowrun", str(len(self.runs) + 1)), request)

    def progress(self, state: RunState) -> None:
        """Let every live run that can get there enter `state`; no stream ends well by itself."""
        if state is RunState.NEEDS_ATTENTION or (self._stream and state is RunState.SUCCEEDED):
            return
        stops = self._stream and state is RunState.CANCELED
        super().progress(RunState.STOPPED if stops else state)

    def take_away(self) -> None:
        """Let somebody end the newest run: a run can't be deleted."""
        if self.runs and self.runs[-1].state.cancellable:
            self._enter(self.runs[-1], self.cancelling)

    def delete(self, run_id: str) -> Refusal | None:
        """There is no such call."""
        del run_id
        return NOT_FOUND
