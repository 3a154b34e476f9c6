"""Limits of the Data Science API on what a run starts."""

from __future__ import annotations

from ocijobs.backends.data_science.requests import ContainerEnvironment, SingleNode, Workload
from ocijobs.backends.limits import over_limit
from ocijobs.settings import Settings

_CONTAINER_COMMAND_BYTES = 2048
"""Of a container's entrypoint and cmd together (OcirContainerJobEnvironmentConfigurationDetails)."""


def workload_over_limit(workload: Workload, limits: Settings, *, merged: str) -> str | None:
    """Return what OCI would refuse about variables, arguments and commands, in words.

    Args:
        workload: what a run starts, everything merged.
        limits: with those of OCI.
        merged: what the variables were merged with, for the message, such as ", merged with the job's,".
    """
    for node in workload.configurations:
        variables, line = node.environment_variables, node.command_line_arguments
        if (problem := over_limit(variables, line, limits, merged=merged)) is not None:
            return problem
    container = _container(workload)
    words = [*container.entrypoint, *container.cmd] if container is not None else []
    size = sum(len(word.encode()) for word in words)
    if size >= _CONTAINER_COMMAND_BYTES:
        return (
            f"spec.runtime.container: entrypoint and cmd have {size} bytes together, and OCI allows "
            f"{_CONTAINER_COMMAND_BYTES - 1}: put what is long into the image or into spec.env"
        )
    return None


def _container(workload: Workload) -> ContainerEnvironment | None:
    if isinstance(workload, SingleNode):
        return workload.container
    return workload.groups[0].container
