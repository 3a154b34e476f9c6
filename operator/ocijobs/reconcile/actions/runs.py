"""Actions of an OCIJobRun: its job run is made, looked up and ended, and what it left is read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, final

from ocijobs.backends.records import LogAddress
from ocijobs.backends.requests import RunCreation
from ocijobs.backends.values import ValueKey
from ocijobs.reconcile.actions.calls import Caller, Launcher, OciCall, Operation


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshJob:
    """Let the OCIJob's own worker read the job's sources, unless it has since `after`."""

    name: str
    after: datetime


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ReadValues:
    """Read the Secrets and ConfigMaps that environment variables refer to; True marks an optional key."""

    operation: ClassVar[Operation] = Operation.READ_VALUES
    keys: tuple[tuple[ValueKey, bool], ...]
    epoch: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SearchLogs:
    """Read the last lines of a run's output, and its last result line, in the next batch."""

    operation: ClassVar[Operation] = Operation.SEARCH_LOGS
    caller: Caller
    compartment_id: str
    run_id: str
    log: LogAddress
    since: datetime
    until: datetime | None
    results: bool


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ReadUtilisation:
    """Read what a run used of its machines, in the next batch; its code ran from `start` to `end`."""

    operation: ClassVar[Operation] = Operation.READ_UTILISATION
    caller: Caller
    compartment_id: str
    run_id: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOfRun(OciCall):
    """A call whose answer is learnt of a run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOfOciRun(CallOfRun):
    """A call about one job run in OCI."""

    run_id: str

    @property
    def ocid(self) -> str:
        """The job run that it is about."""
        return self.run_id


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CreateRun(CallOfRun):
    """Create a job run. Safe to repeat with the same token for 24 hours."""

    operation: ClassVar[Operation] = Operation.CREATE
    caller: Launcher
    token: str
    request: RunCreation
    epoch: str

    @property
    def ocid(self) -> str:
        """The OCI job that the run is of."""
        return self.request.job_id


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRuns(CallOfRun):
    """List all runs of the OCI job and find the one with the owner tag; `token` is of the intent in doubt."""

    operation: ClassVar[Operation] = Operation.SEARCH
    token: str
    compartment_id: str
    job_id: str
    owner: str
    epoch: str

    @property
    def ocid(self) -> str:
        """The OCI job that the run is of."""
        return self.job_id


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class LookUpRun(CallOfOciRun):
    """Get the job run; where OCI answers 404, list it by its id."""

    operation: ClassVar[Operation] = Operation.LOOK_UP
    compartment_id: str
    epoch: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRun(CallOfOciRun):
    """Cancel a job run."""

    operation: ClassVar[Operation] = Operation.CANCEL
    epoch: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteRun(CallOfOciRun):
    """Delete the record of an ended job run; `former` tells one of an attempt that another has followed."""

    operation: ClassVar[Operation] = Operation.DELETE
    epoch: str
    former: bool = False


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ReadResults(CallOfOciRun):
    """Read `results.json`, which the driver wrote beside the outputs."""

    operation: ClassVar[Operation] = Operation.READ_RESULTS
    outputs_uri: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ListOutputs(CallOfRun):
    """List the objects under the run's outputs."""

    operation: ClassVar[Operation] = Operation.LIST_OUTPUTS
    outputs_uri: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRunLogs(CallOfOciRun):
    """Read the logs that Data Flow keeps of a run which has ended: the last lines, and result lines if wanted."""

    operation: ClassVar[Operation] = Operation.SEARCH_LOGS
    results: bool


BackendRunCall = CreateRun | SearchRuns | LookUpRun | CancelRun | DeleteRun
"""Calls that each backend makes in its own way."""

RunCall = BackendRunCall | ReadResults | ListOutputs | ReadRunLogs
"""Calls that are answered in the round that asks for them."""

RunAction = RunCall | ReadValues | SearchLogs | ReadUtilisation
"""What is done about a run and is learnt."""
