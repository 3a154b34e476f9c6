"""Making the OCI job of a revision: the intent, and what `reconcile/idempotency.py` asks for, done for a job."""

from __future__ import annotations

from datetime import datetime

from ocijobs.api.job.status import JobSubmission, OCIJobStatus, Revision
from ocijobs.api.shared.reasons import Reason
from ocijobs.backends.digest import owner_tag, retry_token
from ocijobs.backends.job_record import JobRecord
from ocijobs.backends.records import Refusal
from ocijobs.backends.revision import job_request_digest
from ocijobs.reconcile.actions.identities import CopyCredentials
from ocijobs.reconcile.actions.jobs import CreateJob, SearchJobs
from ocijobs.reconcile.actions.objects import AddFinalizer
from ocijobs.reconcile.blocking import REASON_OF_REFUSAL, describe, earliest
from ocijobs.reconcile.decision import Decision
from ocijobs.reconcile.idempotency import (
    CreateOnce,
    Free,
    Nothing,
    Refused,
    Repeat,
    Search,
    Wait,
)
from ocijobs.reconcile.job.observation import JobObservation
from ocijobs.reconcile.job.plan import Plan
from ocijobs.reconcile.job.status import write_blocked, write_status
from ocijobs.reconcile.standing import Standing

_SEARCHING = (
    "whether an earlier call reached OCI is not known; looking for the job before creating it"
)


def create(o: JobObservation, plan: Plan, now: datetime) -> Decision[OCIJobStatus]:
    """Decide about a revision that no OCI job is known of."""
    submit = o.job.status.submit
    if submit is not None:
        return open_intent(o, submit, plan, now)
    if not o.job.metadata.has_finalizer:
        return Decision(status=o.job.status, actions=(AddFinalizer(),))
    if (copy := o.identity.copy_first) is not None:
        return Decision(status=o.job.status, actions=(copy,))
    return Decision(status=_intend(o, plan, now, incarnation=o.job.status.creations or 0))


def open_intent(
    o: JobObservation, submit: JobSubmission, plan: Plan | None, now: datetime
) -> Decision[OCIJobStatus]:
    """Decide about an open intent. Without a plan the job is not wanted any more, and only found."""
    known = o.known
    if (created := known.created_for(submit.token)) is not None:
        return Decision(status=_bind(o, submit, created, plan, now))
    protocol = CreateOnce(
        submit=submit,
        genuine=submit.token == _token(o, submit.revision, submit.incarnation),
        created_at=o.job.metadata.creation_timestamp,
        evidence=known.evidence.of(submit.token),
        epoch=o.epoch,
        seed=o.job.metadata.uid,
        settings=o.settings,
    )
    step = protocol.step(now)
    if isinstance(step, Free | Refused | Nothing) and plan is None:
        return Decision(status=_give_up(o, now))
    match step:
        case Free() | Repeat() if plan is not None and _same(o, plan, submit):
            return Decision(status=o.job.status, actions=(_create(o, submit, plan),))
        case Free(called=called) if plan is not None:
            incarnation = submit.incarnation + (1 if called else 0)
            return Decision(status=_intend(o, plan, now, incarnation=incarnation))
        case Refused(refusal=refusal):
            return _refused(o, refusal, now)
        case Search() | Wait() | Nothing():
            return _look(o, protocol, step, plan, now)
        case _:
            return _look(o, protocol, protocol.search(now), plan, now)


def _same(o: JobObservation, plan: Plan, submit: JobSubmission) -> bool:
    """Whether the plan is the one that the intent is of."""
    return job_request_digest(o.backend, plan.request) == submit.request_digest


def _refused(o: JobObservation, refusal: Refusal, now: datetime) -> Decision[OCIJobStatus]:
    message = describe("OCI refused to create the job", refusal)
    return Decision(
        status=write_status(
            o, now, standing=Standing.STALLED, reason=Reason.INVALID_SPEC, message=message
        )
    )


