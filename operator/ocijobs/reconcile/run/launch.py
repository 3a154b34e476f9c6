"""What a run is launched with, or what hinders its launch.

The same function serves the first launch and the rebuilding of a request after a crash: what is built from the same
objects is the same request, and its digest says whether the objects are the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from ocijobs.api.environment import EnvVar
from ocijobs.api.job_run import RunSettings
from ocijobs.api.names import SCHEDULED_TIME, TAG_NAME, TAG_OWNER
from ocijobs.api.reasons import Reason
from ocijobs.api.run_binding import Binding, BoundApplication, JobBinding, RunTemplate
from ocijobs.reconcile.compute import Compute, ComputeCluster, machine
from ocijobs.reconcile.decision import Caller, ReadValues
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
from ocijobs.reconcile.job.application import spark_settings
from ocijobs.reconcile.job.limits import over_limit
from ocijobs.reconcile.job.variables import all_variables, groups_of, variables_of
from ocijobs.reconcile.job.workload import machines, run_workload
from ocijobs.reconcile.pacing import due_at
from ocijobs.reconcile.remote import Operation
from ocijobs.reconcile.requests import (
    ApplicationRunRequest,
    JobConfiguration,
    LogConfiguration,
    MultiNode,
    NoLog,
    RunCreation,
    RunRequest,
    SingleNode,
    Tags,
    Workload,
)
from ocijobs.reconcile.run.attempts import attempt_number, retry_at
from ocijobs.reconcile.run.binding import bind, service_variables
from ocijobs.reconcile.run.bound_job import bound_job, settled_at
from ocijobs.reconcile.run.dependencies import with_results
from ocijobs.reconcile.run.observation import RunObservation
from ocijobs.reconcile.run.spark_problem import spark_problem
from ocijobs.reconcile.serving import Hindrance


@dataclass(frozen=True, slots=True)
class Sent:
    """What a request is made of."""

    template: RunTemplate
    settings: RunSettings
    variables: tuple[EnvVar, ...]
    values: Values


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """All that a launch needs: as whom, what is sent, and what is recorded of it."""

    caller: Caller
    request: RunCreation
    request_digest: str
    revision: str | None
    binding: Binding


def prepare(o: RunObservation, now: datetime) -> Launch | Hindrance:
    """Return the launch of the run as things are, or the first thing that hinders it."""
    settled = settled_at(o)
    retry = retry_at(o.run.status, o.run.metadata.uid, o.settings)
    if (due := max(settled, retry or settled)) > now:
        return Hindrance(wake_at=due)
    bound = bound_job(o)
    if isinstance(bound, Hindrance):
        return bound
    job, caller = bound
    settings = with_results(o)
    template = job.template or RunTemplate()
    variables = all_variables(template, settings)
    values = _values(o, variables, settled)
    if isinstance(values, Hindrance):
        return values
    return _launch(o, job, caller, Sent(template, settings, variables, values))


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


def _launch(o: RunObservation, job: JobBinding, caller: Caller, sent: Sent) -> Launch | Hindrance:
    meta = o.run.metadata
    settings, template = sent.settings, sent.template
    application = template.application
    if not (job.job_id and job.compartment_id and (job.project_id or application is not None)):
        return Hindrance(reason=Reason.WAITING_FOR_JOB, message="the OCI job is not known yet")
    if application is not None:
        return _spark_launch(o, job, caller, sent, application)
    workload = run_workload(template, settings, sent.values)
    known = resolve(variables_of(template, settings), sent.values) | service_variables(
        job.job_id, job.compartment_id, job.project_id or ""
    )
    problem = _over_limit(o, sent.variables, workload) or _impossible(o, job, known, sent)
    if problem is not None:
        return Hindrance(reason=Reason.INVALID_SPEC, message=problem, fatal=True)
    request = RunRequest(
        compartment_id=job.compartment_id,
        project_id=job.project_id or "",
        job_id=job.job_id,
        display_name=settings.display_name or f"{meta.namespace}/{meta.name}",
        tags=_tags(o, settings),
        workload=_with_schedule(o, workload) if _touches(o, job, sent) else None,
        infrastructure=_infrastructure(o, job, sent),
        log=_log(settings),
    )
    uri = job.outputs_uri_template
    return Launch(
        caller=caller,
        request=request,
        request_digest=_request_digest(request, sent),
        revision=job.revision,
        binding=bind(job, settings, sent.values, expand(uri, known) if uri else None),
    )


def _tags(o: RunObservation, settings: RunSettings) -> Tags:
    meta = o.run.metadata
    return Tags(
        freeform={
            **(settings.freeform_tags or {}),
            TAG_OWNER: run_owner(o),
            TAG_NAME: f"{meta.namespace}/{meta.name}",
        },
        defined=settings.defined_tags or {},
    )


def _spark_launch(
    o: RunObservation,
    job: JobBinding,
    caller: Caller,
    sent: Sent,
    application: BoundApplication,
) -> Launch | Hindrance:
    """Return the launch of a run of Data Flow: what it is sent, it is sent whole."""
    meta, settings, template = o.run.metadata, sent.settings, sent.template
    problem = _reserved(sent.variables) or spark_problem(o, template, sent.variables)
    if problem is not None:
        return Hindrance(reason=Reason.INVALID_SPEC, message=problem, fatal=True)
    told = {SCHEDULED_TIME: o.scheduled_time} if o.scheduled_time is not None else {}
    touched = (
        settings.env
        or settings.args is not None
        or settings.maximum_runtime_in_minutes is not None
        or settings.spark is not None
        or references(sent.variables)
        or (told and not template.made_elsewhere)
        or _moved_on(o, job)
    )
    request = ApplicationRunRequest(
        compartment_id=job.compartment_id or "",
        job_id=job.job_id or "",
        display_name=settings.display_name or f"{meta.namespace}/{meta.name}",
        tags=_tags(o, settings),
        spark=spark_settings(template, application, settings, sent.values, told=told)
        if touched
        else None,
    )
    return Launch(
        caller=caller,
        request=request,
        request_digest=_request_digest(request, sent),
        revision=job.revision,
        binding=bind(job, settings, sent.values, None),
    )


def _touches(o: RunObservation, job: JobBinding, sent: Sent) -> bool:
    """Whether the run starts anything else than the OCI job says: then the block is sent whole."""
    settings, template = sent.settings, sent.template
    machines_differ = bool(groups_of(template)) and (
        settings.infrastructure is not None or _moved_on(o, job)
    )
    return bool(
        settings.env
        or settings.args is not None
        or settings.maximum_runtime_in_minutes is not None
        or settings.container is not None
        or references(sent.variables)
        or template.made_elsewhere
        or o.scheduled_time is not None
        or machines_differ
    )


def _with_schedule(o: RunObservation, workload: Workload) -> Workload:
    """Return the workload with the time that a schedule made the run for, if one did."""
    if o.scheduled_time is None:
        return workload
    name, time = SCHEDULED_TIME, o.scheduled_time

    def told(configuration: JobConfiguration) -> JobConfiguration:
        variables = {**configuration.environment_variables, name: time}
        return replace(configuration, environment_variables=variables)

    if isinstance(workload, SingleNode):
        return replace(workload, configuration=told(workload.configuration))
    groups = tuple(replace(g, configuration=told(g.configuration)) for g in workload.groups)
    return replace(workload, groups=groups)


def _moved_on(o: RunObservation, job: JobBinding) -> bool:
    """Whether the OCIJob has changed since it was bound: what OCI changes in place may be another now."""
    return o.job is not None and o.job.metadata.generation != job.job_generation


def _infrastructure(
    o: RunObservation, job: JobBinding, sent: Sent
) -> Compute | ComputeCluster | None:
    """Return the machine that is sent with the run; groups of nodes are sent with what they start."""
    given = machines(sent.template, sent.settings)
    if given is None or groups_of(sent.template):
        return None
    if sent.settings.infrastructure is None and not _moved_on(o, job):
        return None
    return machine(given)


def _log(settings: RunSettings) -> LogConfiguration | NoLog | None:
    given = settings.logging
    if given is None:
        return None
    if given.log_group_id is None:
        return NoLog()
    return LogConfiguration(log_group_id=given.log_group_id, log_id=given.log_id)


def _minutes(workload: Workload | None) -> int | None:
    match workload:
        case SingleNode(configuration=configuration):
            return configuration.maximum_runtime_in_minutes
        case MultiNode(maximum_runtime_in_minutes=minutes):
            return minutes
        case None:
            return None


def run_owner(o: RunObservation) -> str:
    """Return the owner tag of the attempt that is under way, or comes next."""
    number = attempt_number(o.run.status)
    return owner_tag(cluster_id=o.cluster_id, uid=o.run.metadata.uid, subject=str(number))


def _over_limit(o: RunObservation, variables: tuple[EnvVar, ...], workload: Workload) -> str | None:
    """Return what OCI would refuse about the merged variables and arguments, in words."""
    return _reserved(variables) or over_limit(
        workload, o.settings, merged=", merged with the job's,"
    )


def _reserved(variables: tuple[EnvVar, ...]) -> str | None:
    """Return which names can't be used, in words."""
    if reserved := reserved_names(variables):
        return (
            f"spec.env: {', '.join(reserved)}: reserved for OCI and the operator, use other names"
        )
    return None


