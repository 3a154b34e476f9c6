"""What a run asks its queue for: a Workload of Kueue, with a set of pods for each group of nodes.

Nothing of it runs as a pod; Kueue adds up what the pods would request. It is told by the manifest alone, so that a run
counts for the same whatever a process happens to know.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from ocijobs.api import kinds
from ocijobs.api.kueue import (
    ANNOTATION_REQUEST,
    KUEUE_API_VERSION,
    LABEL_PRIORITY,
    LABEL_RUN,
    LABEL_SHAPE,
    WORKLOAD,
)
from ocijobs.api.run.spec import OCIJobRun
from ocijobs.api.shared.names import FINALIZER
from ocijobs.backends.digest import digest
from ocijobs.backends.pod_sets import PodSet
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
    pod_sets: tuple[dict[str, object], ...]

    @property
    def digest(self) -> str:
        """What tells one request from another."""
        return digest([self.queue, self.priority_class, list(self.pod_sets)])[:32]


def workload_name(run: OCIJobRun) -> str:
    """Return the name of a run's Workload: that of a run that was deleted and created anew is another."""
    suffix = hashlib.sha256(run.metadata.uid.encode()).hexdigest()[:_HASH]
    return f"{run.metadata.name[: _NAME_LIMIT - _HASH - 1].rstrip('-.')}-{suffix}"


def request_of(run: OCIJobRun, queue: str, pod_sets: Iterable[PodSet]) -> Request:
    """Return what the run asks the queue for."""
    return Request(
        queue=queue,
        priority_class=run.metadata.labels.get(LABEL_PRIORITY) or None,
        pod_sets=tuple(_pod_set(pods) for pods in pod_sets),
    )


def workload_of(run: OCIJobRun, request: Request) -> dict[str, object]:
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


def _pod_set(pods: PodSet) -> dict[str, object]:
    requests = _requests(pods)
    container = {"name": "node", **({"resources": {"requests": requests}} if requests else {})}
    selector = {"nodeSelector": {LABEL_SHAPE: pods.shape}} if pods.shape else {}
    spec = {"containers": [container], "restartPolicy": "Never", **selector}
    return {"name": pods.name, "count": pods.count, "template": {"spec": spec}}


def _requests(pods: PodSet) -> dict[str, str]:
    """Return what a node counts for; of a shape whose size the manifest does not tell, its GPUs alone."""
    requests: dict[str, str] = {}
    if pods.ocpus is not None:
        requests["cpu"] = _quantity(pods.ocpus)
    if pods.memory_in_gbs is not None:
        requests["memory"] = f"{_quantity(pods.memory_in_gbs)}Gi"
    shape = pods.shape or ""
    if (gpus := _GPUS.search(shape)) is not None:
        requests["amd.com/gpu" if _AMD in shape else "nvidia.com/gpu"] = gpus.group(1)
    return requests


def _quantity(number: float) -> str:
    """Return a number as Kubernetes writes it."""
    return f"{number:.3f}".rstrip("0").rstrip(".")
