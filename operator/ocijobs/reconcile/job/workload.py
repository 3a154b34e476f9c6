"""What runs of a job start: variables, arguments, container, on one node or on groups of nodes.

The job's OCI job is made with it, and a run that overrides anything sends it whole, merged from both, since OCI takes
override blocks whole.
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

from ocijobs.api.conda import CondaEnvironment, CondaType
from ocijobs.api.container_runtime import ContainerRuntime
from ocijobs.api.environment import EnvVar
from ocijobs.api.job import OCIJob, OCIJobSpec
from ocijobs.api.job_run import OCIJobRunSpec
from ocijobs.api.node_group import JobNodeGroup, StartupOrder
from ocijobs.api.runtime import Runtime
from ocijobs.reconcile.compute import node_groups, node_machine
from ocijobs.reconcile.environment import (
    NO_VALUES,
    VAULT_PREFIX,
    Values,
    command_line,
    merge,
    resolve,
)
from ocijobs.reconcile.requests import (
    ContainerEnvironment,
    JobConfiguration,
    MultiNode,
    NodeGroup,
    SingleNode,
    Workload,
)

DRIVER_ENTRYPOINT = "ocijobs_driver.py"
"""File of the artifact that OCI starts."""


def job_workload(spec: OCIJobSpec, region: str) -> Workload:
    """Return what runs start that override nothing.

    Variables that refer to Secrets and ConfigMaps are no part of the job: they are sent with each run.
    """
    return _workload(spec, None, NO_VALUES, region)


def run_workload(job: OCIJob, run: OCIJobRunSpec, values: Values, region: str) -> Workload:
    """Return what a run starts: the job's, with the run's overrides, references filled in.

    Of an adopted OCI job without a runtime here, OCI has what neither says: its variables stay by themselves, its
    arguments and its time limit are sent with the rest of the block.
    """
    workload = _workload(job.spec, run, values, region)
    adopted = job.status.adopted
    if job.spec.runtime is not None or adopted is None or not isinstance(workload, SingleNode):
        return workload
    ours = workload.configuration
    given = run.args is not None or job.spec.args
    arguments = ours.command_line_arguments if given else adopted.command_line_arguments
    minutes = ours.maximum_runtime_in_minutes or adopted.maximum_runtime_in_minutes
    configuration = replace(
        ours, command_line_arguments=arguments, maximum_runtime_in_minutes=minutes
    )
    return replace(workload, configuration=configuration)


def has_settings_of_runs(spec: OCIJobSpec) -> bool:
    """Whether the spec says anything that an adopted OCI job does not have and its runs are to have."""
    return bool(spec.env or spec.args or spec.maximum_runtime_in_minutes)


def variables_of(
    spec: OCIJobSpec, run: OCIJobRunSpec | None, group: JobNodeGroup | None = None
) -> tuple[EnvVar, ...]:
    """Return the variables of a node as they were written: the job's, the group's over them, the run's over both."""
    merged = merge(spec.env, group.env if group is not None else ())
    return merge(merged, run.env if run is not None else ())


def all_variables(spec: OCIJobSpec, run: OCIJobRunSpec | None) -> tuple[EnvVar, ...]:
    """Return every variable that some node has, as it was written."""
    groups = node_groups(spec) or (None,)
    return tuple(variable for group in groups for variable in variables_of(spec, run, group))


def _workload(spec: OCIJobSpec, run: OCIJobRunSpec | None, values: Values, region: str) -> Workload:
    minutes = run.maximum_runtime_in_minutes if run is not None else None
    minutes = minutes or spec.maximum_runtime_in_minutes
    container = _container(spec.runtime) if spec.runtime is not None else None
    infrastructure = spec.infrastructure.data_science_job
    groups = node_groups(spec)
    if not groups:
        return SingleNode(
            configuration=_configuration(spec, run, values, region, minutes=minutes),
            container=container,
        )
    return MultiNode(
        groups=tuple(
            NodeGroup(
                name=group.name,
                replicas=group.replicas,
                minimum_success_replicas=group.minimum_success_replicas or group.replicas,
                machine=node_machine(infrastructure, group),
                configuration=_configuration(spec, run, values, region, group=group),
                container=container,
            )
            for group in groups
        ),
        startup_order=infrastructure.startup_order or StartupOrder.IN_PARALLEL,
        maximum_runtime_in_minutes=minutes,
        subnet_id=infrastructure.subnet_id,
    )


def _configuration(
    spec: OCIJobSpec,
    run: OCIJobRunSpec | None,
    values: Values,
    region: str,
    *,
    group: JobNodeGroup | None = None,
    minutes: int | None = None,
) -> JobConfiguration:
    written = variables_of(spec, run, group)
    if run is None:
        written = tuple(variable for variable in written if not variable.read_at_launch)
    variables = resolve(written, values) | _former_secrets(spec, run, group)
    args = spec.args
    if group is not None and group.args is not None:
        args = group.args
    if run is not None and run.args is not None:
        args = run.args
    probe = spec.infrastructure.data_science_job.startup_probe
    return JobConfiguration(
        environment_variables=variables | _operator_variables(spec.runtime, region),
        command_line_arguments=command_line(args, variables),
        maximum_runtime_in_minutes=minutes,
        startup_probe=(group.startup_probe if group is not None else None) or probe,
    )


def _former_secrets(
    spec: OCIJobSpec, run: OCIJobRunSpec | None, group: JobNodeGroup | None
) -> dict[str, str]:
    """Return what takes the job's Vault secrets back that the run has values for: OCI merges variables by name."""
    if run is None:
        return {}
    ours = {v.name: v for v in variables_of(spec, run, group)}
    before = (v for v in variables_of(spec, None, group) if v.from_vault)
    return {f"{VAULT_PREFIX}{v.name}": "" for v in before if not ours[v.name].from_vault}


def _operator_variables(runtime: Runtime | None, region: str) -> dict[str, str]:
    """Return the variables that tell OCI what to start, and in which conda environment."""
    if runtime is None or isinstance(runtime.variant, ContainerRuntime):
        return {}
    return {"JOB_RUN_ENTRYPOINT": DRIVER_ENTRYPOINT, **_conda_variables(runtime.conda, region)}


def _conda_variables(conda: CondaEnvironment | None, region: str) -> dict[str, str]:
    if conda is None:
        return {}
    if conda.type is CondaType.SERVICE:
        return {"CONDA_ENV_TYPE": "service", "CONDA_ENV_SLUG": conda.slug or ""}
    address = urlsplit(conda.uri or "")
    bucket, _, namespace = address.netloc.partition("@")
    return {
        "CONDA_ENV_TYPE": "published",
        "CONDA_ENV_NAMESPACE": namespace,
        "CONDA_ENV_BUCKET": bucket,
        "CONDA_ENV_OBJECT_NAME": address.path.lstrip("/"),
        "CONDA_ENV_REGION": conda.region or region,
    }


def _container(runtime: Runtime) -> ContainerEnvironment | None:
    variant = runtime.variant
    if not isinstance(variant, ContainerRuntime):
        return None
    return ContainerEnvironment(
        image=variant.image,
        image_digest=variant.image_digest,
        image_signature_id=variant.image_signature_id,
        entrypoint=variant.entrypoint or (),
        cmd=variant.cmd or (),
    )
