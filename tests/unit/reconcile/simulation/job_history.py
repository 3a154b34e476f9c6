"""Histories of a job: commands as data, which print as they are written, shrink well and can be pinned in a test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from hypothesis import strategies as st
from tests.unit.reconcile.simulation.commands import Crash, Jump, Live, Outage, Sleep, Steps, Strike
from tests.unit.reconcile.simulation.job_world import JobCircumstances
from tests.unit.reconcile.simulation.long_outages import OutageCommand, unanswered_for_days
from tests.unit.reconcile.simulation.weather import Mishap

from ocijobs.reconcile.actions.calls import Operation


@dataclass(frozen=True, slots=True)
class Variables:
    """The job's variables are edited: another revision, or a former one again."""

    value: str


class DoJob(Enum):
    """What happens at a stroke."""

    UPLOAD = "the upload that goes on ends"
    CLEAR = "the weather clears"
    REFUSE_WRITE = "the next status write is refused"
    LOSE_WRITE_ANSWER = "the next status write is done, and its answer lost"
    RENAME = "a setting is edited that OCI changes in place"
    UPGRADE_SPARK = "the version of Spark becomes a later one"
    DOWNGRADE_SPARK = "the version of Spark becomes an earlier one"
    OTHERS_TAKE_CODE = "another job has the same code"
    OTHERS_DROP_CODE = "that job goes"
    MISCONFIGURE = "the spec is edited to what OCI would refuse"
    CHANGE_CODE = "the ConfigMap changes"
    REVERT_CODE = "the ConfigMap has what it had before"
    REMOVE_CODE = "the ConfigMap goes"
    BREAK_CODE = "the ConfigMap has no code any more"
    POISON_CODE = "the code ends the process that reads it"
    RESTORE_CODE = "the ConfigMap is there, and has code"
    REQUEST = "the sources are to be read at once"
    LAUNCH = "a run is launched"
    END_RUN = "the oldest run ends"
    LAUNCH_ELSEWHERE = "somebody runs the newest OCI job from the console"
    END_ELSEWHERE = "such runs end"
    DELETE = "the job is deleted"
    RECREATE = "a job of the same name is created"
    REPLACE = "somebody takes the finalizer away, deletes the job, and creates one of the same name"
    PAUSE = "the job is paused"
    RESUME = "the job is no longer paused"
    ABANDON = "the job is abandoned"
    CHANGE_ELSEWHERE = "somebody changes the newest OCI job's settings"
    TAKE_AWAY = "somebody deletes the newest OCI job"
    REFUSE_CREDENTIALS = "OCI refuses the credentials"
    RENEW_CREDENTIALS = "the credentials are renewed"
    LOSE_CREDENTIALS = "the Secret of the credentials is gone"
    DELETE_IDENTITY = "the identity is deleted, and waits for those who need it"

    def __repr__(self) -> str:
        """Show as it is written in a history."""
        return f"DoJob.{self.name}"


JobCommand: TypeAlias = Live | Sleep | Steps | Crash | Jump | Strike | Outage | Variables | DoJob

JOB_CALLS = (
    Operation.CREATE,
    Operation.SEARCH,
    Operation.LOOK_UP,
    Operation.UPLOAD,
    Operation.UPDATE,
    Operation.LIST_RUNS,
    Operation.DELETE,
    Operation.DELETE_CODE,
    Operation.READ_SOURCES,
    Operation.LIST_SHAPES,
)
_COMMON = (
    DoJob.UPLOAD,
    DoJob.RENAME,
    DoJob.CHANGE_CODE,
    DoJob.REVERT_CODE,
    DoJob.DOWNGRADE_SPARK,
    DoJob.REQUEST,
    DoJob.LAUNCH,
    DoJob.END_RUN,
    DoJob.DELETE,
    DoJob.CLEAR,
    DoJob.LOSE_WRITE_ANSWER,
)
_LIVING = st.sampled_from([3.0, 1.0, 10.0, 60.0, 181.0, 601.0]).map(Live)
_SLEEPING = st.sampled_from([1.0, 60.0, 200.0, 1000.0, 23.5 * 3600, 25.0 * 3600]).map(Sleep)
_BEYOND = (
    Strike(Operation.DELETE_CODE, Mishap.LATE),
    Outage(Operation.DELETE_CODE, Mishap.LATE),
)
"""Code that has come back would be deleted by a request that timed out before: nobody can tell that it is under way."""

_TROUBLE = st.one_of(
    st.builds(Strike, st.sampled_from(JOB_CALLS), st.sampled_from(Mishap)),
    st.builds(Strike, st.just(Operation.CREATE), st.sampled_from(Mishap)),
    st.builds(Outage, st.sampled_from(JOB_CALLS), st.sampled_from(Mishap)),
).filter(lambda trouble: trouble not in _BEYOND)
_COMMANDS: st.SearchStrategy[JobCommand] = st.one_of(
    _LIVING,
    st.integers(1, 8).map(Steps),
    st.sampled_from([0.0, 300.0, -300.0]).map(Crash),
    st.sampled_from([60.0, -60.0, 3600.0, -3600.0]).map(Jump),
    st.sampled_from("ab").map(Variables),
    _LIVING,
    _SLEEPING,
    _TROUBLE,
    st.sampled_from(_COMMON),
    st.sampled_from(DoJob),
)


def job_histories() -> st.SearchStrategy[list[JobCommand]]:
    """Return histories of up to some thirty commands; the shorter, the simpler. Some begin with days without answer."""
    plain = st.sampled_from([0, 8, 20]).flatmap(
        lambda least: st.lists(_COMMANDS, min_size=least, max_size=least + 10)
    )
    return st.one_of(plain, plain, st.builds(_after_days, unanswered_for_days(), plain))


def _after_days(outage: Sequence[OutageCommand], history: list[JobCommand]) -> list[JobCommand]:
    return [*outage, *history]


def job_circumstances(
    *, spark: bool = False, remote: bool = False
) -> st.SearchStrategy[JobCircumstances]:
    """Return circumstances of a job on one of the services, plain ones first."""
    return st.builds(
        JobCircumstances,
        lag=st.sampled_from([0.0, 20.0, 100.0]),
        activation=st.sampled_from([0.0, 5.0, 90.0]),
        deletion=st.sampled_from([0.0, 5.0, 200.0]),
        records_hold=st.booleans(),
        history_limit=st.sampled_from([1, 0, 10]),
        retain=st.sampled_from([False, False, True]),
        spark=st.just(spark),
        remote=st.just(remote),
    )
