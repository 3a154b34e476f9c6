"""What a run asks its queue for: a Workload of Kueue, with a set of pods for each group of nodes.

Nothing of it runs as a pod; Kueue adds up what the pods would request. It is told by the manifest alone, so that a run
counts for the same whatever a process happens to know.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from ocijobs.api import kinds
from ocijobs.api.job.machines.shape import JobShapeConfigDetails
from ocijobs.api.kueue import (
    ANNOTATION_REQUEST,
    KUEUE_API_VERSION,
    LABEL_PRIORITY,
    LABEL_RUN,
    LABEL_SHAPE,
    WORKLOAD,
)
from ocijobs.api.run.binding import BoundApplication, RunTemplate
from ocijobs.api.run.overrides import RunSpark
from ocijobs.api.run.settings import RunSettings
from ocijobs.api.run.spec import OCIJobRun
from ocijobs.api.shared.names import FINALIZER
from ocijobs.backends.data_science.compute import machine, node_machine
from ocijobs.backends.data_science.machines import ComputeCluster
from ocijobs.backends.data_science.workload import machines
from ocijobs.backends.digest import digest
from ocijobs.backends.environment import groups_of
from ocijobs.reconcile.ownership import owner_reference

_NAME_LIMIT = 63
_HASH = 8
_GPUS = re.compile(r"\.GPU.*?\.?(\d+)$")
"""Shapes with GPUs end with how many: VM.GPU.A10.2, BM.GPU4.8."""

_AMD = ".GPU.MI"
"""Begins the names of the Instinct series; the others are NVIDIA's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a run asks for: where, with which priority, and what for."""

    queue: str
    priority_class: str | None
    pod_sets: tuple[dict[str, Any], ...]

    @property
    def digest(self) -> str:
        """What tells one request from another."""
        return digest([self.queue, self.priority_class, list(self.pod_sets)])[:32]


def workload_name(run: OCIJobRun) -> str:
    """Return the name of a run's Workload: that of a run that was deleted and created anew is another."""
    suffix = hashlib.sha256(run.metadata.uid.encode()).hexdigest()[:_HASH]
    return f"{run.metadata.name[: _NAME_LIMIT - _HASH - 1].rstrip('-.')}-{suffix}"


def request_of(run: OCIJobRun, queue: str, template: RunTemplate, settings: RunSettings) -> Request:
    """Return what the run asks the queue for."""
    return Request(
        queue=queue,
        priority_class=run.metadata.labels.get(LABEL_PRIORITY) or None,
        pod_sets=pod_sets(template, settings),
    )


def workload_of(run: OCIJobRun, request: Request) -> dict[str, Any]:
    """Return the document of the run's Workload.

    The finalizer keeps the quota until OCI has ended the run, whoever deletes the Workload or, in the foreground, the
    run.
    """
    meta = run.metadata
    return {
        "apiVersion": KUEUE_API_VERSION,
        "kind": WORKLOAD,
        "metadata": {
            "name": workload_name(run),
            "namespace": meta.namespace,
            "labels": {LABEL_RUN: meta.name},
            "annotations": {ANNOTATION_REQUEST: request.digest},
            "finalizers": [FINALIZER],
            "ownerReferences": [owner_reference(meta, kinds.RUN)],
        },
        "spec": {"queueName": request.queue, "podSets": list(request.pod_sets)},
    }


def pod_sets(template: RunTemplate, settings: RunSettings) -> tuple[dict[str, Any], ...]:
    """Return the sets of pods: one for each group of nodes, or `main` for one machine."""
    given = machines(template, settings)
    if template.application is not None:
        return _of_spark(template.application, settings.spark or RunSpark())
    if given is None:
        return (_pod_set("main", 1, None, None),)
    groups = groups_of(template)
    if not groups:
        single = machine(given)
        if isinstance(single, ComputeCluster):
            return (_pod_set("main", 1, None, None),)
        return (_pod_set("main", 1, single.shape_name, single.size),)
    nodes = ((group, node_machine(given, group)) for group in groups)
    return tuple(
        _pod_set(_set_name(group.name, index), group.replicas, node.shape_name, node.size)
        for index, (group, node) in enumerate(nodes)
    )


def _of_spark(application: BoundApplication, ours: RunSpark) -> tuple[dict[str, Any], ...]:
    """Return the driver and the executors; those that come and go count as many as there are at first."""
    sizes = {
        "driver": (ours.driver_shape, ours.driver_shape_config),
        "executor": (ours.executor_shape, ours.executor_shape_config),
    }
    former = {
        "driver": (application.driver_shape, application.driver_shape_config),
        "executor": (application.executor_shape, application.executor_shape_config),
    }
    counts = {"driver": 1, "executor": ours.num_executors or application.num_executors}
    sets = []
    for name, count in counts.items():
        shape, size = sizes[name] if sizes[name][0] is not None else former[name]
        details = (
            JobShapeConfigDetails(ocpus=size.ocpus, memory_in_gbs=size.memory_in_gbs)
            if size is not None
            else None
        )
        sets.append(_pod_set(name, count, shape, details))
    return tuple(sets)


def _set_name(group: str, index: int) -> str:
    """Return a DNS label for a group; those of two groups differ by their index."""
    return f"{re.sub('[^a-z0-9]', '-', group.lower())[:56].rstrip('-')}-{index}"


def _pod_set(
    name: str, count: int, shape: str | None, size: JobShapeConfigDetails | None
) -> dict[str, Any]:
    requests = _requests(shape or "", size)
    container = {"name": "node", **({"resources": {"requests": requests}} if requests else {})}
    selector = {"nodeSelector": {LABEL_SHAPE: shape}} if shape else {}
    spec = {"containers": [container], "restartPolicy": "Never", **selector}
    return {"name": name, "count": count, "template": {"spec": spec}}


def _requests(shape: str, size: JobShapeConfigDetails | None) -> dict[str, str]:
    """Return what a node counts for; of a shape whose size the manifest does not tell, its GPUs alone."""
    requests: dict[str, str] = {}
    if size is not None and size.ocpus is not None:
        requests["cpu"] = _quantity(size.ocpus)
    if size is not None and size.memory_in_gbs is not None:
        requests["memory"] = f"{_quantity(size.memory_in_gbs)}Gi"
    if (gpus := _GPUS.search(shape)) is not None:
        requests["amd.com/gpu" if _AMD in shape else "nvidia.com/gpu"] = gpus.group(1)
    return requests


def _quantity(number: float) -> str:
    """Return a number as Kubernetes writes it."""
    return f"{number:.3f}".rstrip("0").rstrip(".")
