"""What a spec gives by name or address that Data Science takes by OCID: the log, and mounted file systems."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ocijobs.api.identity import IdentityDefaults
from ocijobs.api.job.machines.logging import Logging
from ocijobs.api.job.machines.storage_mount import FileStorageMount
from ocijobs.api.job.spec import OCIJobSpec
from ocijobs.backends.data_science.compute import unresolved_sources
from ocijobs.backends.data_science.requests import LogConfiguration
from ocijobs.backends.names import KnownNames
from ocijobs.backends.requests import NameKind, WantedName

_WHERE = "spec.infrastructure.dataScienceJob"


def wanted_names(
    spec: OCIJobSpec, defaults: IdentityDefaults, names: KnownNames
) -> Iterator[WantedName]:
    """Yield the log group's name, the log's once its group is known, and addresses and paths of file systems."""
    logging = _logging(spec)
    if logging is not None and logging.enable_logging:
        if logging.log_group_name is not None:
            yield _group_name(logging.log_group_name)
        group = _group_of(logging, defaults, names)
        if logging.log_name is not None and group is not None:
            yield _log_name(logging.log_name, group)
    for source in unresolved_sources(spec):
        yield from _of_file_system(source)


def log_of(
    spec: OCIJobSpec, defaults: IdentityDefaults, names: KnownNames
) -> LogConfiguration | None:
    """Return where the output of runs goes: as the job says, else to the identity's default group.

    None where it is not kept, and where a name's OCID is not known yet.
    """
    logging = _logging(spec)
    if logging is None:
        default = defaults.log_group_id if spec.infrastructure.data_science_job else None
        return LogConfiguration(log_group_id=default, log_id=None) if default else None
    group = _group_of(logging, defaults, names) if logging.enable_logging else None
    if group is None:
        return None
    log = logging.log_id
    if logging.log_name is not None:
        log = names.id_of(_log_name(logging.log_name, group))
    return LogConfiguration(log_group_id=group, log_id=log)


def file_systems(spec: OCIJobSpec, names: KnownNames) -> Mapping[str, FileStorageMount]:
    """Return the file systems that mounts give by address and path, by what the spec has.

    One whose OCIDs are not known yet is left out.
    """
    found = {source: _file_system(source, names) for source in unresolved_sources(spec)}
    return {source: mount for source, mount in found.items() if mount is not None}


def _logging(spec: OCIJobSpec) -> Logging | None:
    given = spec.infrastructure.data_science_job
    return given.logging if given is not None else None


def _group_of(logging: Logging, defaults: IdentityDefaults, names: KnownNames) -> str | None:
    if logging.log_group_name is not None:
        return names.id_of(_group_name(logging.log_group_name))
    return logging.log_group_id or defaults.log_group_id


def _group_name(name: str) -> WantedName:
    return WantedName(kind=NameKind.LOG_GROUP, name=name, field=f"{_WHERE}.logging.logGroupName")


def _log_name(name: str, group: str) -> WantedName:
    return WantedName(kind=NameKind.LOG, name=name, within=group, field=f"{_WHERE}.logging.logName")


def _of_file_system(source: str) -> tuple[WantedName, WantedName]:
    """Return the address of the mount target, and the path that is exported."""
    address, _, path = source.partition(":")
    field = f"{_WHERE}.storageMounts"
    return (
        WantedName(kind=NameKind.MOUNT_TARGET, name=address, field=field),
        WantedName(kind=NameKind.EXPORT, name=path, field=field),
    )


def _file_system(source: str, names: KnownNames) -> FileStorageMount | None:
    target, export = (names.id_of(name) for name in _of_file_system(source))
    if target is None or export is None:
        return None
    return FileStorageMount(mount_target_id=target, export_id=export)
