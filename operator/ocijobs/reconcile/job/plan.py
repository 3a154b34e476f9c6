"""What a job is to be in OCI, worked out from the spec, the identity and the sources; or why that can't be said yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ocijobs.api.conditions import ConditionType, is_true
from ocijobs.api.names import ANNOTATION_REQUESTED_AT
from ocijobs.api.reasons import Reason
from ocijobs.reconcile.compute import mounts
from ocijobs.reconcile.decision import Caller, ReadSources, ServedSource
from ocijobs.reconcile.environment import reserved_names
from ocijobs.reconcile.job.configuration import (
    job_request,
    log_configuration,
    revision_name,
    settings_digest,
)
from ocijobs.reconcile.job.known import SourcesRead
from ocijobs.reconcile.job.limits import over_limit
from ocijobs.reconcile.job.observation import JobObservation
from ocijobs.reconcile.job.workload import all_variables, job_workload
from ocijobs.reconcile.pacing import LONG_PAUSE_SECONDS, due_at
from ocijobs.reconcile.remote import Call, Operation
from ocijobs.reconcile.requests import JobRequest

_SHORTEST_PAUSE_SECONDS = 2.0
"""Shortest pause before sources that lack something are read again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The revision that is wanted, and the requests that make it."""

    caller: Caller
    revision: str
    request: JobRequest
    settings_digest: str
    sources: SourcesRead


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """Why there is no plan now: `invalid` is what only an edit of the spec or of the sources can mend."""

    reason: Reason
    message: str
    invalid: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Whether the sources are to be read, and if not, when."""

    action: ReadSources | None = None
    due_at: datetime | None = None


def reading(o: JobObservation, now: datetime) -> Reading:
    """Return whether the sources are to be read now: after an edit, on request, before a launch, and at intervals."""
    sources, meta = o.known.sources, o.job.metadata
    caller = o.identity.caller(o.job.status.region)
    if caller is None:
        return Reading()  # Nothing can be made of them before the identity is there.
    action = ReadSources(spec=o.job.spec, caller=caller, served=_served(o), epoch=o.epoch)
    call = o.known.calls.get(Operation.READ_SOURCES)
    held_until = due_at(call, epoch=o.epoch, seed=meta.uid, settings=o.settings)
    if held_until is not None and now < held_until:
        return Reading(due_at=held_until)
    if sources is None or sources.generation != meta.generation:
        return Reading(action=action)
    if sources.requested != meta.annotations.get(ANNOTATION_REQUESTED_AT, ""):
        return Reading(action=action)
    if o.refresh_after is not None and sources.at < o.refresh_after:
        # It is past where the run asked, and may not be here: clocks are set back.
        early = now < o.refresh_after
        return Reading(due_at=o.refresh_after) if early else Reading(action=action)
    interval = o.settings.source_interval_seconds
    if sources.missing is not None or sources.invalid is not None:
        interval = _pause_while_broken(o, sources)
    due = sources.at + timedelta(seconds=interval)
    return Reading(action=action) if now >= due else Reading(due_at=due)


def _served(o: JobObservation) -> ServedSource | None:
    """Return the source of the current revision, if that is of this very spec and whole."""
    status = o.job.status
    source = status.source
    current = next((r for r in status.revisions if r.name == status.revision), None)
    if source is None or current is None or not current.complete or current.removing:
        return None
    if not source.version or not serves_current_spec(o):
        return None
    return ServedSource(version=source.version, digest=source.digest, artifact=current.artifact)


def _pause_while_broken(o: JobObservation, sources: SourcesRead) -> float:
    """Return the pause before sources that lack something are read again: longer the longer they do."""
    since = o.job.status.blocked_since
    if since is None:
        return LONG_PAUSE_SECONDS
    lasted = (sources.at - since).total_seconds()
    return min(LONG_PAUSE_SECONDS, max(_SHORTEST_PAUSE_SECONDS, lasted / 2))


