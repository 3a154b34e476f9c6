"""From an OCI job to a job that is ready: its artifact, its state, its settings; then former revisions go.

An artifact can be uploaded once and never changed (OCI Data Science, "Job artifacts"), so it is asked for first.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from ocijobs.api.job.status import Difference, OCIJobStatus, Revision, SourceState
from ocijobs.api.shared.reasons import Reason
from ocijobs.backends.console import job_url
from ocijobs.backends.records import JobState, RefusalKind
from ocijobs.reconcile.actions.calls import Call, Operation
from ocijobs.reconcile.actions.jobs import LookUpJob, UpdateJob, UploadArtifact
from ocijobs.reconcile.backoff import due_at, mended_at
from ocijobs.reconcile.blocking import REASON_OF_REFUSAL, describe, earliest
from ocijobs.reconcile.decision import Decision
from ocijobs.reconcile.job.drift import Drift, fields_of, is_gone, look_after, lost, watch
from ocijobs.reconcile.job.observation import JobObservation
from ocijobs.reconcile.job.plan import Plan
from ocijobs.reconcile.job.reading import reason_of_source, serves_current_spec, unreachable
from ocijobs.reconcile.job.removal import prune, remove_revision
from ocijobs.reconcile.job.status import write_blocked, write_status
from ocijobs.reconcile.standing import Standing

_AS_THOUGH_GONE = frozenset({RefusalKind.NOT_AUTHORIZED_OR_NOT_FOUND, RefusalKind.CONFLICT})
"""What OCI refuses with where others have deleted the OCI job."""

_Upkeep = LookUpJob | UploadArtifact | UpdateJob
"""What makes a job that is there ready."""

_ACTIVATION_PAUSE_SECONDS = 2.0
"""Pause between two looks at a job that OCI has not activated yet."""


def _is_active(o: JobObservation, revision: Revision) -> bool:
    record = o.known.record
    return record is not None and record.id == revision.job_id and record.state is JobState.ACTIVE


def make_ready(
    o: JobObservation, plan: Plan, revision: Revision, now: datetime
) -> Decision[OCIJobStatus]:
    """Decide about a revision whose OCI job exists, unless others have deleted it."""
    if is_gone(o, revision):
        return _lost(o, revision, now)
    artifact = plan.artifact
    if artifact is not None and not revision.complete and o.known.uploaded != revision.job_id:
        if revision.artifact != artifact:
            return _announce(o, plan, revision, now)
        action = UploadArtifact(
            caller=plan.caller, job_id=revision.job_id, artifact=artifact, epoch=o.epoch
        )
        return _call(o, (plan, revision), action, "uploading the artifact", now)
    if not revision.complete:
        if not _is_active(o, revision):
            return _await_activation(o, plan, revision, now)
        revision = revision.model_copy(update={"artifact": plan.artifact, "complete": True})
    if revision.settings_digest != plan.settings_digest:
        if o.known.settings_sent != (revision.job_id, plan.settings_digest):
            update = UpdateJob(
                caller=plan.caller,
                job_id=revision.job_id,
                settings=plan.request.settings,
                settings_digest=plan.settings_digest,
                epoch=o.epoch,
            )
            return _call(o, (plan, revision), update, "updating the OCI job", now)
        revision = revision.model_copy(update={"settings_digest": plan.settings_digest})
    return _ready(o, plan, revision, now)


def _announce(
    o: JobObservation, plan: Plan, revision: Revision, now: datetime
) -> Decision[OCIJobStatus]:
    """Say which code is to be uploaded before it is: none is left behind of which nobody knows."""
    announced = revision.model_copy(update={"artifact": plan.artifact})
    status = write_status(
        o,
        now,
        standing=Standing.PROGRESSING,
        reason=Reason.CREATING,
        message=f"uploading the artifact of OCI job {revision.job_id}",
        revisions=tuple(
            r if r.name != revision.name else announced for r in o.job.status.revisions
        ),
    )
    return Decision(status=status)


def clear_away(
    o: JobObservation, plan: Plan, revision: Revision, now: datetime
) -> Decision[OCIJobStatus]:
    """Decide about a revision that is wanted again while its OCI job is being removed: that goes first."""
    step = remove_revision(o, plan.caller, plan.request.compartment_id, revision, now)
    status = write_status(
        o,
        now,
        standing=Standing.PROGRESSING,
        reason=Reason.CREATING,
        message=f"the former OCI job {revision.job_id} of this revision is being deleted first",
        revisions=tuple(r for r in o.job.status.revisions if r != revision or not step.done),
    )
    return Decision(status=status, actions=step.actions, wake_at=step.wake_at, notes=step.notes)


def _await_activation(
    o: JobObservation, plan: Plan, revision: Revision, now: datetime
) -> Decision[OCIJobStatus]:
    look_up = LookUpJob(
        caller=plan.caller,
        compartment_id=plan.request.compartment_id,
        job_id=revision.job_id,
        epoch=o.epoch,
    )
    record, call = o.known.record, o.known.calls.get(Operation.LOOK_UP)
    if record is None or record.id != revision.job_id or call is None or call.refusal is not None:
        return _call(o, (plan, revision), look_up, "asking for the OCI job", now)
    if record.state is JobState.CREATING:
        due = call.at + timedelta(seconds=_ACTIVATION_PAUSE_SECONDS)
        if now < due:
            return Decision(status=o.job.status, wake_at=due)
        return Decision(status=o.job.status, actions=(look_up,))
    message = f"OCI job {record.id} is {record.state}: {record.details or 'OCI does not say why'}"
    status, _ = write_blocked(o, now, Reason.OCI_CONFLICT, message)
    due = mended_at(call, seed=o.job.metadata.uid, settings=o.settings)
    if now < due:
        return Decision(status=status, wake_at=due)
    return Decision(status=status, actions=(look_up,))


def _call(
    o: JobObservation,
    subject: tuple[Plan, Revision],
    action: _Upkeep,
    doing: str,
    now: datetime,
) -> Decision[OCIJobStatus]:
    """Make a call that is due, or say what refuses it."""
    plan, revision = subject
    call = o.known.calls.get(action.operation)
    due = due_at(call, epoch=o.epoch, seed=o.job.metadata.uid, settings=o.settings)
    if call is None or due is None or call.refusal is None:
        return Decision(status=o.job.status, actions=(action,))
    refusal = call.refusal
    if refusal.kind is RefusalKind.INVALID:
        return _invalid(o, action, describe(f"{doing}: OCI refuses it", refusal), now)
    status, state = write_blocked(o, now, REASON_OF_REFUSAL[refusal.kind], describe(doing, refusal))
    perhaps_gone = refusal.kind in _AS_THOUGH_GONE and not isinstance(action, LookUpJob)
    look = look_after(o, plan, revision, call.at, now) if perhaps_gone else Drift()
    if look.action is not None:
        return Decision(status=status, actions=(look.action,), wake_at=state.stalls_at)
    if now < due:
        return Decision(status=status, wake_at=earliest(due, state.stalls_at, look.wake_at))
    return Decision(status=status, actions=(action,))


def _invalid(
    o: JobObservation, action: _Upkeep, message: str, now: datetime
) -> Decision[OCIJobStatus]:
    """Make another revision of what can't be changed in place, or say that only an edit mends it."""
    if isinstance(action, UpdateJob) and o.job.spec.runtime is not None:
        return _refused_in_place(o, action)
    return Decision(
        status=write_status(
            o, now, standing=Standing.STALLED, reason=Reason.INVALID_SPEC, message=message
        )
    )


