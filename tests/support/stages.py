"""A pytest plugin: the control plane with our definitions, shared by component and integration tests."""

import json
import subprocess
import time

import pytest

from kubecontrolplane.cluster import Cluster
from ocijobs.api.crd import KINDS, custom_resource_definitions


@pytest.fixture(scope="session")
def definitions(cluster: Cluster) -> Cluster:
    """The control plane with our definitions installed."""
    install_definitions(cluster)
    return cluster


def install_definitions(cluster: Cluster) -> None:
    """Install our definitions in a control plane."""
    kubectl = [str(cluster.kubectl), "--kubeconfig", str(cluster.kubeconfig)]
    subprocess.run(
        [*kubectl, "apply", "--server-side", "--force-conflicts", "-f", "-"],
        input=json.dumps(
            {"apiVersion": "v1", "kind": "List", "items": list(custom_resource_definitions())}
        ),
        text=True,
        check=True,
        capture_output=True,
    )
    for kind in KINDS:
        until_explained(cluster, kind.plural)


def until_explained(cluster: Cluster, plural: str) -> None:
    """Await that the API server serves a kind and tells of it: the last that it does after a definition came."""
    command = [str(cluster.kubectl), "--kubeconfig", str(cluster.kubeconfig), "explain", plural]
    deadline = time.monotonic() + 60
    while subprocess.run(command, check=False, capture_output=True).returncode != 0:
        assert time.monotonic() < deadline, f"{plural} is not told of"