def _look(
    o: JobObservation,
    protocol: CreateOnce,
    step: Search | Wait | Nothing,
    plan: Plan | None,
    now: datetime,
) -> Decision[OCIJobStatus]:
    submit = o.job.status.submit
    if submit is None or (isinstance(step, Nothing) and plan is None):
        return Decision(status=_give_up(o, now))
    if isinstance(step, Nothing) and plan is not None:
        return Decision(status=_intend(o, plan, now, incarnation=submit.incarnation + 1))
    caller = o.identity.caller(o.job.status.region)
    compartment_id, project_id = o.job.status.compartment_id, o.job.status.project_id
    creating = isinstance(step, Wait) and not step.searching
    doing = f"creating the OCI job in compartment {compartment_id}" if creating else _SEARCHING
    trouble = protocol.trouble()
    reason, message = Reason.SEARCHING, doing
    if trouble is not None:
        reason, message = REASON_OF_REFUSAL[trouble.kind], describe(doing, trouble)
    status, state = write_blocked(o, now, reason, message)
    if isinstance(step, Wait) or caller is None or compartment_id is None:
        until = step.until if isinstance(step, Wait) else None
        return Decision(status=status, wake_at=earliest(until, state.stalls_at))
    action = SearchJobs(
        caller=caller,
        token=submit.token,
        backend=o.backend.name,
        compartment_id=compartment_id,
        project_id=project_id,
        owner=owner_tag(cluster_id=o.cluster_id, uid=o.job.metadata.uid, subject=submit.revision),
        epoch=o.epoch,
    )
    return Decision(status=status, actions=(action,), wake_at=state.stalls_at)


def _intend(o: JobObservation, plan: Plan, now: datetime, *, incarnation: int) -> OCIJobStatus:
    """Return the status that records the intent: written before the call is made."""
    return write_status(
        o,
        now,
        standing=Standing.PROGRESSING,
        reason=Reason.CREATING,
        message=f"creating the OCI job of revision {plan.revision}",
        owner=o.owner,
        identity=plan.caller.identity,
        region=plan.caller.region,
        compartment_id=plan.request.compartment_id,
        project_id=plan.request.project_id,
        submit=JobSubmission(
            revision=plan.revision,
            incarnation=incarnation,
            token=_token(o, plan.revision, incarnation),
            request_digest=job_request_digest(o.backend, plan.request),
            started_at=now,
        ),
    )


def _token(o: JobObservation, revision: str, incarnation: int) -> str:
    return retry_token(
        uid=o.job.metadata.uid, operation="CreateJob", subject=revision, incarnation=incarnation
    )


def _bind(
    o: JobObservation, submit: JobSubmission, record: JobRecord, plan: Plan | None, now: datetime
) -> OCIJobStatus:
    """Return the status that knows the OCI job. Its artifact is still to be uploaded.

    Its settings are known only where nothing was edited since the intent.
    """
    wanted = plan is not None and _same(o, plan, submit)
    former = next((r for r in o.job.status.revisions if r.name == submit.revision), None)
    revision = Revision(
        name=submit.revision,
        job_id=record.id,
        settings_digest=plan.settings_digest if plan is not None and wanted else "",
        # Before the upload, so that no code is left behind of which nobody knows.
        artifact=plan.artifact if plan and wanted else (former.artifact if former else None),
        last_used_at=now,
    )
    others = tuple(r for r in o.job.status.revisions if r.name != submit.revision)
    return write_status(
        o,
        now,
        standing=Standing.PROGRESSING,
        reason=Reason.CREATING,
        message=f"uploading the artifact of OCI job {record.id}",
        submit=None,
        creations=submit.incarnation + 1,
        revisions=(*others, revision),
    )


def _give_up(o: JobObservation, now: datetime) -> OCIJobStatus:
    """Return the status without the intent, of which nothing is in OCI."""
    submit = o.job.status.submit
    return write_status(
        o,
        now,
        standing=Standing.PROGRESSING,
        reason=Reason.CREATING,
        message="the former revision was given up before it was created",
        submit=None,
        creations=submit.incarnation + 1 if submit is not None else o.job.status.creations,
    )


def _create(o: JobObservation, submit: JobSubmission, plan: Plan) -> CreateJob | CopyCredentials:
    return o.identity.copy_first or CreateJob(
        caller=plan.caller,
        token=submit.token,
        backend=o.backend.name,
        request=plan.request,
        epoch=o.epoch,
    )