def _impossible(
    o: RunObservation, job: JobBinding, known: Mapping[str, str], sent: Sent
) -> str | None:
    """Return what the job can't be run with, in words."""
    settings, template = sent.settings, sent.template
    name = o.run.job_name or o.run.spec.job_id
    if settings.spark is not None:
        return f"spec.spark: OCIJob {name} runs no Spark"
    if settings.container is not None and template.container is None:
        return f"spec.container: OCIJob {name} runs no container"
    if settings.infrastructure is not None:
        if template.infrastructure is None:
            return (
                f"spec.infrastructure: the machines of {name} are not known here: make it an OCIJob"
            )
        if template.infrastructure.compute_target is not None:
            return f"spec.infrastructure: OCIJob {name} runs on a compute target, which has its own"
    return _unusable_uri(job, f"spec.outputs.uri of OCIJob {name}", known, sent.values)


def _unusable_uri(
    job: JobBinding, where: str, known: Mapping[str, str], values: Values
) -> str | None:
    """Return why the outputs' address can't be told from here, in words."""
    uri = job.outputs_uri_template
    if uri is None:
        return None
    strange = [name for name in names_in(uri) if name not in {*known, "JOB_RUN_OCID"}]
    if strange:
        return f"{where}: {', '.join(strange)}: no variable of the run; set it in spec.env"
    if any(secret and secret in expand(uri, known) for secret in values.secrets):
        return f"{where}: it would show a value of a Secret: use other variables"
    return None


