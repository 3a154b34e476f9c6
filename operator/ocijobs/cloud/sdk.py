"""OCI's SDK, imported when something of it is first used: the one module that imports it.

It is a third of all that the operator would import, and nothing needs it before the first call. So an operator that
starts, and one that stands by, is ready without it. A thread imports it then (`clients.import_sdk`), and a leader
begins to work when that is done: on the loop, the import would hold it for a quarter of a second.
"""

from __future__ import annotations

from functools import reduce
from typing import Any


class _Part:
    """The package `oci`, or what is at a path in it. It imports the packages of services itself, on first use."""

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
