"""Simulated job runs of OCI Data Science: retry tokens, lists that lag, a lifecycle that goes on by command."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, is_dataclass, replace
from datetime import datetime, timedelta

from tests.unit.reconcile.simulation.retry_tokens import RetryTokens
from tests.unit.reconcile.simulation.weather import Weather

from ocijobs.api.shared.names import TAG_OWNER
from ocijobs.backends.records import Absent, LogAddress, Refusal, RefusalKind, RunRecord, RunState
from ocijobs.backends.requests import RunCreation
from ocijobs.reconcile.actions.calls import Operation
from ocijobs.testing import LOG, ManualClock, make_ocid

TOMBSTONE = timedelta(hours=1)
"""For how long a deleted run is still shown, as DELETED."""

NOT_FOUND = Refusal(kind=RefusalKind.NOT_AUTHORIZED_OR_NOT_FOUND, message="404")
INCORRECT_STATE = Refusal(kind=RefusalKind.CONFLICT, message="409 IncorrectState")

_DETAILS = {
    RunState.ACCEPTED: "Infrastructure provisioning.",
    RunState.IN_PROGRESS: "Job run artifact execution in progress.",
    RunState.SUCCEEDED: "Job run artifact execution succeeded. Infrastructure de-provisioning.",
    RunState.FAILED: "Job run artifact execution failed with exit code 3.",
}


@dataclass
class SimulatedRun:
    """A job run and all that became of it: states with the times at which they began."""

    id: str
    request: RunCreation
    history: list[tuple[datetime, RunState]] = field(default_factory=list)
    details: str | None = None
    taken_away: bool = False

    @property
    def owner(self) -> str:
        """Value of the owner tag."""
        return self.request.tags.freeform[TAG_OWNER]

    @property
    def uid(self) -> str:
        """Uid of the object that the run is of."""
        return self.owner.split("/")[1]

    @property
    def state(self) -> RunState:
        """The state now."""
        return self.history[-1][1]

    @property
    def live(self) -> bool:
        """Whether the run has not ended."""
        return self.state.active

    @property
    def started_at(self) -> datetime | None:
        """When the code started."""
        return self.began(RunState.IN_PROGRESS)

    @property
    def ended_at(self) -> datetime | None:
        """When the run ended."""
        return next((at for at, state in self.history if state.ended), None)

    def began(self, *states: RunState) -> datetime | None:
        """Return when the first of these states began."""
        return next((at for at, state in self.history if state in states), None)

    def as_of(self, when: datetime, *, log: LogAddress | None, complete: bool) -> RunRecord | None:
        """Return the run as it was at `when`, or None if it was not there yet."""
        past = [(at, state) for at, state in self.history if at <= when]
        if not past:
            return None
        seen = {state: at for at, state in reversed(past)}
        ended = next((at for at, state in past if state.ended), None)
        state = past[-1][1]
        return RunRecord(
            id=self.id,
            job_id=self.request.job_id,
            compartment_id=self.request.compartment_id,
            state=state,
            details=self.details or _DETAILS.get(state, ""),
            accepted_at=past[0][0],
            started_at=seen.get(RunState.IN_PROGRESS),
            finished_at=ended,
            log=log if complete else None,
            owner=self.owner,
            complete=complete,
        )


class SimulatedRuns:
    """The job runs of one compartment."""

    cancelling = RunState.CANCELING
    """What becomes of a run that is to be ended."""

    def __init__(self, clock: ManualClock, weather: Weather) -> None:
        self._clock = clock
        self._weather = weather
        self.tokens: RetryTokens[RunCreation, SimulatedRun] = RetryTokens(clock)
        self.runs: list[SimulatedRun] = []
        self.lag = timedelta()
        self.log_known_from = RunState.ACCEPTED
        self.jobs: set[str] = set()

    def of(self, uid: str) -> list[SimulatedRun]:
        """Return the runs that were ever created for an object."""
        return [run for run in self.runs if run.uid == uid]

    def create(self, token: str, request: RunCreation) -> RunRecord | Refusal:
        """CreateJobRun: the same token with the same body gives the same run for 24 hours.

        What it refuses as invalid it quotes.
        """
        answer = self._weather.call(Operation.CREATE, lambda: self._create(token, request))
        if isinstance(answer, Refusal) and answer.kind is RefusalKind.INVALID:
            assert is_dataclass(request)
            return replace(answer, message=f"{answer.message}: {asdict(request)}")
        return answer

    def _create(self, token: str, request: RunCreation) -> RunRecord | Refusal:
        known = self.tokens.known(token, request)
        if known is not None:
            return known if isinstance(known, Refusal) else self._told(known)
        if request.job_id not in self.jobs:
            return NOT_FOUND
        run = self._new(request)
        run.history.append((self._clock.now(), RunState.ACCEPTED))
        self.runs.append(run)
        self.tokens.keep(token, request, run)
        return self._told(run)

    def _new(self, request: RunCreation) -> SimulatedRun:
        return SimulatedRun(make_ocid("datasciencejobrun", str(len(self.runs) + 1)), request)

    def _told(self, run: SimulatedRun) -> RunRecord:
        """Return the run as an answer to create or get tells it."""
        known = run.state.rank >= self.log_known_from.rank
        record = run.as_of(self._clock.now(), log=LOG if known else None, complete=True)
        assert record is not None
        return record

    def listed(self) -> list[RunRecord]:
        """Return summaries of all runs as a list shows them: late, and without their logs."""
        seen_at = self._clock.now() - self.lag
        records = (run.as_of(seen_at, log=None, complete=False) for run in self.runs)
        buried = self._clock.now() - TOMBSTONE
        return [
            record
            for run, record in zip(self.runs, records, strict=True)
            if record is not None and not self._buried(run, buried)
        ]

    @staticmethod
    def _buried(run: SimulatedRun, before: datetime) -> bool:
        deleted = run.began(RunState.DELETED)
        return deleted is not None and deleted <= before

    def search(self, job_id: str, owner: str) -> RunRecord | Refusal | None:
        """List all runs of the job and find the one with the owner tag."""

        def find() -> RunRecord | None:
            found = [r for r in self.listed() if r.owner == owner and r.job_id == job_id]
            return found[-1] if found else None

        return self._weather.call(Operation.SEARCH, find)

    def look_up(self, run_id: str) -> RunRecord | Absent | Refusal:
        """Get the run; where OCI answers 404, list it by its id."""
        got = self._weather.call(Operation.LOOK_UP, lambda: self._get(run_id))
        if not (isinstance(got, Refusal) and got.kind is RefusalKind.NOT_AUTHORIZED_OR_NOT_FOUND):
            return got

        def find() -> RunRecord | Absent:
            return next((r for r in self.listed() if r.id == run_id), Absent())

        return self._weather.call(Operation.LIST_RUNS, find)

    def _get(self, run_id: str) -> RunRecord | Refusal:
        run = next((run for run in self.runs if run.id == run_id), None)
        if run is None or self._buried(run, self._clock.now() - TOMBSTONE):
            return NOT_FOUND
        return self._told(run)

    def active(self) -> dict[str, RunRecord] | Refusal:
        """Return what the shared poll lists: the active runs by id."""
        return self._weather.call(
            Operation.LIST_RUNS,
            lambda: {record.id: record for record in self.listed() if record.state.active},
        )

    def cancel(self, run_id: str) -> Refusal | None:
        """CancelJobRun: taken in some states only."""

        def carry_out() -> Refusal | None:
            run = self.find(run_id)
            if not run.state.cancellable:
                return INCORRECT_STATE
            self._enter(run, self.cancelling)
            return None

        return self._weather.call(Operation.CANCEL, carry_out)

    def delete(self, run_id: str) -> Refusal | None:
        """DeleteJobRun: of ended runs only."""

        def carry_out() -> Refusal | None:
            run = self.find(run_id)
            if run.state is RunState.DELETED:
                return NOT_FOUND
            if run.live:
                return INCORRECT_STATE
            self._enter(run, RunState.DELETED)
            return None

        return self._weather.call(Operation.DELETE, carry_out)

    def progress(self, state: RunState) -> None:
        """Let every live run that can get there enter `state`."""
        for run in self.runs:
            if run.live and state.rank >= run.state.rank and state is not run.state:
                self._enter(run, state)

    def end_cancelled(self) -> None:
        """Let every run end that OCI was asked to end."""
        ends = {RunState.CANCELING: RunState.CANCELED, RunState.STOPPING: RunState.STOPPED}
        for run in self.runs:
            if run.state in ends:
                self._enter(run, ends[run.state])

    def take_away(self) -> None:
        """Let somebody delete the newest run, whatever it is doing."""
        if self.runs and self.runs[-1].state is not RunState.DELETED:
            self.runs[-1].taken_away = True
            self._enter(self.runs[-1], RunState.DELETED)

    def find(self, run_id: str) -> SimulatedRun:
        """Return the run of that OCID, which must be there."""
        return next(run for run in self.runs if run.id == run_id)

    def _enter(self, run: SimulatedRun, state: RunState) -> None:
        if (
            state.ended
            and run.began(RunState.IN_PROGRESS) is None
            and state not in {RunState.CANCELED, RunState.STOPPED}
        ):
            run.history.append((self._clock.now(), RunState.IN_PROGRESS))
        run.history.append((self._clock.now(), state))
