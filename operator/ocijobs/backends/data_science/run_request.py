"""The request of a run on Data Science: what it is sent that its OCI job does not say, or says otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import assert_never

from ocijobs.api.run.settings import RunSettings
from ocijobs.api.shared.names import SCHEDULED_TIME
from ocijobs.backends.data_science.compute import machine
from ocijobs.backends.data_science.limits import workload_over_limit
from ocijobs.backends.data_science.machines import Compute, ComputeCluster
from ocijobs.backends.data_science.requests import (
    JobConfiguration,
    LogConfiguration,
    MultiNode,
    NoLog,
    RunRequest,
    SingleNode,
    Workload,
)
from ocijobs.backends.data_science.workload import (
    all_variables,
    groups_of,
    machines,
    run_workload,
)
from ocijobs.backends.environment import expand, names_in, references, resolve, variables_of
from ocijobs.backends.inputs import RunInput


def run_request(run: RunInput) -> RunRequest | str:
    """Return CreateJobRunDetails, or what the run can't have, in words."""
    workload = run_workload(run.template, run.settings, run.values)
    problem = workload_over_limit(
        workload, run.limits, merged=", merged with the job's,"
    ) or _impossible(run)
    if problem is not None:
        return problem
    job = run.job
    return RunRequest(
        compartment_id=job.compartment_id or "",
        project_id=job.project_id or "",
        job_id=job.job_id or "",
        display_name=run.display_name,
        tags=run.tags,
        workload=_with_schedule(run, workload) if _touches(run) else None,
        infrastructure=_infrastructure(run),
        log=_log(run.settings),
    )


def outputs_uri(run: RunInput) -> str | None:
    """Return where the run's outputs go, expanded but for its own OCID."""
    uri = run.job.outputs_uri_template
    return expand(uri, _known(run)) if uri else None


def run_content(request: RunRequest, settings: RunSettings) -> Mapping[str, object]:
    """Return what the digest of a request is taken over, beside what all requests have."""
    return {
        "projectId": request.project_id,
        "overridden": request.workload is not None,
        "maximumRuntimeInMinutes": _minutes(request.workload),
        "infrastructure": settings.infrastructure.document()
        if request.infrastructure and settings.infrastructure
        else bool(request.infrastructure),
        "logging": settings.logging.document() if settings.logging else None,
        "container": settings.container.document() if settings.container else None,
    }


def _minutes(workload: Workload | None) -> int | None:
    match workload:
        case SingleNode(configuration=configuration):
            return configuration.maximum_runtime_in_minutes
        case MultiNode(maximum_runtime_in_minutes=minutes):
            return minutes
        case None:
            return None
        case _:
            assert_never(workload)


def _known(run: RunInput) -> dict[str, str]:
    """Return the variables of the run that are known before it; JOB_RUN_OCID comes with the run."""
    job = run.job
    return resolve(variables_of(run.template, run.settings), run.values) | {
        "JOB_OCID": job.job_id or "",
        "JOB_COMPARTMENT_OCID": job.compartment_id or "",
        "JOB_RUN_COMPARTMENT_OCID": job.compartment_id or "",
        "PROJECT_OCID": job.project_id or "",
    }


def _touches(run: RunInput) -> bool:
    """Whether the run starts anything else than the OCI job says: then the block is sent whole."""
    settings, template = run.settings, run.template
    machines_differ = bool(groups_of(template)) and (
        settings.infrastructure is not None or run.moved_on
    )
    return bool(
        settings.env
        or settings.args is not None
        or settings.maximum_runtime_in_minutes is not None
        or settings.container is not None
        or references(all_variables(template, settings))
        or template.made_elsewhere
        or run.scheduled_time is not None
        or machines_differ
    )


def _with_schedule(run: RunInput, workload: Workload) -> Workload:
    """Return the workload with the time that a schedule made the run for, if one did."""
    if run.scheduled_time is None:
        return workload
    name, time = SCHEDULED_TIME, run.scheduled_time

    def told(configuration: JobConfiguration) -> JobConfiguration:
        variables = {**configuration.environment_variables, name: time}
        return replace(configuration, environment_variables=variables)

    if isinstance(workload, SingleNode):
        return replace(workload, configuration=told(workload.configuration))
    groups = tuple(replace(g, configuration=told(g.configuration)) for g in workload.groups)
    return replace(workload, groups=groups)


def _infrastructure(run: RunInput) -> Compute | ComputeCluster | None:
    """Return the machine that is sent with the run; groups of nodes are sent with what they start."""
    given = machines(run.template, run.settings)
    if given is None or groups_of(run.template):
        return None
    if run.settings.infrastructure is None and not run.moved_on:
        return None
    return machine(given)


def _log(settings: RunSettings) -> LogConfiguration | NoLog | None:
    given = settings.logging
    if given is None:
        return None
    if given.log_group_id is None:
        return NoLog()
    return LogConfiguration(log_group_id=given.log_group_id, log_id=given.log_id)


def _impossible(run: RunInput) -> str | None:
    """Return what the job can't be run with, in words."""
    settings, template, name = run.settings, run.template, run.job_name
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
    return _unusable_uri(run)


def _unusable_uri(run: RunInput) -> str | None:
    """Return why the outputs' address can't be told from here, in words."""
    uri, known = run.job.outputs_uri_template, _known(run)
    if uri is None:
        return None
    where = f"spec.outputs.uri of OCIJob {run.job_name}"
    strange = [name for name in names_in(uri) if name not in {*known, "JOB_RUN_OCID"}]
    if strange:
        return f"{where}: {', '.join(strange)}: no variable of the run; set it in spec.env"
    if any(secret and secret in expand(uri, known) for secret in run.values.secrets):
        return f"{where}: it would show a value of a Secret: use other variables"
    return None
