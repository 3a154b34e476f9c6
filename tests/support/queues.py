"""Queues of Kueue, and runs in them."""

from typing import Any

from tests.support import manifests
from tests.support.namespace import Document, Namespace

API = "kueue.x-k8s.io/v1beta2"


def queue(stage: Namespace, *, ocpus: int = 1, **spec: Any) -> str:
    """Make a queue with quota for so many OCPUs; its name, its ClusterQueue's and its flavor's are the namespace's."""
    name = stage.namespace
    quota = [{"name": "cpu", "nominalQuota": ocpus}, {"name": "memory", "nominalQuota": "1Ti"}]
    flavor = {"name": name, "resources": quota}
    stage.apply(
        {"apiVersion": API, "kind": "ResourceFlavor", "metadata": {"name": name}},
        {
            "apiVersion": API,
            "kind": "ClusterQueue",
            "metadata": {"name": name},
            "spec": {
                "namespaceSelector": {},
                "resourceGroups": [{"coveredResources": ["cpu", "memory"], "flavors": [flavor]}],
                **spec,
            },
        },
        {
            "apiVersion": API,
            "kind": "LocalQueue",
            "metadata": {"name": "team"},
            "spec": {"clusterQueue": name},
        },
    )
    return name


def job() -> Document:
    """Return a job whose runs have 1 OCPU and 16 GB."""
    size = {"ocpus": 1, "memoryInGBs": 16}
    shape = {"shapeName": "VM.Standard.E4.Flex", "jobShapeConfigDetails": size}
    return manifests.job(infrastructure={"dataScienceJob": shape})


def queued(name: str = "run", priority: str | None = None, **spec: Any) -> Document:
    """Return a run that names the queue."""
    run = manifests.run(name, **spec)
    labels = {"kueue.x-k8s.io/queue-name": "team"}
    if priority is not None:
        labels["kueue.x-k8s.io/priority-class"] = priority
    run["metadata"]["labels"] = labels
    return run
