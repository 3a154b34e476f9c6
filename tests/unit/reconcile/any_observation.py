"""Observations of every kind, drawn at random: what no history leads to is met by somebody's process all the same.

Times are drawn around the one of the decision, on both sides: clocks are set.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from ocijobs.api.job.status import JobSubmission, OCIJobStatus
from ocijobs.api.run.phase import Phase, StopReason, SweepPhase
from ocijobs.api.run.status import Attempt, OCIJobRunStatus
from ocijobs.api.schedule import OCIJobSchedule, OCIJobScheduleSpec, OCIJobScheduleStatus
from ocijobs.api.shared.metadata import ObjectMeta
from ocijobs.api.shared.names import ANNOTATION_ABANDON, ANNOTATION_PAUSED, FINALIZER
from ocijobs.api.shared.reasons import Reason
from ocijobs.api.sweep.spec import OCIJobSweep, OCIJobSweepSpec
from ocijobs.api.sweep.status import OCIJobSweepStatus
from ocijobs.backends.records import JobState, Refusal, RefusalKind, RunState
from ocijobs.reconcile.actions.calls import Call, Operation
from ocijobs.reconcile.dependencies import Relations
from ocijobs.reconcile.idempotency import Evidence
from ocijobs.reconcile.identity import IdentityObservation
from ocijobs.reconcile.identity_view import IdentityView
from ocijobs.reconcile.job.observation import JobObservation, RunView
from ocijobs.reconcile.known.identity import (
    Credentials,
    Fault,
    IdentityKnown,
    Key,
    Serving,
    Unserved,
)
from ocijobs.reconcile.known.job import JobKnown
from ocijobs.reconcile.known.oci_jobs import Removal
from ocijobs.reconcile.known.run import RunKnown
from ocijobs.reconcile.known.schedule import ScheduleKnown
from ocijobs.reconcile.known.sweep import Children, ChildView, SweepKnown
from ocijobs.reconcile.run.observation import RunObservation
from ocijobs.reconcile.schedule.observation import ScheduleObservation
from ocijobs.reconcile.sweep.observation import SweepObservation
from ocijobs.testing import (
    DEFAULT_SETTINGS,
    REGION,
    REVISION,
    START,
    make_identity,
    make_identity_view,
    make_job,
    make_job_observation,
    make_job_record,
    make_metadata,
    make_ocid,
    make_ready_job,
    make_run,
    make_run_observation,
    make_run_record,
    make_sources,
    make_submission,
)

NOW = START + timedelta(days=2)
"""When decisions are made first."""

_OFFSETS = (-40 * 86400, -25 * 3600, -3600, -901, -600, -240, -61, -10, -1, 0, 1, 90, 3600)

times: st.SearchStrategy[datetime] = st.sampled_from(_OFFSETS).map(
    lambda seconds: NOW + timedelta(seconds=seconds)
)
_past = times.filter(lambda time: time <= NOW)


def _maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def _metadata(name: str) -> st.SearchStrategy[ObjectMeta]:
    return st.builds(
        lambda created, generation: make_metadata(name, created=created, generation=generation),
        _past,
        st.integers(1, 2),
    )


def standings(metadata: ObjectMeta) -> Iterator[ObjectMeta]:
    """Yield an object as it may stand: held or not, being deleted, paused, abandoned."""
    held, deleted = {"finalizers": (FINALIZER,)}, {"deletion_timestamp": NOW - timedelta(hours=2)}
    for changes in ({}, held, deleted, held | deleted):
        for marks in ({}, {ANNOTATION_PAUSED: "true"}, {ANNOTATION_ABANDON: "true"}):
            yield metadata.model_copy(update={**changes, "annotations": marks})


refusals = st.builds(Refusal, kind=st.sampled_from(RefusalKind), message=st.just("why"))


def _calls(epochs: tuple[str, ...]) -> st.SearchStrategy[dict[Operation, Call]]:
    call = st.builds(
        Call,
        at=times,
        tries=st.integers(0, 12),
        refusal=_maybe(refusals),
        epoch=st.sampled_from(epochs),
    )
    return st.dictionaries(st.sampled_from(Operation), call, max_size=6)


_epochs = ("1/credentials-1", "2/credentials-1", "1/", "")


def _without_credentials(gone_since: datetime | None) -> IdentityView:
    obstacle = (Reason.WAITING_FOR_IDENTITY, "the Secret is gone")
    return make_identity_view(region=None, version="", obstacle=obstacle, gone_since=gone_since)


IDENTITIES: tuple[IdentityView, ...] = (
    make_identity_view(),
    make_identity_view(region=None, version=""),
    make_identity_view(obstacle=(Reason.CREDENTIALS_INVALID, "401")),
    make_identity_view(no_start=(Reason.WAITING_FOR_IDENTITY, "it is being deleted")),
    make_identity_view(copied=False),
    make_identity_view(asked=False),
    _without_credentials(None),
    _without_credentials(NOW - timedelta(days=1)),
    _without_credentials(NOW - timedelta(seconds=DEFAULT_SETTINGS.credentials_gone_seconds)),
    _without_credentials(NOW - timedelta(seconds=5)),
    _without_credentials(NOW + timedelta(hours=1)),
)
"""How an identity may be seen."""


def _evidence(token: str) -> st.SearchStrategy[Evidence]:
    return st.builds(Evidence, token=st.just(token), ours=st.booleans(), calls=_calls(_epochs))


# Runs

_RUN_ID = make_ocid("datasciencejobrun")


@st.composite
def _run_statuses(draw: st.DrawFn) -> OCIJobRunStatus:
    phase = draw(_maybe(st.sampled_from(Phase)))
    submitted = draw(st.booleans())
    submit = make_submission(started_at=draw(times)) if submitted else None
    launched = submitted and draw(st.booleans())
    state = draw(st.sampled_from(RunState))
    attempt = Attempt(number=0, job_run_id=_RUN_ID, lifecycle_state=state)
    return OCIJobRunStatus(
        phase=phase,
        submit=submit,
        job_run_id=_RUN_ID if launched else None,
        job_id=make_ocid("datasciencejob", REVISION) if launched else None,
        attempts=(attempt,) if launched else (),
        attempt_count=1 if launched else None,
        launch_time=draw(_maybe(times)),
        stopping=draw(_maybe(st.sampled_from(StopReason))),
        start_time=draw(_maybe(times)),
        completion_time=draw(_maybe(times)),
        blocked_since=draw(_maybe(times)),
    )


@st.composite
def _run_known(draw: st.DrawFn) -> RunKnown:
    record = draw(
        _maybe(
            st.builds(
                make_run_record,
                st.sampled_from(RunState),
                started_at=_maybe(times),
                finished_at=_maybe(times),
                complete=st.booleans(),
            )
        )
    )
    return RunKnown(
        evidence=draw(_evidence("token-0")),
        record=record,
        told_at=draw(_maybe(times)),
        ended_at=draw(_maybe(times)),
        unlisted_at=draw(_maybe(times)),
        lagging=draw(st.integers(0, 9)),
        poll_refusal=draw(_maybe(refusals)),
        absent_at=tuple(draw(st.lists(times, max_size=2))),
        written_at=draw(_maybe(times)),
        calls=draw(_calls(_epochs)),
    )


@st.composite
def run_observations(draw: st.DrawFn) -> RunObservation:
    """Return a run as it may be seen."""
    spec: dict[str, Any] = {
        "cancel": draw(st.booleans()),
        "suspend": draw(st.booleans()),
        "active_deadline_seconds": draw(st.sampled_from([None, 60, 3600])),
        "ttl_seconds_after_finished": draw(st.sampled_from([None, 0, 3600])),
        "backoff_limit": draw(st.sampled_from([None, 3])),
        "deletion_policy": draw(st.sampled_from(["Retain", "Delete"])),
    }
    if draw(st.booleans()):
        spec["depends_on"] = [{"kind": "OCIJobRun", "name": "other", "condition": "Finished"}]
    run = make_run(
        metadata=draw(_metadata("run")),
        status=draw(_run_statuses()),
        **{name: value for name, value in spec.items() if value is not None},
    )
    return make_run_observation(
        run=run,
        job=draw(st.sampled_from([None, make_ready_job(), make_job()])),
        sources_checked_at=draw(_maybe(times)),
        identity=draw(st.sampled_from(IDENTITIES)),
        known=draw(_run_known()),
        ahead=draw(st.integers(0, 1)),
        relations=Relations(awaited=draw(st.booleans())),
    )


# Jobs


@st.composite
def _job_statuses(draw: st.DrawFn) -> OCIJobStatus:
    status = draw(st.sampled_from([make_job(), make_ready_job()])).status
    submit = JobSubmission(
        token="token-0",
        revision=REVISION,
        request_digest="cd" * 32,
        started_at=draw(times),
    )
    revisions = tuple(
        revision.model_copy(
            update={"complete": draw(st.booleans()), "removing": draw(st.booleans()) or None}
        )
        for revision in status.revisions
    )
    return status.model_copy(
        update={
            "submit": submit if draw(st.booleans()) else None,
            "revisions": revisions,
            "blocked_since": draw(_maybe(times)),
        }
    )


@st.composite
def _job_known(draw: st.DrawFn) -> JobKnown:
    job_id = make_ocid("datasciencejob", REVISION)
    removal = Removal(
        job_id=job_id,
        listed_at=draw(_maybe(times)),
        active=draw(st.integers(0, 1)),
        conflict=draw(st.booleans()),
        requested_at=draw(_maybe(times)),
        seen_at=draw(_maybe(times)),
        state=draw(_maybe(st.sampled_from(JobState))),
        absent_at=tuple(draw(st.lists(times, max_size=2))),
        calls=draw(_calls(_epochs)),
    )
    sources = make_sources(checked_at=draw(times), missing=draw(_maybe(st.just("no ConfigMap"))))
    known = JobKnown(
        sources=draw(_maybe(st.just(sources))),
        written_at=draw(_maybe(times)),
        calls=draw(_calls(_epochs)),
        evidence=draw(_evidence("token-0")),
        removal=draw(_maybe(st.just(removal))),
    )
    if draw(st.booleans()):
        at = draw(times)
        record = make_job_record(draw(st.sampled_from(JobState)))
        known = known.look_up_answered(job_id, record, at=at, epoch="1/credentials-1")
    return known


@st.composite
def job_observations(draw: st.DrawFn) -> JobObservation:
    """Return a job as it may be seen."""
    live = RunView(
        name="run",
        phase=Phase.RUNNING,
        live=True,
        job_id=make_ocid("datasciencejob", REVISION),
        accepted_time=draw(_maybe(times)),
    )
    job = make_job(metadata=draw(_metadata("job")), status=draw(_job_statuses()))
    return make_job_observation(
        job=job,
        identity=draw(st.sampled_from(IDENTITIES)),
        runs=draw(st.sampled_from([(), (live,), (replace(live, live=False),)])),
        known=draw(_job_known()),
        refresh_after=draw(_maybe(times)),
    )


# Sweeps and schedules


@st.composite
def sweep_observations(draw: st.DrawFn) -> SweepObservation:
    """Return a sweep as it may be seen."""
    spec = OCIJobSweepSpec.model_validate(
        {
            "job_ref": {"name": "job"},
            "matrix": {"X": ["1", "2"]},
            "cancel": draw(st.booleans()),
            "suspend": draw(st.booleans()),
            "ttl_seconds_after_finished": draw(st.sampled_from([None, 0, 3600])),
        }
    )
    status = OCIJobSweepStatus(
        phase=draw(_maybe(st.sampled_from(SweepPhase))),
        completion_time=draw(_maybe(times)),
        blocked_since=draw(_maybe(times)),
    )
    view = ChildView(name="sweep-0", uid="c", suspend=False, cancel=False, deleting=False)
    forbidden = Call(
        at=draw(times), tries=draw(st.integers(1, 12)), refusal=draw(refusals), epoch="1"
    )
    return SweepObservation(
        sweep=OCIJobSweep(metadata=draw(_metadata("sweep")), spec=spec, status=status),
        job=draw(st.sampled_from([None, make_ready_job()])),
        sources_checked_at=draw(_maybe(times)),
        identity=draw(st.sampled_from(IDENTITIES)),
        children=draw(st.sampled_from([Children(), Children(live={0: view}, created=1)])),
        strangers=draw(st.sampled_from([frozenset(), frozenset({0})])),
        relations=Relations(awaited=draw(st.booleans())),
        known=SweepKnown(
            written_at=draw(_maybe(times)),
            refused=draw(_maybe(st.just("no such field"))),
            forbidden=draw(_maybe(st.just(forbidden))),
        ),
        settings=DEFAULT_SETTINGS,
    )


@st.composite
def schedule_observations(draw: st.DrawFn) -> ScheduleObservation:
    """Return a schedule as it may be seen."""
    spec = OCIJobScheduleSpec.model_validate(
        {
            "schedule": draw(st.sampled_from(["*/5 * * * *", "0 0 31 2 *", "0 3 * * *"])),
            "suspend": draw(st.booleans()),
            "starting_deadline_seconds": draw(st.sampled_from([None, 1, 3600])),
            "resources": [{"name": "run", "run": {"job_ref": {"name": "job"}}}],
        }
    )
    status = OCIJobScheduleStatus(
        last_schedule_time=draw(_maybe(times)),
        starting=draw(_maybe(times)),
    )
    forbidden = Call(
        at=draw(times), tries=draw(st.integers(1, 12)), refusal=draw(refusals), epoch="1"
    )
    return ScheduleObservation(
        schedule=OCIJobSchedule(metadata=draw(_metadata("schedule")), spec=spec, status=status),
        made=(),
        known=ScheduleKnown(
            refused=draw(_maybe(st.just("no such field"))),
            forbidden=draw(_maybe(st.just(forbidden))),
        ),
        settings=DEFAULT_SETTINGS,
    )


_VERSIONS = ("credentials-1", "credentials-2")


@st.composite
def identity_observations(draw: st.DrawFn) -> IdentityObservation:
    """Return an identity as it may be seen."""
    key = draw(st.sampled_from([Key(version=version, region=REGION) for version in _VERSIONS]))
    identity = make_identity(metadata=draw(_metadata("default")))
    meta = identity.metadata
    fault = Fault(reason=Reason.WAITING_FOR_IDENTITY, message="gone", since=draw(times))
    states: list[Credentials] = [
        Serving(key),
        *(Unserved(fault=why, key=kept) for why in (None, fault) for kept in (None, key)),
    ]
    credentials = draw(st.sampled_from(states))
    known = IdentityKnown(
        credentials=credentials,
        verified=draw(st.sampled_from([None, *_VERSIONS])),
        verified_at=draw(_maybe(times)),
        refused_since=draw(_maybe(times)),
        doubted=draw(st.booleans()),
        copied=draw(st.sampled_from([None, *_VERSIONS])),
        calls=draw(_calls((f"{meta.uid}/{meta.generation}", *_VERSIONS, ""))),
    )
    return IdentityObservation(
        identity=identity,
        users=draw(st.sampled_from([(), ("OCIJobRun team-a/run",)])),
        known=known,
        settings=DEFAULT_SETTINGS,
    )
