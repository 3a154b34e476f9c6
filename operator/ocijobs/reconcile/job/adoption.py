"""Taking up an OCI job that was made elsewhere: to keep it (Adopt), or only to look at it (Observe)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ocijobs.api.job.spec import Adoption
from ocijobs.api.job.status import AdoptedJob, Artifact, Difference, OCIJobStatus, Revision
from ocijobs.api.shared.reasons import Reason
from ocijobs.backends.console import job_url
from ocijobs.backends.differences import all_differences, setting_differences
from ocijobs.backends.digest import belongs_to
from ocijobs.backends.job_record import JobRecord
from ocijobs.backends.records import JobState
from ocijobs.backends.registry import backend_of, unknown_type
from ocijobs.backends.requests import JobCreation
from ocijobs.backends.revision import adopted_name
from ocijobs.reconcile.actions.calls import Caller, Operation
from ocijobs.reconcile.actions.jobs import LookUpJob
from ocijobs.reconcile.actions.objects import AddFinalizer
from ocijobs.reconcile.backoff import due_at, fraction
from ocijobs.reconcile.blocking import REASON_OF_REFUSAL, Blocker
from ocijobs.reconcile.decision import Decision, Note
from ocijobs.reconcile.job.observation import JobObservation
from ocijobs.reconcile.job.plan import Plan
from ocijobs.reconcile.job.reading import serves_current_spec
from ocijobs.reconcile.job.status import write_status
from ocijobs.reconcile.standing import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The OCI job of spec.adopt as OCI told it, and when it last did."""

    record: JobRecord
    at: datetime


def look(o: JobObservation, adoption: Adoption, caller: Caller) -> Seen | Blocker:
    """Return what OCI told of the OCI job, or that it is to be asked first, or what hinders the adoption."""
    where = "spec.adopt.ocid"
    if (unknown := unknown_type(adoption.ocid)) is not None:
        return Blocker.of_spec(f"{where}: {unknown}")
    if (other := backend_of(adoption.ocid)) is not o.backend:
        return Blocker.of_spec(
            f"{where}: {adoption.ocid} is of {other.name}, "
            f"and spec.infrastructure is of {o.backend.name}"
        )
    watched, call = o.known.watched, o.known.calls.get(Operation.LOOK_UP)
    action = LookUpJob(
        caller=caller,
        compartment_id=_compartment(o) or "",
        job_id=adoption.ocid,
        epoch=o.epoch,
    )
    due = due_at(call, epoch=o.epoch, seed=o.job.metadata.uid, settings=o.settings)
    if watched is None or watched.job_id != adoption.ocid or watched.record is None:
        if due is None or call is None or call.refusal is None:
            return Blocker(action=action)
        return Blocker(
            reason=REASON_OF_REFUSAL[call.refusal.kind],
            message=f"{where}: {call.refusal.message}",
            action=action,
            wake_at=due,
        )
    seen = Seen(record=watched.record, at=watched.at)
    return _problem(o, adoption, watched.record) or seen


def _compartment(o: JobObservation) -> str | None:
    spec = o.job.spec
    return o.job.status.compartment_id or spec.compartment_id or o.identity.defaults.compartment_id


def _problem(o: JobObservation, adoption: Adoption, record: JobRecord) -> Blocker | None:
    where = "spec.adopt"
    if record.state is not JobState.ACTIVE:
        return Blocker(
            reason=Reason.OCI_CONFLICT,
            message=f"{where}.ocid: OCI job {record.id} is {record.state}",
        )
    if record.content is None:
        return Blocker.of_spec(
            f"{where}.ocid: OCI job {record.id} is one that this version can't keep: {record.unreadable}"
        )
    wanted = o.job.spec.compartment_id
    if wanted is not None and wanted != record.compartment_id:
        return Blocker.of_spec(
            f"spec.compartmentId: OCI job {record.id} is in compartment {record.compartment_id}: "
            "leave the field out, or set it to that"
        )
    if o.job.spec.observed_only:
        return None
    tag = record.owner
    if tag is None or any(belongs_to(tag, owner) for owner in (o.owner, adoption.former_owner)):
        return None
    return Blocker.of_spec(
        f"{where}.formerOwner: OCI job {record.id} belongs to {tag.rpartition('/')[0]}: if that does not "
        "exist any more, name it here to take the job over"
    )


