"""The services that run jobs, each behind the port: one that is added is added here."""

from __future__ import annotations

from collections.abc import Mapping

from ocijobs.api.job.infrastructure import BackendName
from ocijobs.cloud.calls import Calls
from ocijobs.cloud.clients import Service
from ocijobs.cloud.code_storage import CodeStorage
from ocijobs.cloud.data_flow import DataFlow
from ocijobs.cloud.data_science import DataScience
from ocijobs.cloud.infrastructure import Infrastructure

SERVICES: Mapping[str, Service] = {
    BackendName.DATA_SCIENCE: Service.DATA_SCIENCE,
    BackendName.DATA_FLOW: Service.DATA_FLOW,
}
"""The API that is called for each backend: its calls are admitted, paced and counted together."""


def infrastructures(calls: Calls, code: CodeStorage) -> Mapping[str, Infrastructure]:
    """Return what makes the calls for each backend."""
    return {
        BackendName.DATA_SCIENCE: DataScience(calls),
        BackendName.DATA_FLOW: DataFlow(calls, code),
    }
