"""A cluster of another maker is used only if its own address is named as disposable."""

import base64
import copy
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubecontrolplane.disposable import open_disposable
from kubecontrolplane.errors import ForeignClusterError, KubeconfigError
from kubecontrolplane.kubeconfig import Token, read_access
from kubecontrolplane.pki import CertificatePem

# Nothing listens on port 1: a test that got as far as to ask it would fail by another error.
SERVER = "https://127.0.0.1:1"


def _b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


# What kind and k3s write: everything embedded; with a second context, as in a developer's own file.
KIND: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "kind-kind",
    "clusters": [
        {"name": "production", "cluster": {"server": "https://prod.example.org"}},
        {
            "name": "kind-kind",
            "cluster": {"server": SERVER, "certificate-authority-data": _b64("authority")},
        },
    ],
    "users": [
        {"name": "boss", "user": {"token": "of production"}},
        {
            "name": "kind-kind",
            "user": {
                "client-certificate-data": _b64("certificate"),
                "client-key-data": _b64("key"),
            },
        },
    ],
    "contexts": [
        {"name": "production", "context": {"cluster": "production", "user": "boss"}},
        {"name": "kind-kind", "context": {"cluster": "kind-kind", "user": "kind-kind"}},
    ],
}


@pytest.fixture
def document() -> dict[str, Any]:
    return copy.deepcopy(KIND)


def write(document: dict[str, Any], folder: Path) -> Path:
    """Write a kubeconfig."""
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(document))
    return path


class TestAccess:
    def test_the_current_context_counts(self, document: dict[str, Any], tmp_path: Path) -> None:
        access = read_access(write(document, tmp_path))
        assert (access.endpoint.server, access.endpoint.authority) == (SERVER, b"authority")
        assert access.credential == CertificatePem(certificate=b"certificate", key=b"key")

    def test_files_are_sought_beside_the_kubeconfig(
        self, document: dict[str, Any], tmp_path: Path
    ) -> None:
        """As minikube writes it."""
        (tmp_path / "pki").mkdir()
        for name in ("ca.crt", "client.crt", "client.key"):
            (tmp_path / "pki" / name).write_text(f"content of {name}")
        document["clusters"][1]["cluster"] = {
            "server": SERVER,
            "certificate-authority": "pki/ca.crt",
        }
        document["users"][1]["user"] = {
            "client-certificate": "pki/client.crt",
            "client-key": str(tmp_path / "pki" / "client.key"),
        }
        access = read_access(write(document, tmp_path))
        assert access.endpoint.authority == b"content of ca.crt"
        assert access.credential == CertificatePem(
            certificate=b"content of client.crt", key=b"content of client.key"
        )

    def test_a_token_will_do(self, document: dict[str, Any], tmp_path: Path) -> None:
        document["users"][1]["user"] = {"token": "secret"}
        assert read_access(write(document, tmp_path)).credential == Token(value="secret")

    @pytest.mark.parametrize(
        "change",
        [
            {"current-context": "gone"},
            {"users": [{"name": "kind-kind", "user": {"exec": {"command": "aws"}}}]},
            {"clusters": [{"name": "kind-kind", "cluster": {"server": SERVER}}]},
            {"contexts": None},
        ],
        ids=["no such context", "a program's credentials", "no authority", "no contexts"],
    )
    def test_what_is_lacking_is_said(
        self, change: dict[str, Any], document: dict[str, Any], tmp_path: Path
    ) -> None:
        with pytest.raises(KubeconfigError, match="a user with a client certificate or a token"):
            read_access(write(document | change, tmp_path))


class TestOpening:
    @pytest.mark.parametrize(
        "named",
        [
            "https://prod.example.org",
            "kind-kind",
            "https://127.0.0.1:16443",
            "https://127.0.0.1",
            "",
        ],
    )
    def test_another_server_than_the_named_one_is_left_alone(
        self, named: str, document: dict[str, Any], tmp_path: Path
    ) -> None:
        path = write(document, tmp_path)
        folder = tmp_path / "copy"
        folder.mkdir()
        with pytest.raises(ForeignClusterError, match=f"leads to {SERVER}, but {named} was named"):
            open_disposable(path, named=named, folder=folder)
        assert list(folder.iterdir()) == []

    def test_a_context_that_was_changed_meanwhile_is_noticed(
        self, document: dict[str, Any], tmp_path: Path
    ) -> None:
        """Who ran the tests against kind yesterday, and has looked at production since."""
        document["current-context"] = "production"
        document["clusters"][0]["cluster"]["certificate-authority-data"] = _b64("authority")
        with pytest.raises(ForeignClusterError, match=r"leads to https://prod\.example\.org"):
            open_disposable(write(document, tmp_path), named=SERVER, folder=tmp_path)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--cluster-kubeconfig", "kubeconfig"], "go together"),
        (["--disposable-cluster", SERVER], "go together"),
        (
            [
                *("--cluster-kubeconfig", "kubeconfig", "--disposable-cluster", SERVER),
                *("--control-plane-dir", "directory"),
            ],
            "name two clusters",
        ),
    ],
)
def test_half_a_statement_is_none(options: list[str], said: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *("-p", "kubecontrolplane.testing", *options),
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert said in done.stderr