def _request_digest(request: RunCreation, sent: Sent) -> str:
    """Return the digest of the request: Secrets count by uid and resourceVersion, never by value.

    Variables and arguments are taken as they were written, since expanded ones may hold a secret.
    """
    settings, values = sent.settings, sent.values
    if isinstance(request, RunRequest):
        own: dict[str, object] = {
            "projectId": request.project_id,
            "overridden": request.workload is not None,
            "maximumRuntimeInMinutes": _minutes(request.workload),
            "infrastructure": settings.infrastructure.document()
            if request.infrastructure and settings.infrastructure
            else bool(request.infrastructure),
            "logging": settings.logging.document() if settings.logging else None,
            "container": settings.container.document() if settings.container else None,
        }
    else:
        own = {
            "overridden": request.spark is not None,
            "maximumRuntimeInMinutes": settings.maximum_runtime_in_minutes,
            "spark": settings.spark.document() if settings.spark else None,
        }
    return digest(
        {
            **own,
            "compartmentId": request.compartment_id,
            "jobId": request.job_id,
            "displayName": request.display_name,
            "freeformTags": request.tags.freeform,
            "definedTags": request.tags.defined,
            "template": sent.template.document(),
            "env": [variable.document() for variable in sent.variables],
            "values": {str(k): v for k, v in values.values.items() if k.kind == "ConfigMap"},
            "objects": [item.document() for item in values.objects if item.kind == "Secret"],
            "args": list(sent.template.args if settings.args is None else settings.args),
        }
    )