def make_plan(o: JobObservation) -> Plan | Obstacle | None:
    """Return what the job is to be, or why that can't be said; None while that is being found out."""
    status, spec = o.job.status, o.job.spec
    caller = o.identity.caller(status.region)
    if caller is None:
        if o.identity.obstacle is None:
            return None
        reason, message = o.identity.obstacle
        return Obstacle(reason=reason, message=message)
    if o.identity.deleting and status.identity is None:
        message = f"{o.identity.reference.kind} {o.identity.reference.name} is being deleted"
        return Obstacle(reason=Reason.WAITING_FOR_IDENTITY, message=message)
    defaults = o.identity.defaults
    compartment_id = status.compartment_id or spec.compartment_id or defaults.compartment_id
    project_id = status.project_id or spec.project_id or defaults.project_id
    if compartment_id is None or project_id is None:
        field = "compartmentId" if compartment_id is None else "projectId"
        message = (
            f"spec.{field}: is not set, and {o.identity.reference.kind} {o.identity.reference.name} has no "
            f"spec.defaults.{field}: set one of the two"
        )
        return Obstacle(reason=Reason.INVALID_SPEC, message=message, invalid=True)
    sources = o.known.sources
    if sources is None or sources.generation != o.job.metadata.generation:
        return _unread(o)
    if sources.missing is not None:
        return Obstacle(reason=Reason.WAITING_FOR_SOURCE, message=sources.missing)
    if (problem := _problem(o, sources, caller.region)) is not None:
        return Obstacle(reason=Reason.INVALID_SPEC, message=problem, invalid=True)
    log = log_configuration(spec, defaults.log_group_id)
    revision = revision_name(
        spec,
        compartment_id=compartment_id,
        project_id=project_id,
        log=log,
        sources_digest=sources.digest,
    )
    request = job_request(
        o.job,
        cluster_id=o.cluster_id,
        revision=revision,
        compartment_id=compartment_id,
        project_id=project_id,
        region=caller.region,
        log=log,
        storage_mounts=mounts(spec, {}),
    )
    return Plan(
        caller=caller,
        revision=revision,
        request=request,
        settings_digest=settings_digest(request.settings),
        sources=sources,
    )


def unreachable(o: JobObservation) -> Call | None:
    """Return the last try to read a remote source, if it failed.

    What is in the cluster is always there in a moment, and is waited for: an edited ConfigMap must not be passed over.
    """
    call = o.known.calls.get(Operation.READ_SOURCES)
    failed = call is not None and call.refusal is not None and call.epoch == o.epoch
    return call if failed and o.job.spec.runtime.reads_remotely else None


def _unread(o: JobObservation) -> Obstacle | None:
    call = o.known.calls.get(Operation.READ_SOURCES)
    if call is None or call.refusal is None:
        return None
    return Obstacle(
        reason=Reason.SOURCE_UNREACHABLE,
        message=call.refusal.message,
    )


def _problem(o: JobObservation, sources: SourcesRead, region: str) -> str | None:
    """Return what OCI would refuse about the spec, in words."""
    if sources.invalid is not None:
        return sources.invalid
    if sources.size > (limit := o.settings.artifact_limit_bytes):
        return (
            f"spec.runtime: the artifact has {sources.size} bytes, and {limit} are allowed: "
            "keep data in Object Storage and only code in the source"
        )
    if reserved := reserved_names(all_variables(o.job.spec, None)):
        return (
            f"spec.env: {', '.join(reserved)}: reserved for OCI and the operator, use other names"
        )
    return over_limit(job_workload(o.job.spec, region), o.settings, merged="")


def serves_current_spec(o: JobObservation) -> bool:
    """Whether the status, as the API server has it, is Ready for the current spec."""
    status = o.job.status
    return (
        is_true(status.conditions, ConditionType.READY)
        and status.observed_generation == o.job.metadata.generation
        and status.job_id is not None
    )
