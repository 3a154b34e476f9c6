"""The request of a run on Data Science: what it is sent that its OCI job does not say, or says otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ocijobs.api.run.binding import JobBinding
from ocijobs.api.run.settings import RunSettings
from ocijobs.api.shared.environment import EnvVar
from ocijobs.api.shared.names import SCHEDULED_TIME
from ocijobs.backends.binding import service_variables
from ocijobs.backends.data_science.compute import machine
from ocijobs.backends.data_science.limits import over_limit
from ocijobs.backends.data_science.machines import Compute, ComputeCluster
from ocijobs.backends.data_science.workload import machines, run_workload
from ocijobs.backends.environment import (
    Values,
    expand,
    groups_of,
    names_in,
    references,
    resolve,
    variables_of,
)
from ocijobs.backends.requests import (
    JobConfiguration,
    LogConfiguration,
    NoLog,
    RunRequest,
    SingleNode,
    Workload,
)
from ocijobs.reconcile.run.observation import RunObservation
from ocijobs.reconcile.run.request import Sent, moved_on, reserved_problem, tags_of


def job_run_request(o: RunObservation, job: JobBinding, sent: Sent) -> RunRequest | str:
    """Return the request of the run, or what it can't have, in words."""
    meta, settings = o.run.metadata, sent.settings
    workload = run_workload(sent.template, settings, sent.values)
    problem = _over_limit(o, sent.variables, workload) or _impossible(
        o, job, _known(job, sent), sent
    )
    if problem is not None:
        return problem
    return RunRequest(
        compartment_id=job.compartment_id or "",
        project_id=job.project_id or "",
        job_id=job.job_id or "",
        display_name=settings.display_name or f"{meta.namespace}/{meta.name}",
        tags=tags_of(o, settings),
        workload=_with_schedule(o, workload) if _touches(o, job, sent) else None,
        infrastructure=_infrastructure(o, job, sent),
        log=_log(settings),
    )


def outputs_of(job: JobBinding, sent: Sent) -> str | None:
    """Return where the run's outputs go, expanded but for its own OCID."""
    uri = job.outputs_uri_template
    return expand(uri, _known(job, sent)) if uri else None


def _known(job: JobBinding, sent: Sent) -> dict[str, str]:
    """Return the variables of the run that are known before it."""
    return resolve(variables_of(sent.template, sent.settings), sent.values) | service_variables(
        job.job_id or "", job.compartment_id or "", job.project_id or ""
    )


def _touches(o: RunObservation, job: JobBinding, sent: Sent) -> bool:
    """Whether the run starts anything else than the OCI job says: then the block is sent whole."""
    settings, template = sent.settings, sent.template
    machines_differ = bool(groups_of(template)) and (
        settings.infrastructure is not None or moved_on(o, job)
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


def _infrastructure(
    o: RunObservation, job: JobBinding, sent: Sent
) -> Compute | ComputeCluster | None:
    """Return the machine that is sent with the run; groups of nodes are sent with what they start."""
    given = machines(sent.template, sent.settings)
    if given is None or groups_of(sent.template):
        return None
    if sent.settings.infrastructure is None and not moved_on(o, job):
        return None
    return machine(given)


def _log(settings: RunSettings) -> LogConfiguration | NoLog | None:
    given = settings.logging
    if given is None:
        return None
    if given.log_group_id is None:
        return NoLog()
    return LogConfiguration(log_group_id=given.log_group_id, log_id=given.log_id)


def _over_limit(o: RunObservation, variables: tuple[EnvVar, ...], workload: Workload) -> str | None:
    """Return what OCI would refuse about the merged variables and arguments, in words."""
    return reserved_problem(variables) or over_limit(
        workload, o.settings, merged=", merged with the job's,"
    )


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
