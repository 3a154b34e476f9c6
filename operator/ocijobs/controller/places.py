"""Which service an action calls first, and as whom: the object waits for its turn there."""

from __future__ import annotations

from ocijobs.backends.registry import backend_of
from ocijobs.backends.requests import NameKind
from ocijobs.cloud.admission import Place
from ocijobs.cloud.clients import SERVICES, Principal, Service
from ocijobs.cloud.credentials import identity_key
from ocijobs.reconcile.actions.calls import Caller
from ocijobs.reconcile.actions.identities import VerifyCredentials
from ocijobs.reconcile.actions.jobs import (
    BackendJobCall,
    CreateJob,
    DeleteCode,
    FindName,
    JobCall,
    ListShapes,
    SearchJobs,
)
from ocijobs.reconcile.actions.runs import (
    BackendRunCall,
    ListOutputs,
    ReadResults,
    ReadRunLogs,
    RunCall,
)

OciAction = VerifyCredentials | JobCall | RunCall
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


def backend_called(call: BackendJobCall | BackendRunCall | ReadRunLogs) -> str:
    """Return which service of jobs and runs a call is of: what exists says so itself, by its OCID."""
    if isinstance(call, CreateJob | SearchJobs):
        return call.backend
    return backend_of(call.ocid).name


def _service(action: OciAction) -> Service:
    match action:
        case FindName(name=name):
            return _OF_NAMES[name.kind]
        case ListShapes():
            return Service.DATA_SCIENCE
        case VerifyCredentials() | DeleteCode() | ReadResults() | ListOutputs():
            return Service.OBJECT_STORAGE
        case _:
            return SERVICES[backend_called(action)]
