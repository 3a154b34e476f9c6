"""Statuses of what can't be read, and those that an API server refuses; and the Events of a change."""

from __future__ import annotations

from typing import Any

import pytest

from ocijobs.api.conditions import ConditionType, find
from ocijobs.api.identity import OCIIdentityStatus
from ocijobs.api.job_run_status import OCIJobRunStatus, RunLogs
from ocijobs.api.reasons import Reason
from ocijobs.reconcile.decision import NoteType
from ocijobs.reconcile.essentials import essential_status
from ocijobs.reconcile.standing import Headline, Standing, conditions
from ocijobs.reconcile.transitions import transition_notes
from ocijobs.reconcile.unreadable import unreadable_status
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


def test_what_people_would_only_read_is_left_out_where_a_status_is_refused() -> None:
    logs = RunLogs(log_id="ocid1.log.oc1..a", tail=("line",))
    status = OCIJobRunStatus(logs=logs, results={"auc": "1"}, lifecycle_details="x", failed=2)
    kept = essential_status(status)
    assert kept == OCIJobRunStatus(logs=RunLogs(log_id="ocid1.log.oc1..a"), failed=2)
    assert essential_status(OCIJobRunStatus()) == OCIJobRunStatus()
    other = OCIIdentityStatus(region="us-ashburn-1")
    assert essential_status(other) is other


def shown(reason: Reason, standing: Standing = Standing.PROGRESSING) -> Any:
    """Return conditions that give that reason."""
    headline = Headline(standing=standing, reason=reason, message="why")
    return conditions((), headline, generation=1, now=SETTLED)


@pytest.mark.parametrize(
    ("before", "after", "kinds"),
    [
        ((), shown(Reason.RUNNING), [NoteType.NORMAL]),
        (shown(Reason.RUNNING), shown(Reason.THROTTLED), [NoteType.WARNING]),
        (shown(Reason.RUNNING), shown(Reason.RUNNING), []),
        (shown(Reason.RUNNING), shown(Reason.SUBMITTING), []),
        (shown(Reason.RUNNING), (), []),
    ],
)
def test_an_event_tells_a_change_of_reason_and_no_repetition(
    before: Any, after: Any, kinds: list[NoteType]
) -> None:
    notes = transition_notes(before, after)
    assert [note.type for note in notes] == kinds
    if kinds:
        ready = find(after, ConditionType.READY)
        assert ready is not None
        assert (notes[0].reason, notes[0].message) == (ready.reason, "why")
