"""The operations of Data Flow."""

from collections.abc import Mapping
from dataclasses import dataclass

from oci_emulator.calls.call import Endpoint
from oci_emulator.services.dataflow.applications import Applications
from oci_emulator.services.dataflow.logs import RunLogs
from oci_emulator.services.dataflow.pools import Pools
from oci_emulator.services.dataflow.private_endpoints import PrivateEndpoints
from oci_emulator.services.dataflow.runs import Runs
from oci_emulator.services.dataflow.statements import Statements
from oci_emulator.services.work_requests import WorkRequests

APPLICATIONS = "dataflow-application"
RUNS = "dataflow-run"
POOLS = "dataflow-pool"
PRIVATE_ENDPOINTS = "dataflow-private-endpoint"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFlow:
    """The parts of the service."""

    applications: Applications
    runs: Runs
    logs: RunLogs
    statements: Statements
    pools: Pools
    private_endpoints: PrivateEndpoints
    work: WorkRequests

    def endpoints(self) -> Mapping[str, Endpoint]:
        """The operations."""
        return {
            **_applications(self.applications),
            **_runs(self.runs, self.logs),
            **_statements(self.statements),
            **_pools(self.pools),
            **_private_endpoints(self.private_endpoints),
            **_work(self.work),
        }


def _applications(applications: Applications) -> Mapping[str, Endpoint]:
    return {
        "CreateApplication": Endpoint(
            handle=applications.create,
            verb="manage",
            family=APPLICATIONS,
            again=applications.again,
        ),
        "GetApplication": Endpoint(handle=applications.get, verb="read", family=APPLICATIONS),
        "ListApplications": Endpoint(
            handle=applications.list_all, verb="inspect", family=APPLICATIONS
        ),
        "UpdateApplication": Endpoint(handle=applications.update, verb="use", family=APPLICATIONS),
        "DeleteApplication": Endpoint(
            handle=applications.delete, verb="manage", family=APPLICATIONS
        ),
        "CascadingDeleteApplication": Endpoint(
            handle=applications.delete_with_runs, verb="manage", family=APPLICATIONS
        ),
        "ChangeApplicationCompartment": Endpoint(
            handle=applications.move, verb="manage", family=APPLICATIONS
        ),
    }


def _runs(runs: Runs, logs: RunLogs) -> Mapping[str, Endpoint]:
    return {
        "CreateRun": Endpoint(handle=runs.create, verb="manage", family=RUNS, again=runs.again),
        "GetRun": Endpoint(handle=runs.get, verb="read", family=RUNS),
        "ListRuns": Endpoint(handle=runs.list_all, verb="inspect", family=RUNS),
        "UpdateRun": Endpoint(handle=runs.update, verb="use", family=RUNS),
        "DeleteRun": Endpoint(handle=runs.delete, verb="manage", family=RUNS),
        "ChangeRunCompartment": Endpoint(handle=runs.move, verb="manage", family=RUNS),
        "ListRunLogs": Endpoint(handle=logs.list_all, verb="read", family=RUNS),
        "GetRunLog": Endpoint(handle=logs.get, verb="read", family=RUNS),
    }


def _statements(statements: Statements) -> Mapping[str, Endpoint]:
    return {
        "CreateStatement": Endpoint(handle=statements.create, verb="use", family=RUNS),
        "GetStatement": Endpoint(handle=statements.get, verb="read", family=RUNS),
        "ListStatements": Endpoint(handle=statements.list_all, verb="read", family=RUNS),
        "DeleteStatement": Endpoint(handle=statements.delete, verb="use", family=RUNS),
    }


def _pools(pools: Pools) -> Mapping[str, Endpoint]:
    return {
        "CreatePool": Endpoint(handle=pools.create, verb="manage", family=POOLS, again=pools.again),
        "GetPool": Endpoint(handle=pools.get, verb="read", family=POOLS),
        "ListPools": Endpoint(handle=pools.list_all, verb="inspect", family=POOLS),
        "UpdatePool": Endpoint(handle=pools.update, verb="use", family=POOLS),
        "DeletePool": Endpoint(handle=pools.delete, verb="manage", family=POOLS),
        "StartPool": Endpoint(handle=pools.start, verb="use", family=POOLS),
        "StopPool": Endpoint(handle=pools.stop, verb="use", family=POOLS),
        "ChangePoolCompartment": Endpoint(handle=pools.move, verb="manage", family=POOLS),
    }


def _private_endpoints(endpoints: PrivateEndpoints) -> Mapping[str, Endpoint]:
    family = PRIVATE_ENDPOINTS
    return {
        "CreatePrivateEndpoint": Endpoint(
            handle=endpoints.create, verb="manage", family=family, again=endpoints.again
        ),
        "GetPrivateEndpoint": Endpoint(handle=endpoints.get, verb="read", family=family),
        "ListPrivateEndpoints": Endpoint(handle=endpoints.list_all, verb="inspect", family=family),
        "UpdatePrivateEndpoint": Endpoint(handle=endpoints.update, verb="use", family=family),
        "DeletePrivateEndpoint": Endpoint(handle=endpoints.delete, verb="manage", family=family),
        "ChangePrivateEndpointCompartment": Endpoint(
            handle=endpoints.move, verb="manage", family=family
        ),
    }


def _work(work: WorkRequests) -> Mapping[str, Endpoint]:
    # Work requests have no resource type of their own in policies.
    return {
        "GetWorkRequest": Endpoint(handle=work.get, verb="read", family=APPLICATIONS),
        "ListWorkRequests": Endpoint(handle=work.list_all, verb="inspect", family=APPLICATIONS),
        "ListWorkRequestLogs": Endpoint(handle=work.logs, verb="read", family=APPLICATIONS),
        "ListWorkRequestErrors": Endpoint(handle=work.errors, verb="read", family=APPLICATIONS),
    }
