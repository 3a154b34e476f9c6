"""What a run is launched with, or what hinders its launch.

The same function serves the first launch and the rebuilding of a request after a crash: what is built from the same
objects is the same request, and its digest says whether the objects are the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from ocijobs.api.conditions import ConditionStatus, ConditionType, find, is_true
from ocijobs.api.environment import EnvVar
from ocijobs.api.job import OCIJob
from ocijobs.api.job_run import Binding
from ocijobs.api.names import TAG_NAME, TAG_OWNER
from ocijobs.api.reasons import Reason
from ocijobs.reconcile.decision import Action, Caller, ReadValues, RefreshJob
from ocijobs.reconcile.digest import digest, owner_tag
from ocijobs.reconcile.environment import (
    NO_VALUES,
    Values,
    expand,
    names_in,
    references,
    reserved_names,
    resolve,
)
from ocijobs.reconcile.job.limits import over_limit
from ocijobs.reconcile.job.workload import (
    all_variables,
    has_settings_of_runs,
    run_workload,
    variables_of,
)
from ocijobs.reconcile.pacing import due_at
from ocijobs.reconcile.remote import Operation
from ocijobs.reconcile.requests import MultiNode, RunRequest, SingleNode, Tags, Workload
from ocijobs.reconcile.run.binding import bind, service_variables
from ocijobs.reconcile.run.observation import RunObservation

FIRST_ATTEMPT = 0

_ROUNDING = timedelta(seconds=1)
"""How much later than its creationTimestamp an object may have been created: the API server cuts off fractions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """All that a launch needs: as whom, what is sent, and what is recorded of it."""

    caller: Caller
    request: RunRequest
    request_digest: str
    revision: str
    binding: Binding


@dataclass(frozen=True, slots=True, kw_only=True)
class Hindrance:
    """Why a run can't be launched now.

    `reason` is None for what passes within moments and is not worth a status write; `fatal` is for what only another
    run can mend.
    """

    reason: Reason | None = None
    message: str = ""
    fatal: bool = False
    action: Action | None = None
    wake_at: datetime | None = None


def prepare(o: RunObservation, now: datetime) -> Launch | Hindrance:
    """Return the launch of the run as things are, or the first thing that hinders it."""
    settled_at = (
        o.run.metadata.creation_timestamp
        + _ROUNDING
        + timedelta(seconds=o.settings.launch_settle_seconds)
    )
    if now < settled_at:
        return Hindrance(wake_at=settled_at)
    job = o.job
    if job is None:
        return _missing_job(o)
    if (hindrance := _job_hindrance(job) or _turn(o, job)) is not None:
        return hindrance
    if o.job_checked_at is None or o.job_checked_at < settled_at:
        return Hindrance(action=RefreshJob(name=job.metadata.name, after=settled_at))
    caller = o.identity.caller(job.status.region)
    if caller is None:
        if o.identity.obstacle is None:
            return Hindrance()
        reason, message = o.identity.obstacle
        return Hindrance(reason=reason, message=message)
    variables = all_variables(job.spec, o.run.spec)
    values = _values(o, variables, settled_at)
    if isinstance(values, Hindrance):
        return values
    return _launch(o, job, caller, variables, values)


def _missing_job(o: RunObservation) -> Hindrance:
    name, namespace = o.run.spec.job_ref.name, o.run.metadata.namespace
    return Hindrance(
        reason=Reason.WAITING_FOR_JOB,
        message=f"spec.jobRef: there is no OCIJob {name} in namespace {namespace}",
    )


def _job_hindrance(job: OCIJob) -> Hindrance | None:
    """Return why the job can't serve a launch: it must be Ready for its current generation."""
    if job.metadata.deleting:
        return Hindrance(
            reason=Reason.JOB_DELETED, message=f"OCIJob {job.metadata.name} is being deleted"
        )
    ready = find(job.status.conditions, ConditionType.READY)
    if ready is None or ready.status is not ConditionStatus.TRUE:
        # What passes by itself is not told: hundreds of runs may wait, and each would write it.
        why = f": {ready.reason}: {ready.message}" if ready and _lasting(job) else " yet"
    elif ready.observed_generation != job.metadata.generation:
        why = " yet"
    elif job.status.job_id is None or job.status.revision is None:
        why = ": it has no revision"
    else:
        return None
    return Hindrance(
        reason=Reason.WAITING_FOR_JOB, message=f"OCIJob {job.metadata.name} is not ready{why}"
    )


def _turn(o: RunObservation, job: OCIJob) -> Hindrance | None:
    """Return that as many runs of the job are active as may be, the run's own intent excepted."""
    most = job.spec.max_active_runs
    if most is None or o.ahead < most or o.run.status.submit is not None:
        return None
    return Hindrance(
        reason=Reason.MAX_ACTIVE_RUNS,
        message=f"spec.maxActiveRuns of OCIJob {job.metadata.name} is {most}: waiting for its turn",
    )


def _lasting(job: OCIJob) -> bool:
    """Whether the job waits for people or for others."""
    return job.status.blocked_since is not None or is_true(
        job.status.conditions, ConditionType.STALLED
    )


