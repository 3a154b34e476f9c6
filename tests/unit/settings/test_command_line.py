"""The operator's command line, as a process: what it says of what is wrong, and how it ends."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from ocijobs import __version__
from ocijobs.api.crd import custom_resource_definitions
from ocijobs.testing.process import OperatorProcess

SECONDS = 60


def ended(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, in an environment without settings or a cluster."""
    own = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OCIJOBS_", "KUBE", "HOME"))
    }
    return subprocess.run(
        [sys.executable, "-m", "ocijobs", *arguments],
        env=own | environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def test_it_tells_its_version_and_its_commands() -> None:
    assert ended("--version").stdout.strip().endswith(f"version {__version__}")
    shown = ended("-h").stdout
    assert "run " in shown
    assert "crds " in shown


def test_it_prints_its_definitions_for_kubectl() -> None:
    printed = list(yaml.safe_load_all(ended("crds").stdout))
    assert printed == list(custom_resource_definitions())
    assert {document["kind"] for document in printed} == {"CustomResourceDefinition"}


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"OCIJOBS_WORKER": "1"}, "unknown settings in the environment: OCIJOBS_WORKER"),
        ({"OCIJOBS_WORKERS": "0"}, "workers (OCIJOBS_WORKERS): Input should be greater than"),
        ({"OCIJOBS_SETTINGS_FILE": "/no/file"}, "there is no file /no/file"),
        ({"KUBECONFIG": "/no/kubeconfig"}, "no cluster to work for: /no/kubeconfig: "),
        ({"KUBECONFIG": "{broken}"}, "no cluster to work for: "),
        (
            {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"},
            "no cluster to work for: the pod's service account: ",
        ),
    ],
)
def test_what_it_can_not_start_with_is_said_in_words(
    tmp_path: Path, environment: dict[str, str], message: str
) -> None:
    broken = tmp_path / "broken"
    broken.write_text("clusters: [\n")
    given = {name: value.replace("{broken}", str(broken)) for name, value in environment.items()}
    result = ended("run", HOME=str(tmp_path), **given)
    assert result.returncode == 1
    assert message in result.stderr
    assert "Traceback" not in result.stderr


@pytest.fixture
def silent_cluster(tmp_path: Path) -> Iterator[Path]:
    """A kubeconfig of an API server that takes no connection, since nobody listens there."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        path = tmp_path / "kubeconfig"
        context = {"cluster": "c", "user": "u"}
        server = f"http://127.0.0.1:{taken.getsockname()[1]}"
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "x",
            "contexts": [{"name": "x", "context": context}],
            "clusters": [{"name": "c", "cluster": {"server": server}}],
            "users": [{"name": "u", "user": {"token": "t"}}],
        }
        path.write_text(yaml.safe_dump(document))
        yield path


def test_a_port_that_is_taken_is_said_in_words(silent_cluster: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        result = ended(
            "run",
            KUBECONFIG=str(silent_cluster),
            OCIJOBS_HTTP_PORT=port,
            OCIJOBS_HTTP_HOST="127.0.0.1",
        )
    assert result.returncode == 1
    assert f"port {port} of 127.0.0.1 can't be opened: " in result.stderr
    assert "address already in use" in result.stderr.lower()
    assert "Traceback" not in result.stderr


def test_without_an_api_server_it_is_alive_not_ready_and_ends_when_asked(
    silent_cluster: Path, tmp_path: Path
) -> None:
    with OperatorProcess(silent_cluster, tmp_path) as operator:
        operator.until_open()
        assert json.loads(operator.fetch("/healthz") or "null") == {"loop": True, "workers": True}
        assert operator.fetch("/readyz") is None
        assert "ocijobs_leader 0.0" in (operator.fetch("/metrics") or "")
        assert operator.stop() == 0
    assert "not read" in operator.log.read_text()
