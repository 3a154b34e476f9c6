"""What a spec names that only OCI can tell: shapes, and OCIDs of what is given by name or address.

An OCID is looked up once and kept in status. Shapes are compared with the compartment's list whenever the spec is not
yet in OCI; where the list can't be read, OCI itself refuses what there is not.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ocijobs.api.job.machines.storage_mount import FileStorageMount
from ocijobs.api.job.status import ResolvedName
from ocijobs.backends.data_science.compute import shape_names, unresolved_sources
from ocijobs.backends.data_science.requests import LogConfiguration
from ocijobs.backends.records import RefusalKind
from ocijobs.backends.requests import NameKind, WantedName
from ocijobs.reconcile.actions.calls import Operation
from ocijobs.reconcile.actions.jobs import FindName, ListShapes
from ocijobs.reconcile.backoff import due_at
from ocijobs.reconcile.blocking import REASON_OF_REFUSAL, Blocker
from ocijobs.reconcile.job.observation import JobObservation
from ocijobs.reconcile.job.place import Place

_SUGGESTIONS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The OCIDs of all that the spec names."""

    log: LogConfiguration | None
    file_systems: Mapping[str, FileStorageMount]
    names: tuple[ResolvedName, ...]
    pool_id: str | None = None


class _NotFoundYetError(Exception):
    def __init__(self, name: WantedName) -> None:
        self.name = name


def find_names(o: JobObservation, place: Place) -> Found | Blocker:
    """Return what the spec's names stand for, or what is to be asked first, or what hinders that."""
    resolver = _Resolver(o)
    try:
        log = _log(o, resolver)
        pool = _pool(o, resolver)
        systems = {src: _file_system(src, resolver) for src in unresolved_sources(o.job.spec)}
    except _NotFoundYetError as missing:
        action = FindName(
            caller=place.caller,
            compartment_id=place.compartment_id,
            name=missing.name,
            epoch=o.epoch,
        )
        call = o.known.calls.get(Operation.FIND_NAME)
        due = due_at(call, epoch=o.epoch, seed=o.job.metadata.uid, settings=o.settings)
        refusal = call.refusal if call is not None and due is not None else None
        if refusal is None:
            return Blocker(action=action)
        return Blocker(
            reason=REASON_OF_REFUSAL[refusal.kind],
            message=f"{missing.name.field}: {refusal.message}",
            terminal=refusal.kind is RefusalKind.INVALID,
            action=action,
            wake_at=due,
        )
    return Found(log=log, file_systems=systems, names=tuple(resolver.used), pool_id=pool)


class _Resolver:
    """Answers from status and memory, and notes what it was asked for."""

    def __init__(self, o: JobObservation) -> None:
        self._known = o.known.names
        self._recorded = {(n.kind, n.name): n.id for n in o.job.status.resolved_names}
        self.used: list[ResolvedName] = []

    def id_of(self, name: WantedName) -> str:
        found = self._known.get(name) or self._recorded.get((name.kind.value, name.name))
        if found is None:
            raise _NotFoundYetError(name)
        self.used.append(ResolvedName(kind=name.kind.value, name=name.name, id=found))
        return found


def _log(o: JobObservation, resolver: _Resolver) -> LogConfiguration | None:
    """Return where the output of runs goes: as the job says, else to the identity's default group."""
    where = "spec.infrastructure.dataScienceJob.logging"
    given = o.job.spec.infrastructure.data_science_job
    if given is None:
        return None
    logging = given.logging
    default = o.identity.defaults.log_group_id
    if logging is None:
        return LogConfiguration(log_group_id=default, log_id=None) if default else None
    if not logging.enable_logging:
        return None
    group = logging.log_group_id or default
    if logging.log_group_name is not None:
        group = resolver.id_of(
            WantedName(
                kind=NameKind.LOG_GROUP, name=logging.log_group_name, field=f"{where}.logGroupName"
            )
        )
    if group is None:
        return None
    log = logging.log_id
    if logging.log_name is not None:
        log = resolver.id_of(
            WantedName(
                kind=NameKind.LOG, name=logging.log_name, within=group, field=f"{where}.logName"
            )
        )
    return LogConfiguration(log_group_id=group, log_id=log)


def _pool(o: JobObservation, resolver: _Resolver) -> str | None:
    """Return the pool of a Spark job that gives it by name."""
    given = o.job.spec.infrastructure.data_flow
    if given is None or given.pool_name is None:
        return None
    field = "spec.infrastructure.dataFlow.poolName"
    return resolver.id_of(WantedName(kind=NameKind.POOL, name=given.pool_name, field=field))


def _file_system(src: str, resolver: _Resolver) -> FileStorageMount:
    address, _, path = src.partition(":")
    field = "spec.infrastructure.dataScienceJob.storageMounts"
    return FileStorageMount(
        mount_target_id=resolver.id_of(
            WantedName(kind=NameKind.MOUNT_TARGET, name=address, field=field)
        ),
        export_id=resolver.id_of(WantedName(kind=NameKind.EXPORT, name=path, field=field)),
    )


def check_shapes(o: JobObservation, place: Place, *, in_oci: bool) -> Blocker | None:
    """Return what is wrong with the spec's shapes, or that the list is to be read first.

    Args:
        o: the job.
        place: as whom the list is read, and of which compartment.
        in_oci: whether OCI has taken this spec already.
    """
    named = shape_names(o.job.spec)
    if in_oci or not named:
        return None
    call = o.known.calls.get(Operation.LIST_SHAPES)
    if call is None or call.epoch != o.epoch:
        return Blocker(
            action=ListShapes(
                caller=place.caller, compartment_id=place.compartment_id, epoch=o.epoch
            )
        )
    if not o.known.shapes:
        return None
    problem = next(_problems(named, o.known.shapes), None)
    return Blocker.of_spec(problem) if problem is not None else None


def _problems(named: Mapping[str, str], shapes: tuple[str, ...]) -> Iterator[str]:
    for field, name in named.items():
        if name in shapes:
            continue
        near = difflib.get_close_matches(name, shapes, _SUGGESTIONS)
        hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(shapes)}"
        yield f"{field}: OCI Data Science has no shape {name} in this compartment; {hint}"
