"""What a job on Data Science is made of, by the fields of the manifest: for telling where two are not alike."""

from __future__ import annotations

from collections.abc import Iterator

from ocijobs.backends.compared import Said, fields_said
from ocijobs.backends.data_science.machines import MACHINES, Mount
from ocijobs.backends.data_science.requests import (
    GROUPS,
    ContainerEnvironment,
    JobRequest,
    JobSettings,
    SingleNode,
)
from ocijobs.backends.documents import encoded
from ocijobs.backends.oci_fields import Placed


def in_group(place: str) -> Placed:
    """Return where a group of nodes has what is declared of a job: under the same name, but for the container."""

    def placed(path: str) -> str:
        own = path.removeprefix(f"{GROUPS}.").removeprefix(f"{MACHINES}.")
        return path if path.startswith("runtime.") else f"{place}.{own}"

    return placed


def setting_fields(settings: JobSettings) -> Iterator[Said]:
    """Yield what is changed in place, beside name, text and tags."""
    yield from fields_said(settings)
    if settings.infrastructure is not None:
        yield from fields_said(settings.infrastructure)
    yield f"{MACHINES}.storageMounts", tuple(_mount(mount) for mount in settings.storage_mounts)


def _mount(mount: Mount) -> str:
    """Return a mount as one value, in words. What is not given is as OCI has it by default: in /mnt."""
    source = " ".join(str(value) for value in mount.source.document().values())
    where = f"{(mount.path or '/mnt').rstrip('/')}/{mount.directory_name}"
    named = {"destinationDirectoryName", "destinationPath"}
    more = (f"{name} {value}" for name, value in encoded(mount).items() if name not in named)
    return ", ".join((f"{source} at {where}", *more))


def fixed_fields(request: JobRequest) -> Iterator[Said]:
    """Yield the log, and what runs start."""
    if request.log is not None:
        yield from fields_said(request.log)
    workload = request.workload
    if isinstance(workload, SingleNode):
        yield from fields_said(workload.configuration)
        yield from _container(workload.container)
        return
    yield from fields_said(workload)
    for group in workload.groups:
        placed = in_group(f"{GROUPS}[{group.name}]")
        for block in (group, group.machine, group.configuration):
            # What is None of a group is as all have it, or is none of its.
            said = fields_said(block, placed=placed)
            yield from ((path, value) for path, value in said if value is not None)
    yield from _container(workload.groups[0].container if workload.groups else None)


def _container(container: ContainerEnvironment | None) -> Iterator[Said]:
    """Yield the container, which is that of all nodes."""
    if container is not None:
        yield from fields_said(container)
