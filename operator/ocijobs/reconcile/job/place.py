"""As whom, and where, a job is kept in OCI: recorded once, and used for its life."""

from __future__ import annotations

from dataclasses import dataclass

from ocijobs.backends.job_record import JobRecord
from ocijobs.reconcile.actions.calls import Launcher
from ocijobs.reconcile.blocking import Blocker
from ocijobs.reconcile.job.observation import JobObservation


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """As whom OCI is called, and the compartment of the job; a project where the service needs one."""

    caller: Launcher
    compartment_id: str
    project_id: str | None


def find_caller(o: JobObservation) -> Launcher | Blocker | None:
    """Return as whom the job is kept in OCI, or what hinders it; None while that is being found out."""
    caller = o.identity.launcher(o.job.status.region)
    if caller is None and o.identity.blocks_start is not None:
        reason, message = o.identity.blocks_start
        return Blocker(reason=reason, message=message)
    return caller


def find_place(o: JobObservation, caller: Launcher, adopted: JobRecord | None) -> Place | Blocker:
    """Return where the job is kept: as recorded, else as the adopted OCI job is, the spec says, or the identity."""
    status, spec, defaults = o.job.status, o.job.spec, o.identity.defaults
    compartment_id, project_id = status.compartment_id, status.project_id
    if adopted is not None:
        compartment_id = compartment_id or adopted.compartment_id
        project_id = project_id or (adopted.content.project_id if adopted.content else None)
    compartment_id = compartment_id or spec.compartment_id or defaults.compartment_id
    project_id = project_id or spec.project_id or defaults.project_id
    if not o.backend.needs_project:
        project_id = None
    if compartment_id is None or (project_id is None and o.backend.needs_project):
        field = "compartmentId" if compartment_id is None else "projectId"
        reference = o.identity.reference
        return Blocker.of_spec(
            f"spec.{field}: is not set, and {reference.kind} {reference.name} has no "
            f"spec.defaults.{field}: set one of the two"
        )
    return Place(caller=caller, compartment_id=compartment_id, project_id=project_id)
