"""What is seen in OCI of a run, in its status: results, outputs, logs, nodes, and what it used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from ocijobs.api.shared.model import ATOMIC_LIST, Model

Results = Annotated[
    Mapping[Annotated[str, Field(max_length=63)], Annotated[str, Field(max_length=4096)]],
    Field(max_length=32),
]
"""What a run has reported: name -> value, as the code printed it."""


class Utilisation(Model):
    """Use of a resource during the run."""

    mean: float = Field(description="Mean, in percent.")
    max: float = Field(description="Highest mean of one minute, in percent.")


class RunMetrics(Model):
    """What the run used: utilisation of the machines from OCI Monitoring, or Data Flow's totals."""

    cpu_utilization: Utilisation | None = Field(default=None, description="CPU.")
    memory_utilization: Utilisation | None = Field(default=None, description="Memory.")
    disk_utilization: Utilisation | None = Field(default=None, description="Block storage.")
    gpu_utilization: Utilisation | None = Field(default=None, description="GPU.")
    total_ocpu: Annotated[int, Field(ge=0)] | None = Field(
        default=None,
        alias="totalOCpu",
        description="OCPUs of driver and executors together; only of a Spark run.",
    )
    data_read_in_bytes: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="Bytes that Spark read."
    )
    data_written_in_bytes: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="Bytes that Spark wrote."
    )
    run_duration_in_milliseconds: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="Duration of the run by Data Flow's count, in milliseconds."
    )


class NodeGroupState(Model):
    """State of a group of nodes."""

    name: Annotated[str, Field(max_length=255)] = Field(description="Name of the group.")
    lifecycle_state: Annotated[str, Field(max_length=63)] = Field(description="State in OCI.")
    lifecycle_details: Annotated[str, Field(max_length=1024)] | None = Field(
        default=None, description="Details in OCI's own words."
    )


class LogFile(Model):
    """A log that Data Flow keeps of a run (RunLogSummary)."""

    name: Annotated[str, Field(max_length=255)] = Field(
        description="Its name, as GetRunLog takes it."
    )
    source: Annotated[str, Field(max_length=63)] = Field(
        description="APPLICATION, DRIVER or EXECUTOR."
    )
    type: Annotated[str, Field(max_length=63)] = Field(description="STDOUT or STDERR.")
    size_in_bytes: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="Compressed size in bytes."
    )


class OutputList(Model):
    """The objects that the run saved as outputs."""

    count: Annotated[int, Field(ge=0)] = Field(description="Number of objects.")
    objects: Annotated[
        tuple[Annotated[str, Field(max_length=2048)], ...],
        Field(max_length=50, json_schema_extra=ATOMIC_LIST),
    ] = Field(default=(), description="oci:// addresses of the first 50.")
