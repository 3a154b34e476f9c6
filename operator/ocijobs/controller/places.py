"""Which service of OCI an action calls first, as whom: there the object waits for its turn."""

from __future__ import annotations

from ocijobs.backends.registry import backend_of
from ocijobs.backends.requests import NameKind
from ocijobs.cloud.admission import Place
from ocijobs.cloud.clients import SERVICES, Principal, Service
from ocijobs.cloud.credentials import identity_key
from ocijobs.reconcile.actions.calls import Caller
from ocijobs.reconcile.actions.identities import VerifyCredentials
from ocijobs.reconcile.actions.jobs import (
    CreateJob,
    DeleteCode,
    DeleteJob,
    FindName,
    ListActiveRuns,
    ListShapes,
    LookUpJob,
    SearchJobs,
    UpdateJob,
)
from ocijobs.reconcile.actions.runs import (
    CancelRun,
    CreateRun,
    DeleteRun,
    ListOutputs,
    LookUpRun,
    ReadResults,
    ReadRunLogs,
    SearchRuns,
)

OciAction = (
    VerifyCredentials
    | FindName
    | ListShapes
    | CreateJob
    | SearchJobs
    | LookUpJob
    | UpdateJob
    | ListActiveRuns
    | DeleteJob
    | DeleteCode
    | CreateRun
    | SearchRuns
    | LookUpRun
    | CancelRun
    | DeleteRun
    | ReadResults
    | ListOutputs
    | ReadRunLogs
)
"""Actions whose calls to OCI are answered in the round that asks for them."""

_OF_NAMES = {
    NameKind.LOG_GROUP: Service.LOGGING,
    NameKind.LOG: Service.LOGGING,
    NameKind.MOUNT_TARGET: Service.RESOURCE_SEARCH,
    NameKind.EXPORT: Service.RESOURCE_SEARCH,
    NameKind.POOL: Service.DATA_FLOW,
}


def principal_of(namespace: str, caller: Caller) -> Principal:
    """Return as whom, and where, an object of a namespace calls OCI."""
    return Principal(identity=identity_key(namespace, caller.identity), region=caller.region)


def place_of(namespace: str, action: OciAction) -> Place:
    """Return where an object of a namespace queues up for an action."""
    return Place(identity_key(namespace, action.caller.identity), _service(action))


def _service(action: OciAction) -> Service:
    match action:
        case FindName(name=name):
            return _OF_NAMES[name.kind]
        case ListShapes():
            return Service.DATA_SCIENCE
        case CreateJob(backend=backend) | SearchJobs(backend=backend):
            return SERVICES[backend]
        case CreateRun(request=request):
            return SERVICES[backend_of(request.job_id).name]
        case LookUpJob() | UpdateJob() | ListActiveRuns() | DeleteJob() | SearchRuns():
            return SERVICES[backend_of(action.job_id).name]
        case LookUpRun() | CancelRun() | DeleteRun() | ReadRunLogs():
            return SERVICES[backend_of(action.run_id).name]
        case VerifyCredentials() | DeleteCode() | ReadResults() | ListOutputs():
            return Service.OBJECT_STORAGE
