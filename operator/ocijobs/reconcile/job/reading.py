"""When a job's sources are read, and what is set aside because no process came back from reading it.

What is in the manifest or in a ConfigMap is read at once: it is small, since the API server holds no more than 1 MiB,
and it has passed through the operator already. A remote source is asked for its version first. When that is another one
than the current revision's, the attempt is recorded in status before it begins; so that whoever finds a record which is
not its own knows that a process ended meanwhile. After two such ends the version is *quarantined*: tried again rarely,
and at once when it, the spec, or the annotation that asks for it changes.

A record stays while the source can't be reached, since the next attempt needs it again. So an outage costs no writes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ocijobs.api.job.status import SourceAttempt
from ocijobs.api.shared.conditions import ConditionType, is_true
from ocijobs.api.shared.names import ANNOTATION_REQUESTED_AT
from ocijobs.api.shared.reasons import Reason
from ocijobs.backends.records import Refusal, RefusalKind
from ocijobs.reconcile.actions.calls import Call, Operation
from ocijobs.reconcile.actions.jobs import ReadSources, ServedSource
from ocijobs.reconcile.backoff import LONG_PAUSE_SECONDS, due_at
from ocijobs.reconcile.blocking import earliest
from ocijobs.reconcile.job.observation import JobObservation, Turn
from ocijobs.reconcile.known.sources import SourceNamed, SourcesRead, same_attempt

_SHORTEST_PAUSE_SECONDS = 2.0
"""Shortest pause before sources that lack something are read again."""

_REASONS = {
    RefusalKind.INTERNAL: Reason.INTERNAL_ERROR,
    RefusalKind.NO_ROOM: Reason.STAGING_FULL,
    RefusalKind.QUARANTINED: Reason.SOURCE_QUARANTINED,
}

_DEATHS = 2
"""After how many attempts that nobody came back from a source is set aside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What is to be done about the sources, at most one of the first three; and if nothing, until when.

    Attributes:
        action: they are to be read, or asked for their version.
        attempt: this is to be recorded before they are read.
        waits: they are to be read when it is the job's turn.
        due_at: when there is something to do.
    """

    action: ReadSources | None = None
    attempt: SourceAttempt | None = None
    waits: bool = False
    due_at: datetime | None = None


def reading(o: JobObservation, now: datetime) -> Reading:
    """Return whether the sources are to be read now: after an edit, on request, before a launch, and at intervals."""
    due = _due(o, now)
    if due.action is None or not o.job.spec.reads_remotely:
        return due
    return _remotely(o, due.action, now)


def _due(o: JobObservation, now: datetime) -> Reading:
    sources, meta = o.known.sources, o.job.metadata
    caller = o.identity.launcher(o.job.status.region)
    if caller is None:
        return Reading()  # Nothing can be made of them before the identity is there.
    action = ReadSources(spec=o.job.spec, caller=caller, served=_served(o), epoch=o.epoch)
    call = o.known.calls.get(Operation.READ_SOURCES)
    retry_at = due_at(call, epoch=o.epoch, seed=meta.uid, settings=o.settings)
    if retry_at is not None and now < retry_at and not _asked_anew(o):
        return Reading(due_at=retry_at)
    if sources is None or sources.generation != meta.generation:
        return Reading(action=action)
    if sources.requested != _requested(o):
        return Reading(action=action)
    if o.refresh_after is not None and sources.checked_at < o.refresh_after:
        # It is past where the run asked, and may not be here: clocks are set back.
        early = now < o.refresh_after
        return Reading(due_at=o.refresh_after) if early else Reading(action=action)
    interval = o.settings.source_interval_seconds
    if sources.missing is not None or sources.invalid is not None:
        interval = _pause_while_broken(o, sources)
    due = sources.checked_at + timedelta(seconds=interval)
    return Reading(action=action) if now >= due else Reading(due_at=due)


def _remotely(o: JobObservation, ask: ReadSources, now: datetime) -> Reading:
    """Return the next step of a reading that is due: ask for the version, record the attempt, read."""
    named, known = _named(o), o.known.attempt
    step = Reading(action=ask)
    if named is not None:
        record = o.job.status.reading
        ours = known is not None and known.open and same_attempt(record, known.record)
        if ours and record is not None and _is_of(o, record, named):
            step = Reading(action=replace(ask, version=named.version))
        elif (until := _quarantined_until(o, now)) is None:
            step = Reading(attempt=_next_attempt(o, named, now))
        elif (again := _asked_again_at(o, named)) > now:
            return Reading(due_at=earliest(until, again))
    if o.turn is not Turn.GRANTED:
        return Reading(waits=True)
    return step


def _named(o: JobObservation) -> SourceNamed | None:
    """Return the version that the source was last found to be at, if it is to be read."""
    named = o.known.named
    return named[1] if named is not None and named[0] == o.epoch else None


def _requested(o: JobObservation) -> str:
    return o.job.metadata.annotations.get(ANNOTATION_REQUESTED_AT, "")


def _request_digest(o: JobObservation) -> str | None:
    requested = _requested(o)
    return hashlib.sha256(requested.encode()).hexdigest() if requested else None


def _asked_anew(o: JobObservation) -> bool:
    """Whether somebody has asked for the source since it was last tried."""
    record = o.job.status.reading
    return record is not None and record.requested != _request_digest(o)


def _is_of(o: JobObservation, record: SourceAttempt, named: SourceNamed | None) -> bool:
    """Whether a record is of what would be read now."""
    return (
        record.generation == o.job.metadata.generation
        and record.requested == _request_digest(o)
        and (named is None or record.version == named.version)
    )


def _next_attempt(o: JobObservation, named: SourceNamed, now: datetime) -> SourceAttempt:
    former, known = kept_attempt(o), o.known.attempt
    failed = known is None or not same_attempt(former, known.record) or known.failure is not None
    count = former.attempts if former is not None and _is_of(o, former, named) and failed else 0
    return SourceAttempt(
        generation=o.job.metadata.generation,
        version=named.version,
        requested=_request_digest(o),
        # As the API server keeps it.
        started_at=now.replace(microsecond=0),
        attempts=count + 1,
    )


def _asked_again_at(o: JobObservation, named: SourceNamed) -> datetime:
    """Return when a source that is set aside is asked for its version again: it may have another one."""
    again = named.checked_at + timedelta(seconds=o.settings.source_interval_seconds)
    if o.refresh_after is not None and named.checked_at < o.refresh_after:
        return min(again, o.refresh_after)
    return again


def _came_back(o: JobObservation, record: SourceAttempt) -> bool:
    """Whether the process has come back this time, and has said why not."""
    call = o.known.calls.get(Operation.READ_SOURCES)
    return call is not None and call.refusal is not None and call.at > record.started_at


def kept_attempt(o: JobObservation) -> SourceAttempt | None:
    """Return the record that a status written now has."""
    record, known = o.job.status.reading, o.known.attempt
    if record is None or not _is_of(o, record, _named(o)):
        return None
    if known is None or not same_attempt(record, known.record):
        return record
    if known.ended:
        return None
    if known.failure is not None:
        return record.model_copy(update={"failure": known.failure[:1024]})
    if record.attempts > 1 and _came_back(o, record):
        return record.model_copy(update={"attempts": 1, "failure": None})
    return record


def _quarantined_until(o: JobObservation, now: datetime) -> datetime | None:
    """Return until when the source is set aside, if it is."""
    record, known = kept_attempt(o), o.known.attempt
    if record is None or record.attempts < _DEATHS:
        return None
    if known is not None and known.open and same_attempt(record, known.record):
        return None
    until = record.started_at + timedelta(seconds=o.settings.source_quarantine_seconds)
    return until if now < until else None


def unreachable(o: JobObservation, now: datetime) -> Call | None:
    """Return the last try to read a remote source, if it failed, or is not made because of former ones.

    What is in the cluster is always there in a moment, and is waited for: an edited ConfigMap must not be passed over.
    """
    if not o.job.spec.reads_remotely:
        return None
    if (until := _quarantined_until(o, now)) is not None:
        return _set_aside(o, until)
    call = o.known.calls.get(Operation.READ_SOURCES)
    failed = call is not None and call.refusal is not None and call.epoch == o.epoch
    return call if failed else None


def reason_of_source(kind: RefusalKind) -> Reason:
    """Return the reason of a source that was not read: what is no word of OCI's is that it can't be reached."""
    return _REASONS.get(kind, Reason.SOURCE_UNREACHABLE)


def _set_aside(o: JobObservation, until: datetime) -> Call:
    record, named = kept_attempt(o), _named(o)
    assert record is not None  # noqa: S101 - it is set aside
    what = record.failure or "the operator ended while it was read"
    refusal = Refusal(
        kind=RefusalKind.QUARANTINED,
        message=(
            f"{what}. That was attempt {record.attempts} at version {record.version} whose process ended early; it is "
            f"tried again at {until:%Y-%m-%dT%H:%M:%SZ}, or when the source, the spec or the annotation "
            f"{ANNOTATION_REQUESTED_AT} changes"
        ),
    )
    at = max(record.started_at, named.checked_at) if named is not None else record.started_at
    return Call(at=at, tries=record.attempts, refusal=refusal, epoch=o.epoch)


def _served(o: JobObservation) -> ServedSource | None:
    """Return the source of the current revision, if that is of this very spec and whole."""
    status = o.job.status
    source = status.source
    current = next((r for r in status.revisions if r.name == status.revision), None)
    if source is None or current is None or not current.complete or current.removing:
        return None
    if not serves_current_spec(o):
        return None
    return ServedSource(
        version=source.version or "", digest=source.digest, artifact=current.artifact
    )


def serves_current_spec(o: JobObservation) -> bool:
    """Whether the status, as the API server has it, is Ready for the current spec."""
    status = o.job.status
    return (
        is_true(status.conditions, ConditionType.READY)
        and status.observed_generation == o.job.metadata.generation
        and status.job_id is not None
    )


def _pause_while_broken(o: JobObservation, sources: SourcesRead) -> float:
    """Return the pause before sources that lack something are read again: longer the longer they do."""
    since = o.job.status.blocked_since
    if since is None:
        return LONG_PAUSE_SECONDS
    lasted = (sources.checked_at - since).total_seconds()
    return min(LONG_PAUSE_SECONDS, max(_SHORTEST_PAUSE_SECONDS, lasted / 2))
