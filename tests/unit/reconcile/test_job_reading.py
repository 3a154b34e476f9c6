"""Remote sources: asked for their version, recorded before they are read, and set aside when nobody comes back."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from tests.unit.reconcile.simulation.commands import Crash, Live
from tests.unit.reconcile.simulation.job_history import DoJob
from tests.unit.reconcile.simulation.job_scenario import JobScenario
from tests.unit.reconcile.simulation.job_world import JobCircumstances

from ocijobs.api.job.status import OCIJobStatus
from ocijobs.api.shared.conditions import ConditionType, find, is_true
from ocijobs.api.shared.names import ANNOTATION_REQUESTED_AT
from ocijobs.api.shared.reasons import Reason
from ocijobs.backends.records import Refusal, RefusalKind
from ocijobs.reconcile.actions.jobs import ReadSources
from ocijobs.reconcile.decision import Decision
from ocijobs.reconcile.job.decide import decide_job
from ocijobs.reconcile.job.observation import JobObservation, Turn
from ocijobs.reconcile.job.status import write_blocked
from ocijobs.reconcile.known.job import JobKnown
from ocijobs.reconcile.known.sources import SourceNamed
from ocijobs.testing import SETTLED, make_job, make_job_observation, make_sources

REMOTE = {"script": {"source": {"git_repository": {"url": "https://git.example/code.git"}}}}
DIED = Refusal(kind=RefusalKind.DIED, message="it needs more than 120 s of processor time")
UNAVAILABLE = Refusal(kind=RefusalKind.UNAVAILABLE, message="timed out")
HOUR = timedelta(hours=1)


def fresh() -> JobObservation:
    return make_job_observation(known=JobKnown(), job=make_job(runtime=REMOTE))


def action_of(decision: Decision[OCIJobStatus]) -> ReadSources:
    (action,) = decision.actions
    assert isinstance(action, ReadSources)
    assert decision.reads
    return action


def named(o: JobObservation, version: str = "c1", at: datetime = SETTLED) -> JobObservation:
    """Let the source tell its version."""
    answer = SourceNamed(
        checked_at=at,
        generation=o.job.metadata.generation,
        requested=o.job.metadata.annotations.get(ANNOTATION_REQUESTED_AT, ""),
        version=version,
    )
    return replace(o, known=o.known.sources_answered(answer, at=at, epoch=o.epoch))


def written(o: JobObservation, decision: Decision[OCIJobStatus]) -> JobObservation:
    """Let the API server have the status, and this process know what it has written."""
    known, record = o.known, decision.status.reading
    if record is not None and record != o.job.status.reading:
        known = known.attempted(record)
    stored = OCIJobStatus.model_validate(decision.status.document())
    return replace(o, known=known, job=o.job.model_copy(update={"status": stored}))


def answered(o: JobObservation, answer: Refusal, at: datetime) -> JobObservation:
    return replace(o, known=o.known.sources_answered(answer, at=at, epoch=o.epoch))


def restarted(o: JobObservation) -> JobObservation:
    """Let another process come, which has only the status."""
    return replace(o, known=JobKnown())


def begun(o: JobObservation, now: datetime, version: str = "c1") -> JobObservation:
    """Let the source tell its version and the attempt be recorded."""
    o = named(o, version, at=now)
    return written(o, decide_job(o, now))


def attempts(o: JobObservation) -> int:
    record = o.job.status.reading
    return record.attempts if record is not None else 0


def twice_dead() -> tuple[JobObservation, datetime]:
    """Return a job whose source two processes have not come back from, and when that is."""
    o, now = fresh(), SETTLED
    for _ in range(2):
        now += timedelta(minutes=6)
        o = answered(begun(o, now), DIED, now)
        o = written(o, decide_job(o, now))
    return o, now


def test_a_source_is_asked_first_and_read_when_the_attempt_is_in_status() -> None:
    o = fresh()
    assert action_of(decide_job(o, SETTLED)).version is None
    o = named(o)
    recording = decide_job(o, SETTLED)
    assert (recording.actions, recording.reads) == ((), True)
    ready = find(recording.status.conditions, ConditionType.READY)
    assert ready is not None
    assert (ready.reason, ready.message) == (
        Reason.READING_SOURCE,
        "reading the source at version c1",
    )
    o = written(o, recording)
    assert action_of(decide_job(o, SETTLED)).version == "c1"
    # What came of it is written without the record: it costs no write of its own.
    read = make_sources(version="c1")
    o = replace(o, known=o.known.sources_answered(read, at=SETTLED, epoch=o.epoch))
    assert not decide_job(o, SETTLED).reads
    assert write_blocked(o, SETTLED, Reason.HELD, "held")[0].reading is None


def test_nothing_is_asked_or_recorded_before_it_is_the_job_s_turn() -> None:
    for o in (fresh(), named(fresh())):
        decision = decide_job(replace(o, turn=Turn.NONE), SETTLED)
        assert (decision.actions, decision.reads, decision.status) == ((), True, o.job.status)
        waiting = decide_job(replace(o, turn=Turn.WAITING), SETTLED)
        assert (waiting.actions, waiting.reads, waiting.status.reading) == ((), True, None)
        ready = find(waiting.status.conditions, ConditionType.READY)
        assert ready is not None
        assert ready.message.startswith("waits until other sources are read: 2 are at a time")


def test_a_record_of_another_process_counts_as_an_end() -> None:
    o = begun(fresh(), SETTLED)
    assert attempts(o) == 1
    o = begun(restarted(o), SETTLED)
    assert attempts(o) == 2
    o = named(restarted(o))
    decision = decide_job(o, SETTLED)
    assert decision.actions == ()
    ready = find(decision.status.conditions, ConditionType.READY)
    assert ready is not None
    assert ready.reason == Reason.SOURCE_QUARANTINED
    assert ready.message.startswith("the operator ended while it was read. That was attempt 2")
    assert is_true(decision.status.conditions, ConditionType.STALLED)


def test_what_two_processes_died_of_is_told_and_tried_again_after_an_hour() -> None:
    o, now = twice_dead()
    ready = find(o.job.status.conditions, ConditionType.READY)
    assert ready is not None
    assert (ready.reason, ready.status) == (Reason.SOURCE_QUARANTINED, "False")
    assert ready.message.startswith(f"{DIED.message}. That was attempt 2 at version c1")
    # A restart changes nothing of it: the status is what is known.
    again = decide_job(named(restarted(o), at=now), now)
    assert again.status == o.job.status
    started = o.job.status.reading.started_at if o.job.status.reading is not None else now
    later = started + HOUR
    tried = decide_job(named(o, at=later), later)
    assert tried.status.reading is not None
    assert tried.status.reading.attempts == 3


@pytest.mark.parametrize("version", ["c1", "c2"])
def test_a_source_that_is_set_aside_is_asked_for_its_version_all_the_same(version: str) -> None:
    o, now = twice_dead()
    later = now + timedelta(minutes=11)
    assert action_of(decide_job(o, later)).version is None
    decision = decide_job(named(o, version, at=later), later)
    assert decision.status.reading is not None
    assert (decision.status.reading.version, decision.reads) == (version, version == "c2")


def test_whoever_asks_for_it_has_it_read_at_once() -> None:
    o, now = twice_dead()
    metadata = o.job.metadata
    asked = metadata.model_copy(update={"annotations": {ANNOTATION_REQUESTED_AT: "now"}})
    asking = replace(o, job=o.job.model_copy(update={"metadata": asked}))
    assert action_of(decide_job(asking, now)).version is None
    recorded = decide_job(named(asking, at=now), now)
    assert recorded.status.reading is not None
    assert (recorded.status.reading.attempts, recorded.reads) == (1, True)
    edited = metadata.model_copy(update={"generation": metadata.generation + 1})
    other = replace(o, job=o.job.model_copy(update={"metadata": edited}))
    assert action_of(decide_job(other, now)).version is None


def test_an_outage_writes_no_record_anew_and_a_restart_in_it_counts_for_little() -> None:
    o, now, records = begun(fresh(), SETTLED), SETTLED, set()
    for _ in range(5):
        o = answered(o, UNAVAILABLE, now)
        o = written(o, decide_job(o, now))
        now += timedelta(minutes=2)
        o = begun(o, now)
        records.add(o.job.status.reading)
        assert action_of(decide_job(o, now)).version == "c1"
    assert len(records) == 1
    # Another process takes it for an end, until it has come back itself.
    o = answered(begun(restarted(o), now), UNAVAILABLE, now + timedelta(seconds=1))
    assert attempts(o) == 2
    assert attempts(written(o, decide_job(o, now + timedelta(seconds=1)))) == 1


def test_what_is_wrong_with_a_version_is_not_read_again_to_find_it_wrong() -> None:
    wrong = make_sources(version="c1", invalid="no file is Python", digest="", sha256="")
    o = make_job_observation(known=JobKnown(sources=wrong), job=make_job(runtime=REMOTE))
    later = SETTLED + timedelta(minutes=2)
    assert action_of(decide_job(o, later)).version is None
    o = named(o, at=later)
    decision = decide_job(o, later)
    assert (decision.actions, decision.reads) == ((), False)
    ready = find(decision.status.conditions, ConditionType.READY)
    assert ready is not None
    assert (ready.reason, ready.message) == (Reason.INVALID_SPEC, "no file is Python")
    again = later + timedelta(minutes=2)
    other = named(o, "c2", at=again)
    recorded = decide_job(other, again).status.reading
    assert recorded is not None
    assert recorded.version == "c2"


def test_poison_is_tried_twice_and_then_once_an_hour() -> None:
    scenario = JobScenario(JobCircumstances(remote=True))
    scenario.world.code_poison = True
    seen = set()
    for _ in range(80):
        scenario.play([Live(60.0)])
        job = scenario.world.api.present
        if job.status.reading is not None:
            seen.add((job.status.reading.attempts, job.status.reading.started_at))
    assert 3 <= len(seen) <= 4, sorted(seen)
    scenario.play([Crash(0.0), Live(60.0), DoJob.RESTORE_CODE, DoJob.REQUEST])
    scenario.finish()
