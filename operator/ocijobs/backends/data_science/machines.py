"""The machines of a run and what they mount, as the API takes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from ocijobs.api.job.machines.compute_target import ComputeTarget
from ocijobs.api.job.machines.shape import CpuBaseline, JobShapeConfigDetails
from ocijobs.api.job.machines.storage_mount import (
    FileStorageMount,
    ObjectStorageMount,
)
from ocijobs.backends.oci_fields import OciField

MACHINES = "infrastructure.dataScienceJob"
"""Where the spec has machines. A group of nodes has fields of the same names."""

BELOW_MACHINES = (f"{MACHINES}.",)
_SHAPE = OciField(spec=f"{MACHINES}.shapeName", ads="infrastructure.shapeName")
_SIZE = OciField(
    spec=f"{MACHINES}.jobShapeConfigDetails",
    oci="jobShapeConfigDetails",
    ads="infrastructure.shapeConfigDetails",
    # What has no baseline is not burstable, and OCI says so.
    by_member={"cpuBaseline": CpuBaseline.BASELINE_1_1.value},
)
_BLOCK_STORAGE = OciField(
    spec=f"{MACHINES}.blockStorageSizeInGBs", ads="infrastructure.blockStorageSize"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compute:
    """One machine a run: STANDALONE with a subnet, ME_STANDALONE (managed egress) without."""

    shape_name: Annotated[str, _SHAPE]
    size: Annotated[JobShapeConfigDetails | None, _SIZE]
    block_storage_size_in_gbs: Annotated[int, _BLOCK_STORAGE]
    # An address that is given or not is another type of networking.
    subnet_id: Annotated[
        str | None,
        OciField(spec=f"{MACHINES}.subnetId", ads="infrastructure.subnetId", absence_counts=True),
    ] = None
    capacity_reservation_id: Annotated[
        str | None, OciField(spec=f"{MACHINES}.capacityReservationId")
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeCluster:
    """A managed compute cluster: MANAGED_COMPUTE_CLUSTER."""

    target: Annotated[
        ComputeTarget,
        OciField(
            spec=f"{MACHINES}.computeTarget",
            oci="",
            members={
                "resourceRequest": "resourceConfiguration.resourceRequestConfiguration",
                "resourceLimit": "resourceConfiguration.resourceLimitConfiguration",
            },
        ),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeMachine:
    """The machine of each node of a group: MULTI_NODE."""

    shape_name: Annotated[str, _SHAPE]
    size: Annotated[JobShapeConfigDetails | None, _SIZE]
    block_storage_size_in_gbs: Annotated[int, _BLOCK_STORAGE]
    capacity_reservation_ids: Annotated[
        tuple[str, ...], OciField(spec=f"{MACHINES}.jobNodeGroups.capacityReservationIds")
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """Storage that is mounted in a run."""

    source: ObjectStorageMount | FileStorageMount
    directory_name: Annotated[
        str,
        OciField(
            spec=f"{MACHINES}.storageMounts.destinationDirectoryName",
            oci="destinationDirectoryName",
        ),
    ]
    path: Annotated[
        str | None,
        OciField(spec=f"{MACHINES}.storageMounts.destinationPath", oci="destinationPath"),
    ]
