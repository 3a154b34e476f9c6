"""Whether an OCIJob can serve a first launch: of a run, or of all runs of a sweep."""

from __future__ import annotations

from datetime import datetime

from ocijobs.api.job.spec import OCIJob
from ocijobs.api.run.binding import JobBinding
from ocijobs.api.shared.conditions import ConditionStatus, ConditionType, find, is_true
from ocijobs.api.shared.reasons import Reason
from ocijobs.backends.binding import template_of_job
from ocijobs.backends.registry import backend_for
from ocijobs.reconcile.actions.calls import Caller, Launcher
from ocijobs.reconcile.actions.runs import RefreshJob
from ocijobs.reconcile.blocking import Blocker
from ocijobs.reconcile.identity_view import IdentityView


def missing_job(name: str, namespace: str) -> Blocker:
    """Return what to say while the OCIJob does not exist."""
    return Blocker(
        reason=Reason.WAITING_FOR_JOB,
        message=f"spec.jobRef: there is no OCIJob {name} in namespace {namespace}",
    )


def serving(
    job: OCIJob,
    identity: IdentityView,
    *,
    sources_checked_at: datetime | None,
    settled_at: datetime,
) -> tuple[JobBinding, Launcher] | Blocker:
    """Return the job as a first launch takes it, and as whom, or what hinders that.

    Args:
        job: the OCIJob.
        identity: who calls OCI.
        sources_checked_at: when the job's sources were last read to the end.
        settled_at: they are read no earlier than this.
    """
    if (blocker := going(job) or not_ready(job)) is not None:
        return blocker
    if (
        blocker := unread(job, sources_checked_at=sources_checked_at, settled_at=settled_at)
    ) is not None:
        return blocker
    caller = launcher_of(identity, job.status.region)
    return caller if isinstance(caller, Blocker) else (bind_job(job, caller), caller)


def going(job: OCIJob) -> Blocker | None:
    """Return that the job is being deleted."""
    if not job.metadata.deleting:
        return None
    return Blocker(
        reason=Reason.JOB_DELETED, message=f"OCIJob {job.metadata.name} is being deleted"
    )


def unread(
    job: OCIJob, *, sources_checked_at: datetime | None, settled_at: datetime
) -> Blocker | None:
    """Return that the job's sources are to be read again: what was read before may be of a former apply."""
    if sources_checked_at is not None and sources_checked_at >= settled_at:
        return None
    return Blocker(action=RefreshJob(name=job.metadata.name, after=settled_at))


def launcher_of(identity: IdentityView, region: str | None) -> Launcher | Blocker:
    """Return as whom a run is started, or why that is not possible now."""
    launcher = identity.launcher(region)
    if launcher is not None:
        return launcher
    if identity.blocks_start is None:
        return Blocker()
    reason, message = identity.blocks_start
    return Blocker(reason=reason, message=message)


def not_ready(job: OCIJob) -> Blocker | None:
    """Return why the job can't serve a first launch: it must be Ready for its current generation."""
    ready, status = find(job.status.conditions, ConditionType.READY), job.status
    if ready is None or ready.status is not ConditionStatus.TRUE:
        # What passes by itself is not told: hundreds of runs may wait, and each would write it.
        why = f": {ready.reason}: {ready.message}" if ready and _lasting(job) else " yet"
    elif ready.observed_generation != job.metadata.generation:
        why = " yet"
    elif status.job_id is None or status.revision is None:
        why = ": it has no revision"
    elif not _located(job):
        why = ""
    else:
        return None
    return Blocker(
        reason=Reason.WAITING_FOR_JOB, message=f"OCIJob {job.metadata.name} is not ready{why}"
    )


def _located(job: OCIJob) -> bool:
    """Whether it is known where the job is in OCI."""
    needs_project = backend_for(job.spec.infrastructure).needs_project
    return bool(job.status.compartment_id and (job.status.project_id or not needs_project))


def _lasting(job: OCIJob) -> bool:
    """Whether the job waits for people or for others."""
    return job.status.blocked_since is not None or is_true(
        job.status.conditions, ConditionType.STALLED
    )


def bind_job(job: OCIJob, caller: Caller) -> JobBinding:
    """Return the job as it is now: all runs that are bound to this are alike, whatever becomes of the job."""
    status, outputs = job.status, job.spec.outputs
    backend = backend_for(job.spec.infrastructure)
    return JobBinding(
        job_uid=job.metadata.uid,
        job_generation=job.metadata.generation,
        job_id=status.job_id,
        revision=status.revision,
        identity=caller.identity,
        region=caller.region,
        compartment_id=status.compartment_id,
        project_id=status.project_id,
        artifact_sha256=status.artifact.sha256 if status.artifact is not None else None,
        outputs_uri_template=outputs.uri if outputs is not None else None,
        results=job.spec.results,
        template=template_of_job(backend, job, caller.region),
    )