def _values(
    o: RunObservation, variables: tuple[EnvVar, ...], settled_at: datetime
) -> Values | Hindrance:
    """Return what the variables' references give, read no earlier than the run was settled."""
    keys = references(variables)
    if not keys:
        return NO_VALUES
    known = o.known
    if known.values is not None and known.values_at is not None and known.values_at >= settled_at:
        return known.values
    call = known.calls.get(Operation.READ_VALUES)
    due = due_at(call, epoch=o.epoch, seed=o.run.metadata.uid, settings=o.settings)
    return Hindrance(
        reason=Reason.WAITING_FOR_VALUE if call and call.refusal else None,
        message=f"spec.env: {call.refusal.message}" if call and call.refusal else "",
        action=ReadValues(keys=keys, epoch=o.epoch),
        wake_at=due,
    )


def _launch(
    o: RunObservation,
    job: OCIJob,
    caller: Caller,
    variables: tuple[EnvVar, ...],
    values: Values,
) -> Launch | Hindrance:
    spec, meta, status = o.run.spec, o.run.metadata, job.status
    if (
        status.job_id is None
        or status.revision is None
        or not (status.compartment_id and status.project_id)
    ):
        return Hindrance(
            reason=Reason.WAITING_FOR_JOB, message=f"OCIJob {job.metadata.name} is not ready"
        )
    workload = run_workload(job, spec, values, caller.region)
    resolved = resolve(variables_of(job.spec, spec), values)
    known = resolved | service_variables(status.job_id, status.compartment_id, status.project_id)
    problem = _over_limit(o, variables, workload) or _unusable_uri(job, known, values)
    if problem is not None:
        return Hindrance(reason=Reason.INVALID_SPEC, message=problem, fatal=True)
    touched = bool(
        spec.env
        or spec.args is not None
        or spec.maximum_runtime_in_minutes is not None
        or references(variables)
        or (job.spec.runtime is None and has_settings_of_runs(job.spec))
    )
    request = RunRequest(
        compartment_id=status.compartment_id,
        project_id=status.project_id,
        job_id=status.job_id,
        display_name=spec.display_name or f"{meta.namespace}/{meta.name}",
        tags=Tags(
            freeform={
                **(spec.freeform_tags or {}),
                TAG_OWNER: run_owner(o),
                TAG_NAME: f"{meta.namespace}/{meta.name}",
            },
            defined=spec.defined_tags or {},
        ),
        workload=workload if touched else None,
    )
    outputs = job.spec.outputs
    return Launch(
        caller=caller,
        request=request,
        request_digest=_request_digest(
            request, variables, values, job.spec.args if spec.args is None else spec.args
        ),
        revision=status.revision,
        binding=bind(job, values, expand(outputs.uri, known) if outputs else None),
    )


def _minutes(workload: Workload | None) -> int | None:
    match workload:
        case SingleNode(configuration=configuration):
            return configuration.maximum_runtime_in_minutes
        case MultiNode(maximum_runtime_in_minutes=minutes):
            return minutes
        case None:
            return None


def run_owner(o: RunObservation) -> str:
    """Return the owner tag of the run's first attempt."""
    return owner_tag(cluster_id=o.cluster_id, uid=o.run.metadata.uid, subject=str(FIRST_ATTEMPT))


def _over_limit(o: RunObservation, variables: tuple[EnvVar, ...], workload: Workload) -> str | None:
    """Return what OCI would refuse about the merged variables and arguments, in words."""
    if reserved := reserved_names(variables):
        return (
            f"spec.env: {', '.join(reserved)}: reserved for OCI and the operator, use other names"
        )
    return over_limit(workload, o.settings, merged=", merged with the job's,")


def _unusable_uri(job: OCIJob, known: Mapping[str, str], values: Values) -> str | None:
    """Return why the outputs' address can't be told from here, in words."""
    if job.spec.outputs is None:
        return None
    where, uri = f"spec.outputs.uri of OCIJob {job.metadata.name}", job.spec.outputs.uri
    strange = [name for name in names_in(uri) if name not in {*known, "JOB_RUN_OCID"}]
    if strange:
        return f"{where}: {', '.join(strange)}: no variable of the run; set it in spec.env"
    if any(secret and secret in expand(uri, known) for secret in values.secrets):
        return f"{where}: it would show a value of a Secret: use other variables"
    return None


def _request_digest(
    request: RunRequest, variables: tuple[EnvVar, ...], values: Values, args: tuple[str, ...]
) -> str:
    """Return the digest of the request: Secrets count by uid and resourceVersion, never by value.

    Variables and arguments are taken as they were written, since expanded ones may hold a secret.
    """
    return digest(
        {
            "compartmentId": request.compartment_id,
            "projectId": request.project_id,
            "jobId": request.job_id,
            "displayName": request.display_name,
            "freeformTags": request.tags.freeform,
            "definedTags": request.tags.defined,
            "overridden": request.workload is not None,
            "env": [variable.document() for variable in variables],
            "values": {str(k): v for k, v in values.values.items() if k.kind == "ConfigMap"},
            "objects": [item.document() for item in values.objects if item.kind == "Secret"],
            "args": list(args),
            "maximumRuntimeInMinutes": _minutes(request.workload),
        }
    )
