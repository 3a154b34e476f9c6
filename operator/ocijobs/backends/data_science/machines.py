"""The machines of a run and what they mount, as the API takes them."""

from __future__ import annotations

from dataclasses import dataclass

from ocijobs.api.job.machines.compute_target import ComputeTarget
from ocijobs.api.job.machines.shape import JobShapeConfigDetails
from ocijobs.api.job.machines.storage_mount import FileStorageMount, ObjectStorageMount


@dataclass(frozen=True, slots=True, kw_only=True)
class Compute:
    """One machine a run: STANDALONE with a subnet, ME_STANDALONE (managed egress) without."""

    shape_name: str
    size: JobShapeConfigDetails | None
    block_storage_size_in_gbs: int
    subnet_id: str | None = None
    capacity_reservation_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeCluster:
    """A managed compute cluster: MANAGED_COMPUTE_CLUSTER."""

    target: ComputeTarget


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeMachine:
    """The machine of each node of a group: MULTI_NODE."""

    shape_name: str
    size: JobShapeConfigDetails | None
    block_storage_size_in_gbs: int
    capacity_reservation_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """Storage that is mounted in a run."""

    source: ObjectStorageMount | FileStorageMount
    directory_name: str
    path: str | None
