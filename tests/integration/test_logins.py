"""The operator works with whatever login a cluster has for it: its requests and its watch alike."""

from __future__ import annotations

import base64
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from tests.support import manifests
from tests.support.connect_proxy import connect_proxy
from tests.support.logins import ExecPlugin, token_of, with_cluster, with_user
from tests.support.stage import Stage

pytestmark = pytest.mark.no_operator


def works(stage: Stage) -> None:
    """Check that changes come by the watch, and that what is written arrives. The next complete list is far."""
    stage.operator.until_ready()
    stage.identity()
    stage.apply(manifests.job(), manifests.run())
    stage.until_ended("run")


def test_a_token(stage: Stage) -> None:
    stage.start_operator()
    works(stage)


def test_a_token_in_a_file(stage: Stage, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(token_of(stage.kubeconfig))
    with_user(stage.kubeconfig, {"tokenFile": str(file)})
    stage.start_operator()
    works(stage)


def test_a_plugin_whose_tokens_expire(stage: Stage, tmp_path: Path) -> None:
    """As `oci ce cluster generate-token` is: its tokens last for four minutes."""
    plugin = ExecPlugin(tmp_path / "plugin")
    plugin.gives(token_of(stage.kubeconfig), seconds=20)
    with_user(stage.kubeconfig, plugin.user)
    stage.start_operator()
    works(stage)
    assert plugin.runs >= 1


def test_a_certificate(stage: Stage) -> None:
    issue = getattr(stage.cluster, "kubeconfig_for_user", None)
    if issue is None:
        pytest.skip(f"{stage.cluster.server} is none that issues certificates here")
    # RBAC is for another test: who has a certificate here may do everything.
    stage.kubeconfig.write_text(issue("operator", ["system:masters"]))
    stage.start_operator()
    works(stage)


def test_a_proxy(stage: Stage) -> None:
    with connect_proxy() as proxy:
        with_cluster(stage.kubeconfig, **{"proxy-url": proxy.url})
        stage.start_operator()
        works(stage)
        # Requests, the lease, and a watch of each kind.
        assert proxy.connections >= 3
        stage.operator.end()


def test_a_certificate_that_nobody_verifies(stage: Stage) -> None:
    with_cluster(
        stage.kubeconfig,
        **{"certificate-authority-data": None, "insecure-skip-tls-verify": True},
    )
    stage.start_operator()
    works(stage)


@pytest.mark.own_process
def test_a_pod(stage: Stage, tmp_path: Path) -> None:
    """The token of the pod's service account, from TokenRequest, as the kubelet puts it in place."""
    cluster: dict[str, Any] = yaml.safe_load(stage.kubeconfig.read_text())["clusters"][0]["cluster"]
    account = tmp_path / "serviceaccount"
    account.mkdir()
    (account / "token").write_text(token_of(stage.kubeconfig))
    (account / "ca.crt").write_bytes(base64.b64decode(cluster["certificate-authority-data"]))
    place = urlsplit(cluster["server"])
    with _launched_by(stage, "tests.support.in_pod", account, place.hostname, place.port):
        stage.start_operator()
        works(stage)


@contextmanager
def _launched_by(stage: Stage, module: str, *arguments: object) -> Iterator[None]:
    def launch(command: list[str], **options: Any) -> subprocess.Popen[bytes]:
        own = [sys.executable, "-m", module, *map(str, arguments), *command[3:]]
        return subprocess.Popen(own, **options)

    former: Callable[..., Any] = stage.launch
    stage.launch = launch
    try:
        yield
    finally:
        stage.launch = former
