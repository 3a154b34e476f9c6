"""A status that the API server refuses: what of it is written instead, and what may be done meanwhile.

It may be too large, not as the definition has it, or against an admission policy. Then it is written without what
people would only read, and says so; the whole one is tried again after pauses that grow. Decisions go on from the whole
one, so nothing that was learnt is lost while this process lives.

Where nothing of it can be written, what exists is still followed and ended. Nothing is begun: an intent that is in
no status is one that nobody would find again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from ocijobs.api.identity import OCIIdentityStatus
from ocijobs.api.job.status import OCIJobStatus
from ocijobs.api.run.status import OCIJobRunStatus
from ocijobs.api.schedule import OCIJobScheduleStatus
from ocijobs.api.shared.conditions import Condition, ConditionStatus, ConditionType, find
from ocijobs.api.shared.reasons import Reason
from ocijobs.api.status_changes import JobRunStatusChanges
from ocijobs.api.sweep.status import OCIJobSweepStatus
from ocijobs.reconcile.actions.action import Action
from ocijobs.reconcile.actions.identities import ReadCredentials, VerifyCredentials
from ocijobs.reconcile.actions.jobs import (
    DeleteCode,
    DeleteJob,
    ListActiveRuns,
    LookUpJob,
    SearchJobs,
)
from ocijobs.reconcile.actions.objects import (
    DeleteOwned,
    DeleteWorkload,
    FinishWorkload,
    PatchWorkload,
    RemoveFinalizer,
)
from ocijobs.reconcile.actions.runs import (
    CancelRun,
    DeleteRun,
    ListOutputs,
    LookUpRun,
    ReadResults,
    ReadRunLogs,
    ReadUtilisation,
    ReadValues,
    SearchLogs,
    SearchRuns,
)
from ocijobs.reconcile.backoff import fraction
from ocijobs.settings import Settings

StatusT = TypeVar(
    "StatusT",
    OCIJobRunStatus,
    OCIJobStatus,
    OCIJobSweepStatus,
    OCIJobScheduleStatus,
    OCIIdentityStatus,
)

WHOLE = 0
NOTHING = 3
"""What is left out of a status: of 0 nothing, of 1 and 2 what `reduced` says, and 3 is that nothing is written."""

ENDS = (
    RemoveFinalizer,
    ReadCredentials,
    VerifyCredentials,
    ReadValues,
    SearchJobs,
    LookUpJob,
    ListActiveRuns,
    SearchRuns,
    LookUpRun,
    CancelRun,
    DeleteRun,
    ReadResults,
    ListOutputs,
    SearchLogs,
    ReadRunLogs,
    ReadUtilisation,
    DeleteOwned,
    FinishWorkload,
    PatchWorkload,
    DeleteWorkload,
)
"""What looks, and what ends something that exists."""

ENDS_WITH_THE_OBJECT = (DeleteJob, DeleteCode)
"""Of an object that stays, a job would have to be marked in status before it is deleted in OCI."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unwritten(Generic[StatusT]):
    """A status that the API server has not taken as a whole.

    Attributes:
        status: the whole one.
        stored: what the API server has instead; another one means that somebody else has written.
        level: what was left out of it.
        refused: what the API server said of the whole one, as status code and reason.
        generation: of the object's spec, when the whole one was tried.
        tries: how often in a row the whole one was refused.
        at: when it was tried last.
    """

    status: StatusT
    stored: StatusT
    level: int
    refused: str
    generation: int
    tries: int
    at: datetime

    def retry_at(self, seed: str, settings: Settings) -> datetime:
        """Return when the whole status is tried again."""
        least, most = settings.refusal_retry_min_seconds, settings.refusal_retry_max_seconds
        pause = min(most, least * 2 ** min(self.tries - 1, 16))
        return self.at + timedelta(seconds=pause * (0.8 + 0.2 * fraction(seed, self.tries)))


def allowed(actions: tuple[Action, ...], *, deleting: bool) -> tuple[Action, ...]:
    """Return what may be done about an object of whose status nothing can be written."""
    ends = (*ENDS, *ENDS_WITH_THE_OBJECT) if deleting else ENDS
    return tuple(action for action in actions if isinstance(action, ends))


def reduced(
    status: StatusT, level: int, *, refused: str, generation: int, former: StatusT, now: datetime
) -> StatusT:
    """Return a status with less in it, and with the condition StatusRefused.

    Args:
        status: the whole one.
        level: 1 leaves out what people only read; 2 also results, and what conditions say in words.
        refused: what the API server said of the whole one.
        generation: of the object's spec.
        former: what the API server has.
        now: when it is.
    """
    said: tuple[Condition, ...] = status.conditions
    if level > 1:
        said = tuple(one.model_copy(update={"message": _UNSAID}) for one in said)
    less = status.changed(conditions=(*said, _condition(refused, generation, former, now)))
    if not isinstance(less, OCIJobRunStatus):
        return less
    less = less.changed(**_unread(less))
    return less.changed(results=None) if level > 1 else less


_UNSAID = "the API server refuses the status that says so in words"


def _unread(status: OCIJobRunStatus) -> JobRunStatusChanges:
    """Return what is left out of a run's status without harm to anything but reading."""
    logs = status.logs.model_copy(update={"tail": None}) if status.logs is not None else None
    attempts = tuple(one.model_copy(update={"message": None}) for one in status.attempts)
    groups = tuple(one.model_copy(update={"lifecycle_details": None}) for one in status.node_groups)
    return {
        "logs": logs,
        "attempts": attempts,
        "node_groups": groups,
        "outputs": None,
        "lifecycle_details": None,
        "metrics": None,
    }


def _condition(
    refused: str,
    generation: int,
    former: StatusT,
    now: datetime,
) -> Condition:
    before = find(former.conditions, ConditionType.STATUS_REFUSED)
    return Condition(
        type=ConditionType.STATUS_REFUSED,
        status=ConditionStatus.TRUE,
        reason=Reason.STATUS_REFUSED,
        message=f"the API server refuses the whole status ({refused}): what people only read is left out",
        observed_generation=generation,
        last_transition_time=before.last_transition_time if before is not None else now,
    )
