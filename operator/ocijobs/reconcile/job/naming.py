"""What a spec names that only OCI can tell: shapes, and OCIDs of what is given by name or address.

An OCID is looked up once and kept in status. Shapes are compared with the compartment's list whenever the spec is not
yet in OCI; where the list can't be read, OCI itself refuses what there is not.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from ocijobs.api.job.status import ResolvedName
from ocijobs.backends.names import KnownNames, recorded_names
from ocijobs.backends.records import RefusalKind
from ocijobs.backends.requests import WantedName
from ocijobs.reconcile.actions.calls import Operation
from ocijobs.reconcile.actions.jobs import FindName, ListShapes
from ocijobs.reconcile.backoff import due_at
from ocijobs.reconcile.blocking import REASON_OF_REFUSAL, Blocker
from ocijobs.reconcile.job.observation import JobObservation
from ocijobs.reconcile.job.place import Place

_SUGGESTIONS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The OCIDs of all that the spec names.

    Attributes:
        names: as requests are made with them.
        used: what status records of them.
    """

    names: KnownNames
    used: tuple[ResolvedName, ...]


def find_names(o: JobObservation, place: Place) -> Found | Blocker:
    """Return what the spec's names stand for, or what is to be asked first, or what hinders that."""
    names = replace(recorded_names(o.job.status), answered=o.known.names)
    used: list[ResolvedName] = []
    for name in o.backend.wanted_names(o.job.spec, o.identity.defaults, names):
        found = names.id_of(name)
        if found is None:
            return _ask(o, place, name)
        used.append(ResolvedName(kind=name.kind.value, name=name.name, id=found))
    return Found(names=names, used=tuple(used))


def _ask(o: JobObservation, place: Place, name: WantedName) -> Blocker:
    """Return the question to OCI, or why it can't be asked now."""
    action = FindName(
        caller=place.caller, compartment_id=place.compartment_id, name=name, epoch=o.epoch
    )
    call = o.known.calls.get(Operation.FIND_NAME)
    due = due_at(call, epoch=o.epoch, seed=o.job.metadata.uid, settings=o.settings)
    refusal = call.refusal if call is not None and due is not None else None
    if refusal is None:
        return Blocker(action=action)
    return Blocker(
        reason=REASON_OF_REFUSAL[refusal.kind],
        message=f"{name.field}: {refusal.message}",
        terminal=refusal.kind is RefusalKind.INVALID,
        action=action,
        wake_at=due,
    )


def check_shapes(o: JobObservation, place: Place, *, in_oci: bool) -> Blocker | None:
    """Return what is wrong with the spec's shapes, or that the list is to be read first.

    Args:
        o: the job.
        place: as whom the list is read, and of which compartment.
        in_oci: whether OCI has taken this spec already.
    """
    named = o.backend.shape_names(o.job.spec)
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
    problem = next(_problems(o, named), None)
    return Blocker.of_spec(problem) if problem is not None else None


def _problems(o: JobObservation, named: Mapping[str, str]) -> Iterator[str]:
    shapes, service = o.known.shapes, f"OCI {o.backend.title}"
    for field, name in named.items():
        if name in shapes:
            continue
        near = difflib.get_close_matches(name, shapes, _SUGGESTIONS)
        hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(shapes)}"
        yield f"{field}: {service} has no shape {name} in this compartment; {hint}"
