"""Recorded runs are gone on with: what has ended costs nothing, what runs is followed, and nothing is created twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from tests.support.recorded import Record, records
from tests.unit.recorded.served_runs import RecordedRun

from ocijobs.api.run.phase import Phase
from ocijobs.reconcile.actions.runs import SearchRuns
from ocijobs.reconcile.run.intent import run_token

RUNS = records("OCIJobRun")
ENDED = [run for run in RUNS if run.phase in {"Succeeded", "Failed", "Cancelled"}]
LIVE = [run for run in RUNS if run.status.get("jobRunId") and run not in ENDED]
TOKEN_LIFETIME = timedelta(hours=24)


def is_open(run: Record) -> bool:
    """Whether a run has the intent to create, and not what it made."""
    return run not in ENDED and "submit" in run.status and not run.status.get("jobRunId")


def is_leaving(run: Record) -> bool:
    """Whether nothing is to be created any more."""
    return (
        bool(run.document["spec"].get("cancel")) or "deletionTimestamp" in run.document["metadata"]
    )


OPEN = [run for run in RUNS if is_open(run) and not is_leaving(run)]
WAITING = [run for run in RUNS if run not in [*ENDED, *LIVE, *OPEN]]

LAUNCHED = [run for run in RUNS if "submit" in run.status and "adopt" not in run.document["spec"]]
"""Runs that have the intent by which they were created, even when that was long ago."""


def is_young(run: Record) -> bool:
    """Whether OCI surely knows the token of the intent."""
    created = datetime.fromisoformat(run.document["metadata"]["creationTimestamp"])
    return run.written_at - created < TOKEN_LIFETIME


def owner_tag(run: Record) -> str:
    """Return the tag of the run that the intent makes, which a later version has to find."""
    return f"{run.status['owner']}/{run.status['submit']['attempt']}"


@pytest.mark.parametrize("record", ENDED, ids=str)
def test_what_has_ended_causes_no_call_and_no_write(record: Record) -> None:
    run = RecordedRun(record)
    run.world.weather.advance(3600)
    for _ in range(3):
        run.live(60)
    assert run.laws.calls == []
    assert (run.world.api.status_writes, run.world.api.finalizer_writes) == (0, 0)


@pytest.mark.parametrize("record", LIVE, ids=str)
def test_what_runs_is_followed_to_its_end_and_not_created_again(record: Record) -> None:
    run = RecordedRun(record)
    run.go_on()
    phase = run.world.api.present.status.phase
    assert phase is not None
    assert phase.terminal or phase is Phase.SUSPENDED
    assert run.laws.creations == []
    run.rest()


@pytest.mark.parametrize("record", OPEN, ids=str)
def test_an_intent_is_resumed_with_its_own_token(record: Record) -> None:
    run = RecordedRun(record)
    run.go_on()
    token = record.status["submit"]["token"]
    (creation,) = run.laws.creations
    if is_young(record):
        assert creation.token == token
        assert not any(isinstance(action, SearchRuns) for action in run.laws.calls)
    else:
        assert creation.token != token
    assert creation.request.tags.freeform["ocijobs_owner"] == owner_tag(record)
    assert run.world.api.present.status.phase is Phase.SUCCEEDED
    run.rest()


@pytest.mark.parametrize("record", OPEN, ids=str)
def test_what_an_intent_has_made_is_found(record: Record) -> None:
    first = RecordedRun(record)
    first.go_on()
    run = RecordedRun(record)
    sent = replace(first.laws.creations[0], token=record.status["submit"]["token"])
    made = run.let_arrive(sent, owner_tag(record))
    run.go_on()
    assert run.world.api.present.status.job_run_id == made
    assert len(run.world.oci.runs) == len(record.status.get("attempts", ())) + 1
    run.rest()


@pytest.mark.parametrize("record", WAITING, ids=str)
def test_what_waits_is_launched_once(record: Record) -> None:
    run = RecordedRun(record)
    run.go_on()
    wanted = 0 if is_leaving(record) else 1
    assert len({creation.token for creation in run.laws.creations}) == wanted
    assert len(run.world.oci.runs) == len(record.status.get("attempts", ())) + wanted
    phase = run.world.api.present.status.phase
    assert phase is not None
    assert phase.terminal
    run.rest()


@pytest.mark.parametrize("record", LAUNCHED, ids=str)
def test_the_token_of_an_attempt_is_what_it_was(record: Record) -> None:
    submit = record.status["submit"]
    uid = record.document["metadata"]["uid"]
    number, job, incarnation = submit["attempt"], submit["jobId"], submit.get("incarnation", 0)
    assert run_token(uid, number, job, incarnation) == submit["token"]


def test_every_run_that_was_recorded_is_gone_on_with() -> None:
    assert {*map(str, RUNS)} == {*map(str, [*ENDED, *LIVE, *OPEN, *WAITING])}
