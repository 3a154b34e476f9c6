"""What runs of a job start: variables, arguments, container, on one node or on groups of nodes.

The job's OCI job is made with it, and a run that overrides anything sends it whole, merged from both, since OCI takes
override blocks whole.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from ocijobs.api.job.infrastructure import DataScienceJobInfrastructure
from ocijobs.api.job.machines.node_group import JobNodeGroup, StartupOrder
from ocijobs.api.job.runtime import Runtime
from ocijobs.api.job.runtimes.conda import CondaEnvironment, CondaType
from ocijobs.api.job.runtimes.container import ContainerRuntime
from ocijobs.api.job.spec import OCIJobSpec
from ocijobs.api.run.binding import BoundContainer, RunTemplate
from ocijobs.api.run.settings import RunContainer, RunInfrastructure, RunSettings
from ocijobs.api.shared.environment import EnvVar
from ocijobs.backends.data_science.compute import node_groups, node_machine
from ocijobs.backends.data_science.machines import MACHINES
from ocijobs.backends.data_science.requests import (
    CONTAINER,
    ContainerEnvironment,
    JobConfiguration,
    JobRequest,
    MultiNode,
    NodeGroup,
    SingleNode,
    Workload,
)
from ocijobs.backends.environment import VAULT_PREFIX, command_line, merge, resolve
from ocijobs.backends.manifest_fields import asked_for, shared
from ocijobs.backends.values import NO_VALUES, Values

DRIVER_ENTRYPOINT = "ocijobs_driver.py"
"""File of the artifact that OCI starts."""


def template_of(spec: OCIJobSpec, region: str) -> RunTemplate:
    """Return what the job's runs start, and on what: all that a run's request is made from.

    Args:
        spec: of the OCIJob.
        region: where a published conda environment is, unless the spec says otherwise.
    """
    given = spec.infrastructure.data_science_job
    container = _container(spec.runtime) if spec.runtime is not None else None
    return RunTemplate(
        infrastructure=given.model_copy(
            update={"job_node_groups": node_groups(spec), "logging": None, "storage_mounts": ()}
        )
        if given is not None
        else None,
        env=spec.env,
        args=spec.args,
        maximum_runtime_in_minutes=spec.maximum_runtime_in_minutes,
        container=container,
        variables=_operator_variables(spec.runtime, region),
    )


def foreign_template(content: JobRequest) -> RunTemplate:
    """Return what runs start of a job that was made elsewhere: its variables stay by themselves."""
    workload = content.workload
    configuration = workload.configuration if isinstance(workload, SingleNode) else None
    return RunTemplate(
        command_line_arguments=configuration.command_line_arguments if configuration else None,
        maximum_runtime_in_minutes=(
            configuration.maximum_runtime_in_minutes if configuration else None
        ),
    )


def groups_of(template: RunTemplate) -> tuple[JobNodeGroup, ...]:
    """Return the groups of nodes that a run has; none where it is on one machine."""
    return template.infrastructure.job_node_groups if template.infrastructure is not None else ()


def variables_of_node(
    template: RunTemplate, run: RunSettings | None, group: JobNodeGroup | None
) -> tuple[EnvVar, ...]:
    """Return the variables of a node as they were written: the job's, the group's over them, the run's over both."""
    merged = merge(template.env, group.env if group is not None else ())
    return merge(merged, run.env if run is not None else ())


def all_variables(template: RunTemplate, run: RunSettings | None) -> tuple[EnvVar, ...]:
    """Return every variable that some node has, as it was written."""
    groups = groups_of(template) or (None,)
    return tuple(
        variable for group in groups for variable in variables_of_node(template, run, group)
    )


def job_workload(spec: OCIJobSpec, region: str) -> Workload:
    """Return what runs start that override nothing.

    Variables that refer to Secrets and ConfigMaps are no part of the job: they are sent with each run.
    """
    return _workload(template_of(spec, region), None, NO_VALUES)


def run_workload(template: RunTemplate, run: RunSettings, values: Values) -> Workload:
    """Return what a run starts: the job's, with the run's overrides, references filled in."""
    return _workload(template, run, values)


