"""A managed compute cluster as the place where runs go, instead of machines of their own.

Source: the Data Science API's `ManagedComputeClusterJobInfrastructureConfigurationDetails`.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from ocijobs.api.shared.model import Model, Ocid, validations

Ocpus = Annotated[float, Field(gt=0, le=1024)]
Gigabytes = Annotated[float, Field(gt=0, le=65536)]


class ResourceRequest(Model):
    """The least that a run is given."""

    ocpus: Ocpus = Field(description="Number of OCPUs.")
    memory_in_gbs: Gigabytes = Field(alias="memoryInGBs", description="Memory in gigabytes.")
    gpus: Annotated[int, Field(ge=0, le=1024)] | None = Field(
        default=None, description="Number of GPUs."
    )


class ResourceLimit(Model):
    """The most that a run may use."""

    ocpus: Ocpus = Field(description="Number of OCPUs.")
    memory_in_gbs: Gigabytes = Field(alias="memoryInGBs", description="Memory in gigabytes.")


class ComputeTarget(Model):
    """A managed compute cluster, and what a run uses of it."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            (
                (
                    "!has(self.resourceLimit) || (self.resourceLimit.ocpus >= "
                    "self.resourceRequest.ocpus && self.resourceLimit.memoryInGBs >= "
                    "self.resourceRequest.memoryInGBs)"
                ),
                "resourceLimit must not be less than resourceRequest",
            )
        )
    )

    compute_target_id: Ocid = Field(description="OCID of the compute target.")
    resource_request: ResourceRequest = Field(description="The least that a run is given.")
    resource_limit: ResourceLimit | None = Field(
        default=None, description="The most that a run may use."
    )
