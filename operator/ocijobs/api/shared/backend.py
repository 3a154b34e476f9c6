"""Services of OCI that run jobs."""

from __future__ import annotations

from enum import StrEnum


class Backend(StrEnum):
    """Service of OCI that runs jobs."""

    DATA_SCIENCE = "DataScience"
    DATA_FLOW = "DataFlow"
