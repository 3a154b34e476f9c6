"""Statuses of what can't be read, and those that an API server refuses; and the Events of a change."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from ocijobs.api.identity import OCIIdentityStatus
from ocijobs.api.run.status import OCIJobRunStatus, RunLogs
from ocijobs.api.shared.conditions import ConditionType, find
from ocijobs.api.shared.metadata import IdentityReference
from ocijobs.api.shared.reasons import EventType, Reason
from ocijobs.reconcile.actions.calls import Caller
from ocijobs.reconcile.actions.jobs import CreateJob, DeleteJob, UpdateJob, UploadArtifact
from ocijobs.reconcile.actions.objects import CreateObject, CreateWorkload, EditObject
from ocijobs.reconcile.actions.runs import CancelRun, CreateRun
from ocijobs.reconcile.decision import transition_notes
from ocijobs.reconcile.failure import unreadable_status
from ocijobs.reconcile.standing import Headline, Standing, conditions
from ocijobs.reconcile.unwritten import (
    ENDS,
    ENDS_WITH_THE_OBJECT,
    Unwritten,
    allowed,
    reduced,
)
from ocijobs.settings import Settings
from ocijobs.testing import SETTLED


def unreadable(former: dict[str, Any], generation: int = 1) -> dict[str, Any] | None:
    """Return the status of an object that can't be read."""
    return unreadable_status(former, problem="spec: no", generation=generation, now=SETTLED)


@pytest.mark.parametrize("broken", [{}, {"conditions": [{"type": 3}]}])
def test_what_can_not_be_read_is_told_once_and_keeps_the_rest(broken: dict[str, Any]) -> None:
    told = unreadable({"jobRunId": "ocid1.x", **broken})
    assert told is not None
    assert (told["jobRunId"], told["observedGeneration"]) == ("ocid1.x", 1)
    ready = next(one for one in told["conditions"] if one["type"] == "Ready")
    assert ready["message"] == "the operator can't read this object: spec: no"
    assert unreadable(told) is None
    assert unreadable(told, generation=2) is not None


def less(status: Any, level: int, former: Any = None, now: datetime = SETTLED) -> Any:
    """Return what is written of a status that is refused."""
    return reduced(
        status,
        level,
        refused="422 Invalid",
        generation=1,
        former=former if former is not None else type(status)(),
        now=now,
    )


def test_what_people_would_only_read_is_left_out_where_a_status_is_refused() -> None:
    logs = RunLogs(log_id="ocid1.log.oc1..a", tail=("line",))
    told = shown(Reason.RUNNING)
    status = OCIJobRunStatus(
        logs=logs, results={"auc": "1"}, lifecycle_details="x", failed=2, conditions=told
    )
    first, second = less(status, 1), less(status, 2)
    refused = first.conditions[-1]
    assert (refused.type, refused.status) == ("StatusRefused", "True")
    assert "422 Invalid" in refused.message
    assert first == OCIJobRunStatus(
        logs=RunLogs(log_id="ocid1.log.oc1..a"),
        failed=2,
        results={"auc": "1"},
        conditions=(*told, refused),
    )
    assert second.results is None
    assert [one.reason for one in second.conditions[:-1]] == [one.reason for one in told]
    assert all(one.message != "why" for one in second.conditions)


def test_a_status_that_is_still_refused_is_the_same_one_later() -> None:
    status = OCIIdentityStatus(region="us-ashburn-1")
    first = less(status, 1)
    assert first.region == status.region
    assert less(status, 1, first, SETTLED + timedelta(hours=1)) == first


def test_a_refused_status_is_tried_again_less_and_less_often() -> None:
    status, settings = OCIIdentityStatus(), Settings()
    pauses = []
    for tries in range(1, 9):
        unwritten = Unwritten(
            status=status,
            stored=status,
            level=1,
            refused="",
            generation=1,
            tries=tries,
            at=SETTLED,
        )
        pauses.append((unwritten.retry_at("uid", settings) - SETTLED).total_seconds())
    least, most = settings.refusal_retry_min_seconds, settings.refusal_retry_max_seconds
    assert least * 0.8 <= pauses[0] <= least
    assert pauses[:3] == sorted(pauses[:3])
    assert all(most * 0.8 <= pause <= most for pause in pauses[4:])


CALLER = Caller(identity=IdentityReference(name="default"), region="us-ashburn-1")
CANCEL = CancelRun(caller=CALLER, run_id="ocid1.x", epoch="")
DELETE_JOB = DeleteJob(caller=CALLER, job_id="ocid1.y", epoch="")
BEGINS = {CreateRun, CreateJob, UpdateJob, UploadArtifact, CreateObject, EditObject, CreateWorkload}


def test_where_nothing_can_be_written_what_exists_is_ended_and_nothing_is_begun() -> None:
    begin = CreateObject(document={}, name="run")
    assert allowed((begin, CANCEL, DELETE_JOB), deleting=False) == (CANCEL,)
    assert allowed((begin, CANCEL, DELETE_JOB), deleting=True) == (CANCEL, DELETE_JOB)
    assert not BEGINS & {*ENDS, *ENDS_WITH_THE_OBJECT}


def shown(reason: Reason, standing: Standing = Standing.PROGRESSING) -> Any:
    """Return conditions that give that reason."""
    headline = Headline(standing=standing, reason=reason, message="why")
    return conditions((), headline, generation=1, now=SETTLED)


@pytest.mark.parametrize(
    ("before", "after", "kinds"),
    [
        ((), shown(Reason.RUNNING), [EventType.NORMAL]),
        (shown(Reason.RUNNING), shown(Reason.THROTTLED), [EventType.WARNING]),
        (shown(Reason.RUNNING), shown(Reason.RUNNING), []),
        (shown(Reason.RUNNING), shown(Reason.SUBMITTING), []),
        (shown(Reason.RUNNING), (), []),
    ],
)
def test_an_event_tells_a_change_of_reason_and_no_repetition(
    before: Any, after: Any, kinds: list[EventType]
) -> None:
    notes = transition_notes(before, after)
    assert [note.type for note in notes] == kinds
    if kinds:
        ready = find(after, ConditionType.READY)
        assert ready is not None
        assert (notes[0].reason, notes[0].message) == (ready.reason, "why")
