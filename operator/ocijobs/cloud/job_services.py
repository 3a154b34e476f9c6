"""The services that run jobs, each behind the port. A new one is added here."""

from __future__ import annotations

from collections.abc import Mapping

from ocijobs.api.shared.backend import BackendName
from ocijobs.cloud.calls import Calls
from ocijobs.cloud.code_storage import CodeStorage
from ocijobs.cloud.data_flow import DataFlow
from ocijobs.cloud.data_flow_logs import DataFlowLogs
from ocijobs.cloud.data_science import DataScience
from ocijobs.cloud.job_service import JobService, RunLogReader


def job_services(calls: Calls, code: CodeStorage) -> Mapping[str, JobService]:
    """Return what makes the calls for each backend."""
    return {
        BackendName.DATA_SCIENCE: DataScience(calls),
        BackendName.DATA_FLOW: DataFlow(calls, code),
    }


def run_logs(calls: Calls) -> Mapping[str, RunLogReader]:
    """Return what reads the logs of each backend that keeps them (`Backend.keeps_logs`)."""
    return {BackendName.DATA_FLOW: DataFlowLogs(calls)}