def _ready(
    o: JobObservation, plan: Plan, revision: Revision, now: datetime
) -> Decision[OCIJobStatus]:
    former = o.job.status
    if former.revision != revision.name:
        revision = revision.model_copy(update={"last_used_at": now})
    drift = watch(o, plan, revision, now)
    if drift.action is not None:
        return Decision(status=o.job.status, actions=(drift.action,), notes=drift.notes)
    revisions = tuple(r if r.name != revision.name else revision for r in former.revisions)
    pruned = prune(o, revisions, revision.name, now)
    failed = unreachable(o, now)
    differences = former.differences if drift.differences is None else drift.differences
    reason, message = _said(revision, failed, differences)
    status = write_status(
        o,
        now,
        standing=Standing.READY,
        reason=reason,
        message=message,
        job_id=revision.job_id,
        revision=revision.name,
        revisions=pruned.revisions,
        artifact=revision.artifact,
        resolved_names=plan.names,
        differences=differences,
        source=SourceState(version=plan.sources.version or None, digest=plan.sources.digest),
        console_url=job_url(plan.caller.region, revision.job_id),
    )
    sources_checked_at = failed.at if failed is not None else plan.sources.checked_at
    told = (former.job_id, former.revision) == (revision.job_id, revision.name)
    return Decision(
        status=status,
        actions=pruned.actions,
        wake_at=earliest(pruned.wake_at, drift.wake_at),
        notes=pruned.notes,
        sources_checked_at=sources_checked_at if told and serves_current_spec(o) else None,
    )


def _said(
    revision: Revision, failed: Call | None, differences: tuple[Difference, ...]
) -> tuple[Reason, str]:
    """Return what a job says that serves: of its source first, then of what others did to it."""
    if failed is not None and failed.refusal is not None:
        reason = reason_of_source(failed.refusal.kind)
        return reason, f"revision {revision.name} goes on serving: {failed.refusal.message}"
    if differences and failed is None:
        message = f"OCI's job is not as the manifest says: {fields_of(differences)}"
        return Reason.DRIFT_DETECTED, message
    return Reason.SYNCED, "OCI has the job as the manifest says"


def _lost(o: JobObservation, revision: Revision, now: datetime) -> Decision[OCIJobStatus]:
    """Forget a revision whose OCI job others have deleted: it is made again.

    Code of Spark is still there: who has it stays known until the new OCI job does.
    """
    artifact = revision.artifact
    others = tuple(r for r in o.job.status.revisions if r.name != revision.name)
    going = revision.model_copy(update={"removing": True})
    has_folder = artifact is not None and artifact.uri is not None
    status = write_status(
        o,
        now,
        standing=Standing.PROGRESSING,
        reason=Reason.CREATING,
        message=f"OCI job {revision.job_id} is gone, and is made again",
        revisions=(*others, going) if has_folder else others,
        # No token of the former creation is sent again.
        creations=(o.job.status.creations or 0) + 1,
    )
    return Decision(status=status, notes=(lost(revision),))


def _refused_in_place(o: JobObservation, action: UpdateJob) -> Decision[OCIJobStatus]:
    """Note the settings that OCI does not change in place: they make another revision."""
    revisions = tuple(
        r.model_copy(update={"refused_settings": action.settings_digest})
        if r.job_id == action.job_id
        else r
        for r in o.job.status.revisions
    )
    return Decision(status=o.job.status.changed(revisions=revisions))
