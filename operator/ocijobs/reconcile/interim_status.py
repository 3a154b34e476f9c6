"""What an object says of itself before a decision has anything to say: what is being done, or waited for.

Most of that is over in a moment and is not worth a write; the shell writes it where it lasts.
"""

from __future__ import annotations

from datetime import datetime
from typing import assert_never

from ocijobs.api.identity import OCIIdentityStatus
from ocijobs.api.job.status import OCIJobStatus
from ocijobs.api.run.phase import Phase, SweepPhase
from ocijobs.api.run.status import OCIJobRunStatus
from ocijobs.api.schedule import OCIJobScheduleStatus
from ocijobs.api.shared.conditions import ConditionType, find
from ocijobs.api.shared.metadata import ObjectMeta
from ocijobs.api.shared.names import ANNOTATION_PAUSED
from ocijobs.api.shared.reasons import Reason
from ocijobs.api.status import AnyStatus
from ocijobs.api.sweep.status import OCIJobSweepStatus
from ocijobs.reconcile.actions.identities import ReadCredentials, VerifyCredentials
from ocijobs.reconcile.actions.jobs import FindName, ListShapes, ReadSources, UploadArtifact
from ocijobs.reconcile.actions.objects import AddFinalizer, DeleteObject, RemoveFinalizer
from ocijobs.reconcile.actions.runs import ReadUtilisation, ReadValues, RefreshJob, SearchLogs
from ocijobs.reconcile.decision import Decision
from ocijobs.reconcile.standing import RUN_STANDINGS, SWEEP_STANDINGS, Headline, Standing, restated

_WAITING_FOR = {
    AddFinalizer: "being taken into the operator's care",
    RemoveFinalizer: "being let go",
    DeleteObject: "being deleted",
    ReadCredentials: "its Secret is being read",
    VerifyCredentials: "OCI is asked whether it accepts the credentials",
    RefreshJob: "the sources of its OCIJob are being read",
    ReadSources: "its source is being read",
    ReadValues: "the Secrets and ConfigMaps of its variables are being read",
    FindName: "what its spec names is looked for in OCI",
    ListShapes: "OCI is asked for the shapes that there are",
    UploadArtifact: "its artifact is being uploaded",
    SearchLogs: "its log is being read",
    ReadUtilisation: "what it used is being read",
}


def interim_status(
    decision: Decision[AnyStatus], metadata: ObjectMeta, now: datetime
) -> AnyStatus | None:
    """Return a status that says what is done about an object, or None where the decision's own says something.

    A status says something if its condition Ready is of the object's generation, and after the end.
    """
    status = decision.status
    if isinstance(status, OCIJobRunStatus | OCIJobSweepStatus) and status.ended:
        return None
    ready = find(status.conditions, ConditionType.READY)
    generation = metadata.generation
    if ready is not None and ready.observed_generation == generation:
        return None
    phase, standing = _standing(status)
    headline = Headline(
        standing=standing, reason=Reason.PENDING, message=_words(decision, metadata)
    )
    return restated(status, headline, generation=generation, now=now, changes=phase)


def _standing(status: AnyStatus) -> tuple[dict[str, object], Standing]:
    """Return what else of the status has to be there, and how the object stands."""
    match status:
        case OCIJobRunStatus():
            phase = status.phase or Phase.PENDING
            return {"phase": phase}, RUN_STANDINGS[phase][0]
        case OCIJobSweepStatus():
            of_sweep = status.phase or SweepPhase.PENDING
            return {"phase": of_sweep}, SWEEP_STANDINGS[of_sweep][0]
        case OCIJobStatus() | OCIJobScheduleStatus() | OCIIdentityStatus():
            return {}, Standing.PROGRESSING
        case _:
            assert_never(status)


def _words(decision: Decision[AnyStatus], metadata: ObjectMeta) -> str:
    if metadata.paused:
        return f"paused by its annotation {ANNOTATION_PAUSED}"
    if decision.actions:
        action = type(decision.actions[0])
        return _WAITING_FOR.get(action, f"OCI's answer to {action.__name__} is awaited")
    if decision.wake_at is not None:
        return f"looked at again at {decision.wake_at:%Y-%m-%dT%H:%M:%SZ}"
    if metadata.deleting:
        return "being deleted"
    return "its OCIIdentity is being read and verified"