def adopt(
    o: JobObservation, plan: Plan, record: JobRecord, now: datetime
) -> Decision[OCIJobStatus]:
    """Make the OCI job one of this object's revisions: the current one if it is as the manifest says."""
    if not o.job.metadata.has_finalizer:
        return Decision(status=o.job.status, actions=(AddFinalizer(),))
    if (copy := o.identity.copy_first) is not None:
        return Decision(status=o.job.status, actions=(copy,))
    content = record.content
    same = content is not None and _is_revision(o, plan, record, content)
    name = plan.revision if same else adopted_name(record.id)
    revision = Revision(
        name=name,
        job_id=record.id,
        settings_digest="",
        artifact=_code_of(o, plan, content) if same else None,
        complete=True,
        last_used_at=now,
    )
    others = [r for r in o.job.status.revisions if r.name != name and r.job_id != record.id]
    status = write_status(
        o,
        now,
        standing=Standing.PROGRESSING,
        reason=Reason.CREATING,
        message=f"adopting OCI job {record.id}",
        owner=o.owner,
        identity=plan.caller.identity,
        region=plan.caller.region,
        compartment_id=record.compartment_id,
        project_id=plan.request.project_id,
        revisions=(*others, revision),
        adopted=_adopted(o, record, kept=True),
    )
    how = "" if same else "; the manifest says something else, and so another is made beside it"
    note = Note(reason=Reason.ADOPTED, message=f"adopted OCI job {record.id}{how}")
    return Decision(status=status, notes=(note,))


def _code_of(o: JobObservation, plan: Plan, content: JobCreation | None) -> Artifact | None:
    """Return the code at the place where the OCI job has it: that of another cluster, or namespace."""
    if plan.artifact is None or content is None:
        return None
    return o.backend.code_found(plan.artifact, content)


def _is_revision(o: JobObservation, plan: Plan, record: JobRecord, content: JobCreation) -> bool:
    """Whether the OCI job is what the manifest says, its code included.

    The code can't be compared, but an OCI job that this operator made tells its revision; and one that has no
    artifact is what its configuration says.
    """
    if o.job.spec.runtime is None:
        return True
    if record.owner is not None:
        return record.owner.rpartition("/")[2] == plan.revision
    return plan.sources.artifact is None and o.backend.starts_the_same(plan.request, content)


def observe(
    o: JobObservation, caller: Caller, seen: Seen, plan: Plan | None, now: datetime
) -> Decision[OCIJobStatus]:
    """Tell of an OCI job that is only looked at."""
    record, content = seen.record, seen.record.content
    differences: tuple[Difference, ...] = ()
    if plan is not None and content is not None:
        differences = (
            all_differences(o.backend, plan.request, content)
            if o.job.spec.runtime is not None
            else setting_differences(o.backend, plan.request.settings, content.settings)
        )
    status = write_status(
        o,
        now,
        standing=Standing.READY,
        reason=Reason.OBSERVED,
        message=f"OCI job {record.id} is looked at, and never changed",
        identity=caller.identity,
        region=caller.region,
        compartment_id=record.compartment_id,
        project_id=content.project_id if content is not None else None,
        job_id=record.id,
        revision=adopted_name(record.id),
        console_url=job_url(caller.region, record.id),
        adopted=_adopted(o, record, kept=False),
        differences=differences,
    )
    factor = 0.9 + 0.2 * fraction(o.job.metadata.uid, 1)
    due = seen.at + timedelta(seconds=o.settings.drift_interval_seconds * factor)
    again = LookUpJob(
        caller=caller, compartment_id=record.compartment_id, job_id=record.id, epoch=o.epoch
    )
    sources = o.known.sources
    return Decision(
        status=status,
        actions=(again,) if now >= due else (),
        wake_at=due if now < due else None,
        sources_checked_at=sources.checked_at
        if sources is not None and serves_current_spec(o)
        else None,
    )


def _adopted(o: JobObservation, record: JobRecord, *, kept: bool) -> AdoptedJob:
    if record.content is None:
        return AdoptedJob(ocid=record.id, kept=kept)
    starts = o.backend.foreign_template(record.content)
    return AdoptedJob(
        ocid=record.id,
        kept=kept,
        command_line_arguments=starts.command_line_arguments,
        maximum_runtime_in_minutes=starts.maximum_runtime_in_minutes,
    )
