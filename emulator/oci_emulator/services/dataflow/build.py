"""Data Flow, put together."""

from dataclasses import dataclass

from oci_emulator.services.dataflow.applications import Applications
from oci_emulator.services.dataflow.files import Files
from oci_emulator.services.dataflow.logs import RunLogs
from oci_emulator.services.dataflow.pools import Pools
from oci_emulator.services.dataflow.private_endpoints import PrivateEndpoints
from oci_emulator.services.dataflow.progression import Progression
from oci_emulator.services.dataflow.references import References
from oci_emulator.services.dataflow.runs import Runs
from oci_emulator.services.dataflow.statements import Statements
from oci_emulator.services.dataflow.wire import DataFlow
from oci_emulator.services.dataflow.work import DataFlowForm
from oci_emulator.services.datascience.simulation import Changes, Simulations
from oci_emulator.services.foundation import Foundation
from oci_emulator.services.logging.entries import LogEntries
from oci_emulator.services.logging.groups import LogGroups
from oci_emulator.services.work_requests import WorkRequests


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """The service, and what others need of it."""

    service: DataFlow
    progression: Progression
    files: Files
    logs: RunLogs


def build(
    foundation: Foundation,
    *,
    groups: LogGroups,
    entries: LogEntries,
    simulations: Simulations,
    changes: Changes,
) -> Built:
    """Make the service."""
    files = Files()
    progression = Progression(
        foundation,
        groups=groups,
        entries=entries,
        simulations=simulations,
        changes=changes,
        files=files,
    )
    work = WorkRequests(
        foundation,
        resource_type="dataflowworkrequest",
        lag=lambda lags: lags.work_request,
        form=DataFlowForm(),
    )
    references = References(foundation, groups)
    applications = Applications(foundation, work, references, progression)
    logs = RunLogs(foundation)
    pools = Pools(foundation, work, progression)
    service = DataFlow(
        applications=applications,
        runs=Runs(
            foundation,
            applications=applications,
            pools=pools,
            references=references,
            progression=progression,
            files=files,
        ),
        logs=logs,
        statements=Statements(foundation, progression),
        pools=pools,
        private_endpoints=PrivateEndpoints(foundation, work, progression),
        work=work,
    )
    return Built(service=service, progression=progression, files=files, logs=logs)
