"""What is known of OCI, as data: records of jobs and runs, and refusals of calls.

States are those of the Data Science API (`JobRun.lifecycleState`, `Job.lifecycleState`) and of the Data Flow API
(`Run.lifecycleState`, `Application.lifecycleState`). An SDK may answer with a
state that it does not know, which is UNKNOWN here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from ocijobs.api.run.observed import NodeGroupState


class RunState(StrEnum):
    """lifecycleState of a run: NEEDS_ATTENTION and DELETED are Data Science's, STOPPING and STOPPED Data Flow's."""

    ACCEPTED = "ACCEPTED"
    IN_PROGRESS = "IN_PROGRESS"
    NEEDS_ATTENTION = "NEEDS_ATTENTION"
    CANCELING = "CANCELING"
    STOPPING = "STOPPING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"
    STOPPED = "STOPPED"
    DELETED = "DELETED"
    UNKNOWN = "UNKNOWN_ENUM_VALUE"

    @property
    def rank(self) -> int:
        """Position in the lifecycle; an observation of a lower rank is an older one."""
        return _RANKS[self]

    @property
    def active(self) -> bool:
        """Whether a run in this state has not ended."""
        return self in ACTIVE_RUN_STATES

    @property
    def ended(self) -> bool:
        """Whether the state is one of those that OCI ends a run in."""
        return self in _ENDED

    @property
    def cancellable(self) -> bool:
        """Whether OCI takes a cancellation in this state."""
        return self in {RunState.ACCEPTED, RunState.IN_PROGRESS, RunState.NEEDS_ATTENTION}


def run_state_named(text: str | None) -> RunState:
    """Return the state of that name; UNKNOWN for none, and for one that another version of the operator wrote."""
    try:
        return RunState(text or "")
    except ValueError:
        return RunState.UNKNOWN


ACTIVE_RUN_STATES: tuple[RunState, ...] = (
    RunState.ACCEPTED,
    RunState.IN_PROGRESS,
    RunState.NEEDS_ATTENTION,
    RunState.CANCELING,
    RunState.STOPPING,
)
"""Active states in the order of the lifecycle: listed in this order, a run that moves on is not missed."""

_ENDED = frozenset({RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELED, RunState.STOPPED})

_RANKS = {
    RunState.UNKNOWN: -1,
    RunState.ACCEPTED: 0,
    RunState.IN_PROGRESS: 1,
    RunState.NEEDS_ATTENTION: 1,
    RunState.CANCELING: 2,
    RunState.STOPPING: 2,
    RunState.SUCCEEDED: 3,
    RunState.FAILED: 3,
    RunState.CANCELED: 3,
    RunState.STOPPED: 3,
    RunState.DELETED: 4,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LogAddress:
    """A log in OCI Logging."""

    log_group_id: str
    log_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTotals:
    """What Data Flow counts of a run."""

    ocpus: int | None = None
    read_bytes: int | None = None
    written_bytes: int | None = None
    milliseconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """A run as OCI tells it.

    `complete` is true of an answer to create or get; a list's summary lacks the log. Data Flow has no time of the
    start: `started_at` and `finished_at` are told of its runs as far as they follow from what it has.
    """

    id: str
    job_id: str
    compartment_id: str
    state: RunState
    details: str = ""
    accepted_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    log: LogAddress | None = None
    owner: str | None = None
    commit: str | None = None
    node_groups: tuple[NodeGroupState, ...] = ()
    totals: RunTotals | None = None
    complete: bool = False

    def superseded_by(self, other: RunRecord) -> bool:
        """Whether `other`, seen later, tells more: lists lag, so what is older never replaces what is newer."""
        if other.state.rank != self.state.rank:
            return other.state.rank > self.state.rank
        if self.state.ended or self.state is RunState.DELETED:
            return other.complete and not self.complete and other.state is self.state
        return True


@dataclass(frozen=True, slots=True)
class Absent:
    """A get answered 404, and a list by id in the compartment was complete and empty.

    Once it proves little, since OCI answers 404 where a permission lacks and lists lag; twice, minutes apart, it
    proves that the resource is gone.
    """


class JobState(StrEnum):
    """lifecycleState of a job; INACTIVE is an application's."""

    CREATING = "CREATING"
    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"
    DELETING = "DELETING"
    FAILED = "FAILED"
    DELETED = "DELETED"
    UNKNOWN = "UNKNOWN_ENUM_VALUE"


class RefusalKind(StrEnum):
    """Why a call did not do what was asked, as far as it changes what to do next.

    MISSING is of an object in the cluster, or a key of it, that does not exist. Of sources are NO_ROOM (for what was
    built), DIED (the process that read it came to its end) and QUARANTINED (too often). INTERNAL is of an error in the
    operator that nobody foresaw. All others are OCI's.
    """

    CREDENTIALS = "credentials"
    NOT_AUTHORIZED_OR_NOT_FOUND = "not-authorized-or-not-found"
    INVALID = "invalid"
    QUOTA = "quota"
    CONFLICT = "conflict"
    TOKEN_SPENT = "token-spent"  # noqa: S105 - OCI's InvalidatedRetryToken: same token, another request
    THROTTLED = "throttled"
    UNAVAILABLE = "unavailable"
    MISSING = "missing"
    INTERNAL = "internal"
    NO_ROOM = "no-room"
    DIED = "died"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A call that failed, in words that may be shown: no secrets, nothing that changes at each repetition.

    Attributes:
        kind: what it means for what is done next.
        message: what OCI said.
        until: before when OCI does not want to be asked again; the same refusal at another time is the same.
    """

    kind: RefusalKind
    message: str
    until: datetime | None = field(default=None, compare=False)

    @property
    def outcome_unknown(self) -> bool:
        """Whether the call may have been carried out all the same (time-out, dropped answer, 5xx, an error of ours)."""
        return self.kind in {RefusalKind.UNAVAILABLE, RefusalKind.INTERNAL}


def internal_refusal(doing: str, error: str) -> Refusal:
    """Return what is learnt of work that failed for a reason that nobody foresaw; `error` is its class."""
    return Refusal(
        kind=RefusalKind.INTERNAL,
        message=f"{doing}: {error}, an error that the operator did not foresee; its log has the rest",
    )