def machines(template: RunTemplate, run: RunSettings) -> DataScienceJobInfrastructure | None:
    """Return the machines of a run: the job's, with the run's overrides."""
    ours, theirs = run.infrastructure, template.infrastructure
    if ours is None or theirs is None:
        return theirs
    given = shared(RunInfrastructure, ours)
    update = {name: value for name, value in given.items() if value is not None}
    if ours.shape_name is not None:
        # Another shape has another size, or none.
        update["job_shape_config_details"] = ours.job_shape_config_details
    return theirs.model_copy(update=update)


def _workload(template: RunTemplate, run: RunSettings | None, values: Values) -> Workload:
    minutes = run.maximum_runtime_in_minutes if run is not None else None
    minutes = minutes or template.maximum_runtime_in_minutes
    container = _container_of(template, run)
    infrastructure = machines(template, run) if run is not None else template.infrastructure
    groups = groups_of(template)
    if infrastructure is None or not groups:
        return SingleNode(
            configuration=_configuration(template, run, values, minutes=minutes),
            container=container,
        )
    return MultiNode(
        groups=tuple(
            NodeGroup(
                name=group.name,
                replicas=group.replicas,
                minimum_success_replicas=group.minimum_success_replicas or group.replicas,
                machine=node_machine(infrastructure, group),
                configuration=_configuration(template, run, values, group=group),
                container=container,
            )
            for group in groups
        ),
        startup_order=infrastructure.startup_order or StartupOrder.IN_PARALLEL,
        maximum_runtime_in_minutes=minutes,
        subnet_id=infrastructure.subnet_id,
    )


def _arguments(
    template: RunTemplate, run: RunSettings | None, group: JobNodeGroup | None
) -> tuple[tuple[str, ...], str | None]:
    """Return the arguments, and the line that OCI has of a job made elsewhere: the run's own replace both."""
    if run is not None and run.args is not None:
        return run.args, None
    own = group.args if group is not None else None
    return template.args if own is None else own, template.command_line_arguments


def _configuration(
    template: RunTemplate,
    run: RunSettings | None,
    values: Values,
    *,
    group: JobNodeGroup | None = None,
    minutes: int | None = None,
) -> JobConfiguration:
    written = variables_of_node(template, run, group)
    if run is None:
        written = tuple(variable for variable in written if not variable.read_at_launch)
    variables = resolve(written, values) | _former_secrets(template, run, group)
    args, line = _arguments(template, run, group)
    return asked_for(
        JobConfiguration,
        group,
        template.infrastructure,
        below=(f"{MACHINES}.",),
        environment_variables=variables | dict(template.variables),
        command_line_arguments=line or command_line(args, variables),
        maximum_runtime_in_minutes=minutes,
    )


def _former_secrets(
    template: RunTemplate, run: RunSettings | None, group: JobNodeGroup | None
) -> dict[str, str]:
    """Return what takes the job's Vault secrets back that the run has values for: OCI merges variables by name."""
    if run is None:
        return {}
    ours = {v.name: v for v in variables_of_node(template, run, group)}
    before = (v for v in variables_of_node(template, None, group) if v.from_vault)
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


def _container(runtime: Runtime) -> BoundContainer | None:
    variant = runtime.variant
    if not isinstance(variant, ContainerRuntime):
        return None
    return BoundContainer.model_validate(shared(BoundContainer, variant))


def _container_of_run(run: RunSettings | None) -> RunContainer:
    return (run.container if run is not None else None) or RunContainer()


def _container_of(template: RunTemplate, run: RunSettings | None) -> ContainerEnvironment | None:
    """Return the container that is started: another image than the job's has another digest and signature."""
    theirs = template.container
    if theirs is None:
        return None
    ours = _container_of_run(run)
    same = ours.image is None or ours.image == theirs.image
    return asked_for(
        ContainerEnvironment,
        ours,
        theirs,
        below=(f"{CONTAINER}.",),
        image_digest=theirs.image_digest if same else None,
        image_signature_id=theirs.image_signature_id if same else None,
    )
