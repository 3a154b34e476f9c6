"""A pytest plugin: the control plane with our definitions, shared by component and integration tests."""

import subprocess
import time

import pytest
import yaml

from devcluster.cluster import Cluster
from ocijobs.api.crd import KINDS, custom_resource_definitions
from ocijobs.api.names import GROUP

ESTABLISHED = '--for=jsonpath={.status.conditions[?(@.type=="Established")].status}=True'
"""What `kubectl wait` waits for: by the condition's name it fails while there are no conditions at all."""


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
        input=yaml.safe_dump_all(custom_resource_definitions()),
        text=True,
        check=True,
        capture_output=True,
    )
    names = [f"crd/{kind.plural}.{GROUP}" for kind in KINDS]
    subprocess.run(
        [*kubectl, "wait", ESTABLISHED, *names, "--timeout=60s"],
        check=True,
        capture_output=True,
    )
    for kind in KINDS:
        _until_explained([*kubectl, "explain", kind.plural])


def _until_explained(command: list[str]) -> None:
    """Await that the API server tells of a kind: it does so a moment after it serves it."""
    deadline = time.monotonic() + 60
    while subprocess.run(command, check=False, capture_output=True).returncode != 0:
        assert time.monotonic() < deadline, f"{command[-1]} is not told of"
