"""All actions, and which of them wake their object when their answers come."""

from __future__ import annotations

from ocijobs.reconcile.actions.identities import IdentityAction
from ocijobs.reconcile.actions.jobs import JobAction, ReadSources, UploadArtifact
from ocijobs.reconcile.actions.objects import DeleteObject, ObjectAction, WorkloadAction
from ocijobs.reconcile.actions.runs import ReadUtilisation, RefreshJob, RunAction, SearchLogs

Action = ObjectAction | WorkloadAction | IdentityAction | RefreshJob | JobAction | RunAction


def answers_later(action: Action) -> bool:
    """Whether what an action brings comes after the round, and wakes the object then."""
    match action:
        case DeleteObject() | RefreshJob() | UploadArtifact() | SearchLogs() | ReadUtilisation():
            return True
        case ReadSources(spec=spec):
            return spec.reads_remotely
        case _:
            return False
