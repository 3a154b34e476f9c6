"""OCI's SDK, imported on first use. Only this module imports it.

The SDK is a third of all that the operator imports, and nothing needs it before the first call. So an operator is ready
without it, at its start and as a standby. Then a thread imports it (`clients.import_sdk`), and a leader begins to work
when that is done. An import on the loop would keep the loop busy for a quarter of a second.
"""

from __future__ import annotations

from functools import reduce
from typing import Any


class _Part:
    """The package `oci`, or a part of it. It imports the packages of services on first use."""

    def __init__(self, *path: str) -> None:
        self._path = path

    def __getattr__(self, name: str) -> Any:
        import oci  # noqa: PLC0415 - on first use; where it is imported already, this is a look into a dictionary

        return getattr(reduce(getattr, self._path, oci), name)


oci: Any = _Part()
data_flow_models: Any = _Part("data_flow", "models")
data_science_models: Any = _Part("data_science", "models")
log_search_models: Any = _Part("loggingsearch", "models")
monitoring_models: Any = _Part("monitoring", "models")
resource_search_models: Any = _Part("resource_search", "models")
