"""A pytest plugin: the real Kueue as a process, for a control plane of its own.

It is the unmodified controller with its own definitions and its own webhooks, which the API server reaches at loopback.
What differs from an installation: no leader election, no visibility server, and the certificate is made here.
"""

import base64
import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.certificates import Issued, authority, server_certificate
from tests.support.namespace import Document
from tests.support.scheduling import group
from tests.support.stages import install_definitions, until_explained

from kubecontrolplane.binaries import KUEUE, KUEUE_CONTROLLER
from kubecontrolplane.build import Pins, ensure_built
from kubecontrolplane.cluster import Cluster
from kubecontrolplane.ports import free_port
from kubecontrolplane.toolchain import find_go

_HOME = "kueue-system"
_SERVICE, _SECRET = "kueue-webhook-service", "kueue-webhook-server-cert"
_AUTHORITY = "kueue-ca"
"""The name by which Kueue knows its own authority."""

_CONVERTED = ("localqueues", "clusterqueues", "workloads", "cohorts", "multikueueclusters")
"""Definitions whose former versions a webhook converts (config/components/crd/kustomization.yaml)."""

_START_SECONDS = 60
_END_SECONDS = 20


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what wants Kueue as breadth, since it takes minutes to build, and hold it to one worker."""
    for item in items:
        if "kueue" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.breadth)
            if group(item.nodeid) == item.nodeid:
                file = item.nodeid.partition("::")[0]
                raise pytest.UsageError(
                    f"{file} wants Kueue: name it in tests/support/scheduling.py"
                )


@pytest.fixture(scope="session")
def kueue(own_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A control plane with our definitions, Kueue's, and Kueue."""
    install_definitions(own_cluster)
    with running_kueue(own_cluster, tmp_path_factory.mktemp("kueue")):
        yield own_cluster


def install_kueue(cluster: Cluster, port: int = 9) -> None:
    """Install Kueue's definitions, whose webhook is at a port of loopback."""
    kueue = _module()
    documents = [
        _converted(yaml.safe_load(path.read_text()), port)
        for path in sorted((kueue / "config/components/crd/bases").glob("*.yaml"))
    ]
    _apply(cluster, *documents)
    until_explained(cluster, "workloads.kueue.x-k8s.io")


@contextmanager
def running_kueue(cluster: Cluster, folder: Path) -> Iterator[None]:
    """Have Kueue run for a control plane."""
    webhook, health = free_port(), free_port()
    ca = authority(_AUTHORITY)
    server = server_certificate(ca, f"{_SERVICE}.{_HOME}.svc", "127.0.0.1")
    install_kueue(cluster, webhook)
    hooks = _module() / "config/components/webhook/manifests.yaml"
    _apply(
        cluster,
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": _HOME}},
        _secret(ca, server),
        *(_ours(each, webhook) for each in yaml.safe_load_all(hooks.read_text())),
    )
    (folder / "tls.crt").write_bytes(server.certificate)
    (folder / "tls.key").write_bytes(server.key)
    config = folder / "config.yaml"
    config.write_text(yaml.safe_dump(_configuration(folder, webhook, health)))
    program = ensure_built(KUEUE_CONTROLLER) / "kueue"
    with (folder / "kueue.log").open("wb") as log:
        process = subprocess.Popen(
            [str(program), f"--config={config}"],
            env={**os.environ, "KUBECONFIG": str(cluster.kubeconfig)},
            stdout=log,
            stderr=log,
        )
    try:
        _until_ready(process, health, folder / "kueue.log")
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=_END_SECONDS)
        except subprocess.TimeoutExpired:
            # It waits for its first certificate for ever.
            process.kill()
            process.wait()


def _module() -> Path:
    """Return the directory of Kueue's module."""
    pins = Pins.of(KUEUE_CONTROLLER)
    arguments = ["mod", "download", "-json", KUEUE]
    found = json.loads(find_go(pins.go_mod).run(arguments, directory=pins.directory))
    return Path(found["Dir"])


def _configuration(folder: Path, webhook: int, health: int) -> Document:
    return {
        "apiVersion": "config.kueue.x-k8s.io/v1beta2",
        "kind": "Configuration",
        "namespace": _HOME,
        "health": {"healthProbeBindAddress": f"127.0.0.1:{health}"},
        "metrics": {"bindAddress": "0"},
        "webhook": {"host": "127.0.0.1", "port": webhook, "certDir": str(folder)},
        "leaderElection": {"leaderElect": False},
        "internalCertManagement": {
            "enable": True,
            "webhookServiceName": _SERVICE,
            "webhookSecretName": _SECRET,
        },
        "integrations": {"frameworks": ["batch/job"]},
        "featureGates": {"VisibilityOnDemand": False},
    }


def _secret(ca: Issued, server: Issued) -> Document:
    files = {
        "ca.crt": ca.certificate,
        "ca.key": ca.key,
        "tls.crt": server.certificate,
        "tls.key": server.key,
    }
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": _SECRET, "namespace": _HOME},
        "data": {name: base64.b64encode(content).decode() for name, content in files.items()},
    }


def _converted(definition: Document, port: int) -> Document:
    """Return a definition with the conversion that Kueue adds its authority to."""
    if definition["spec"]["names"]["plural"] in _CONVERTED:
        definition["spec"]["conversion"] = {
            "strategy": "Webhook",
            "webhook": {
                "clientConfig": {"url": f"https://127.0.0.1:{port}/convert"},
                "conversionReviewVersions": ["v1"],
            },
        }
    return definition


def _ours(configuration: Document, port: int) -> Document:
    """Return the webhooks of Kueue's own kinds, at loopback."""
    hooks = []
    for hook in configuration["webhooks"]:
        if all(rule["apiGroups"] == ["kueue.x-k8s.io"] for rule in hook["rules"]):
            path = hook["clientConfig"]["service"]["path"]
            hooks.append({**hook, "clientConfig": {"url": f"https://127.0.0.1:{port}{path}"}})
    name = f"kueue-{configuration['metadata']['name']}"
    return {**configuration, "metadata": {"name": name}, "webhooks": hooks}


def _apply(cluster: Cluster, *documents: Any) -> None:
    subprocess.run(
        [
            str(cluster.kubectl),
            "--kubeconfig",
            str(cluster.kubeconfig),
            "apply",
            "--server-side",
            "--force-conflicts",
            "-f",
            "-",
        ],
        input=yaml.safe_dump_all(documents),
        text=True,
        check=True,
        capture_output=True,
    )


def _until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    # A program of others says that it is ready to who asks, and tells nobody.
    while not _ready(port):
        ended = process.poll() is not None or time.monotonic() > deadline
        assert not ended, f"Kueue is not ready:\n{log.read_text()[-3000:]}"
        time.sleep(0.1)


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False
