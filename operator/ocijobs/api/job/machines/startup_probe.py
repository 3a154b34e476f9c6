"""Startup probe: the command that tells that a run, or a node, has started.

Source: the Data Science API's `JobExecProbeDetails`; the names of the times are its own.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ocijobs.api.shared.model import ATOMIC_LIST, Model


class StartupProbe(Model):
    """A command that succeeds when the code has started."""

    command: Annotated[
        tuple[Annotated[str, Field(max_length=1024)], ...],
        Field(min_length=1, max_length=32, json_schema_extra=ATOMIC_LIST),
    ] = Field(description="Program and arguments. The probe has succeeded when it ends with 0.")
    period_in_seconds: Annotated[int, Field(ge=1, le=3600)] | None = Field(
        default=None, description="Time between two tries."
    )
    failure_threshold: Annotated[int, Field(ge=1, le=10000)] | None = Field(
        default=None, description="Number of failures after which the run has failed."
    )
    initial_delay_in_seconds: Annotated[int, Field(ge=0, le=86400)] | None = Field(
        default=None, description="Time before the first try."
    )
