"""Limits of the Data Science API that no schema can hold, since they are of what is merged."""

from __future__ import annotations

from ocijobs.backends.data_science.requests import ContainerEnvironment, SingleNode, Workload
from ocijobs.backends.environment import characters
from ocijobs.settings import Settings

_CONTAINER_COMMAND_BYTES = 2048
"""Of a container's entrypoint and cmd together (OcirContainerJobEnvironmentConfigurationDetails)."""


def over_limit(workload: Workload, settings: Settings, *, merged: str) -> str | None:
    """Return what OCI would refuse about variables, arguments and commands, in words.

    Args:
        workload: what a run starts, everything merged.
        settings: with OCI's limits.
        merged: what the variables were merged with, for the message, such as ", merged with the job's,".
    """
    for configuration in workload.configurations:
        size = characters(configuration.environment_variables)
        if size > (limit := settings.environment_limit_characters):
            return (
                f"spec.env: names and values of all variables{merged} have {size} characters together, "
                f"and OCI allows {limit}: put what is long into the code or into Object Storage"
            )
        size = len(configuration.command_line_arguments or "")
        if size > (limit := settings.arguments_limit_characters):
            return f"spec.args: the command line has {size} characters, and OCI allows {limit}"
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
