"""Services of OCI that run jobs."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field


class BackendName(StrEnum):
    """Services of OCI that run jobs, as `status.backend` has them."""

    DATA_SCIENCE = "DataScience"
    DATA_FLOW = "DataFlow"


RecordedBackend = Annotated[
    str, Field(json_schema_extra={"enum": [name.value for name in BackendName]})
]
"""A service in a status: the CRDs take these names alone, while a status may be read that another version wrote."""
