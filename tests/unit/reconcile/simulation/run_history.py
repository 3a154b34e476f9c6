"""Histories of a run: commands as data, which print as they are written, shrink well and can be pinned in a test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from hypothesis import strategies as st
from tests.unit.reconcile.simulation.commands import Crash, Jump, Live, Outage, Sleep, Steps, Strike
from tests.unit.reconcile.simulation.long_outages import OutageCommand, unanswered_for_days
from tests.unit.reconcile.simulation.run_circumstances import Circumstances
from tests.unit.reconcile.simulation.weather import Mishap

from ocijobs.backends.records import RunState
from ocijobs.reconcile.actions.calls import Operation


@dataclass(frozen=True, slots=True)
class Progress:
    """The job run goes on in OCI."""

    state: RunState


class Do(Enum):
    """What happens at a stroke."""

    POLL = "the shared poll lists"
    CLEAR = "the weather clears"
    REFUSE_WRITE = "the next status write is refused"
    LOSE_WRITE_ANSWER = "the next status write is done, and its answer lost"
    CANCEL = "spec.cancel is set"
    SUSPEND = "spec.suspend is set"
    UNSUSPEND = "spec.suspend is taken back"
    UPSTREAM_SUCCEEDS = "the run that this one waits for succeeds"
    UPSTREAM_FAILS = "the run that this one waits for fails"
    DELETE = "the run is deleted"
    RECREATE = "a run of the same name is created"
    REPLACE = "somebody takes the finalizer away, deletes the run, and creates one of the same name"
    DELETE_RECORD = "spec.deletionPolicy becomes Delete"
    RETAIN_RECORD = "spec.deletionPolicy becomes Retain"
    PAUSE = "the run is paused"
    RESUME = "the run is no longer paused"
    ABANDON = "the run is abandoned"
    EDIT_JOB = "the job is edited"
    SYNC_JOB = "the job's edit is taken up"
    DELETE_JOB = "the job is deleted"
    REMOVE_JOB = "the deleted job goes"
    CREATE_JOB = "the job is created"
    CHANGE_SECRET = "the Secret's value changes"
    REMOVE_SECRET = "the Secret goes"
    RESTORE_SECRET = "the Secret comes back"
    TAKE_AWAY = "somebody deletes the job run in OCI; Data Flow ends it"
    REFUSE_CREDENTIALS = "OCI refuses the credentials"
    RENEW_CREDENTIALS = "the credentials are renewed"
    LOSE_CREDENTIALS = "the Secret of the credentials is gone"
    DELETE_IDENTITY = "the identity is deleted, and waits for those who need it"
    ADMIT = "Kueue admits what waits"
    EVICT = "Kueue evicts what is admitted"
    DEACTIVATE = "the Workload is deactivated"
    ACTIVATE = "the Workload is active again"
    DELETE_WORKLOAD = "the Workload is deleted"
    INSTALL_KUEUE = "Kueue is installed"
    REMOVE_KUEUE = "Kueue is removed"

    def __repr__(self) -> str:
        """Show as it is written in a history."""
        return f"Do.{self.name}"


Command: TypeAlias = Live | Sleep | Steps | Crash | Jump | Strike | Outage | Progress | Do

_RUN_CALLS = (
    Operation.CREATE,
    Operation.SEARCH,
    Operation.LOOK_UP,
    Operation.LIST_RUNS,
    Operation.CANCEL,
    Operation.DELETE,
    Operation.READ_VALUES,
    Operation.READ_RESULTS,
    Operation.LIST_OUTPUTS,
    Operation.SEARCH_LOGS,
    Operation.READ_UTILISATION,
)
_STATES = (
    RunState.ACCEPTED,
    RunState.IN_PROGRESS,
    RunState.NEEDS_ATTENTION,
    RunState.SUCCEEDED,
    RunState.FAILED,
    RunState.CANCELED,
)

_COMMON = (
    Do.POLL,
    Do.CANCEL,
    Do.SUSPEND,
    Do.UNSUSPEND,
    Do.UPSTREAM_SUCCEEDS,
    Do.DELETE,
    Do.EDIT_JOB,
    Do.SYNC_JOB,
    Do.ADMIT,
    Do.EVICT,
    Do.CLEAR,
    Do.LOSE_WRITE_ANSWER,
)

_LIVING = st.sampled_from([3.0, 1.0, 10.0, 30.0, 60.0, 181.0, 400.0]).map(Live)
_SLEEPING = st.sampled_from([1.0, 60.0, 200.0, 1000.0, 23.5 * 3600, 25.0 * 3600]).map(Sleep)
_TROUBLE = st.one_of(
    st.builds(Strike, st.sampled_from(_RUN_CALLS), st.sampled_from(Mishap)),
    st.builds(Strike, st.just(Operation.CREATE), st.sampled_from(Mishap)),
    st.builds(Outage, st.sampled_from(_RUN_CALLS), st.sampled_from(Mishap)),
)
_COMMANDS: st.SearchStrategy[Command] = st.one_of(
    _LIVING,
    st.integers(1, 8).map(Steps),
    st.sampled_from([0.0, 300.0, -300.0]).map(Crash),
    st.sampled_from([60.0, -60.0, 3600.0, -3600.0]).map(Jump),
    st.sampled_from(_STATES).map(Progress),
    _LIVING,
    _SLEEPING,
    _TROUBLE,
    st.sampled_from(_COMMON),
    st.sampled_from(Do),
)


def histories() -> st.SearchStrategy[list[Command]]:
    """Return histories of up to some thirty commands; the shorter, the simpler. Some begin with days without answer."""
    plain = st.sampled_from([0, 8, 20]).flatmap(
        lambda least: st.lists(_COMMANDS, min_size=least, max_size=least + 10)
    )
    return st.one_of(plain, plain, st.builds(_after_days, unanswered_for_days(), plain))


def _after_days(outage: Sequence[OutageCommand], history: list[Command]) -> list[Command]:
    return [*outage, *history]


def circumstances(*, spark: bool = False, stream: bool = False) -> st.SearchStrategy[Circumstances]:
    """Return circumstances of a run on one of the services, plain ones first."""
    return st.builds(
        Circumstances,
        lag=st.sampled_from([0.0, 20.0, 100.0]),
        log_lag=st.sampled_from([0.0, 10.0, 90.0]),
        secret=st.booleans(),
        results=st.booleans(),
        printed=st.sampled_from([True, True, False]),
        outputs=st.booleans(),
        log=st.sampled_from([RunState.IN_PROGRESS, None, RunState.ACCEPTED]),
        measured=st.sampled_from([None, 60.0, 400.0]),
        delete_record=st.booleans(),
        backoff_limit=st.sampled_from([0, 1, 3]),
        ignores=st.sampled_from([False, False, True]),
        deadline=st.sampled_from([None, None, 100, 2000]),
        pre_running=st.sampled_from([None, None, 50]),
        waits=st.sampled_from([False, False, True]),
        expires=st.sampled_from([False, False, True]),
        queued=st.booleans(),
        kueue=st.sampled_from([True, True, True, False]),
        spark=st.just(spark),
        stream=st.just(stream),
    )
