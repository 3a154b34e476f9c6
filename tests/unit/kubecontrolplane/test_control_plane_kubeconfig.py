"""Kubeconfigs are complete in one file, and only ours are accepted."""

from pathlib import Path

import pytest
import yaml

from kubecontrolplane.cluster import find_by_kubeconfig
from kubecontrolplane.errors import DirectoryError, ForeignClusterError
from kubecontrolplane.kubeconfig import OwnEndpoint, Token, read_endpoint, render
from kubecontrolplane.pki import CertificatePem
from kubecontrolplane.state import State

ENDPOINT = OwnEndpoint(
    server="https://127.0.0.1:6443", authority=b"authority", directory=Path("/clusters/one")
)
FOREIGN = """\
apiVersion: v1
kind: Config
clusters:
  - {name: production, cluster: {server: "https://prod.example.org"}}
"""


def test_a_certificate_is_embedded() -> None:
    text = render(
        ENDPOINT, user="ann", credential=CertificatePem(certificate=b"certificate", key=b"key")
    )
    document = yaml.safe_load(text)
    assert document["users"] == [
        {
            "name": "ann",
            "user": {"client-certificate-data": "Y2VydGlmaWNhdGU=", "client-key-data": "a2V5"},
        }
    ]
    assert document["clusters"][0]["cluster"]["certificate-authority-data"] == "YXV0aG9yaXR5"
    [context] = document["contexts"]
    assert document["current-context"] == context["name"]
    assert context["context"]["user"] == "ann"


def test_a_token_comes_with_the_namespace_of_its_account() -> None:
    text = render(ENDPOINT, user="bot", credential=Token(value="secret"), namespace="jobs")
    document = yaml.safe_load(text)
    assert document["users"][0]["user"] == {"token": "secret"}
    assert document["contexts"][0]["context"]["namespace"] == "jobs"


def test_where_it_leads_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(render(ENDPOINT, user="bot", credential=Token(value="secret")))
    assert read_endpoint(path) == ENDPOINT


@pytest.mark.parametrize(
    "content",
    [FOREIGN, "", "- a list", "{not yaml", "clusters: []", "apiVersion: v1"],
    ids=["another cluster's", "empty", "a list", "not YAML", "no cluster", "nothing in it"],
)
def test_a_file_that_kubecontrolplane_did_not_write_is_refused(
    content: str, tmp_path: Path
) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(content)
    with pytest.raises(
        ForeignClusterError, match="is not a kubeconfig that kubecontrolplane wrote"
    ):
        find_by_kubeconfig(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ForeignClusterError, match="No such file"):
        find_by_kubeconfig(tmp_path / "nothing")


def test_a_file_of_a_deleted_control_plane_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(render(ENDPOINT, user="bot", credential=Token(value="secret")))
    with pytest.raises(ForeignClusterError, match="no control plane in /clusters/one"):
        find_by_kubeconfig(path)


def test_a_file_of_a_stopped_control_plane_says_how_to_start_it(tmp_path: Path) -> None:
    State(ports={}, binaries={}).save(tmp_path / "kubecontrolplane.json")
    endpoint = OwnEndpoint(server=ENDPOINT.server, authority=b"", directory=tmp_path)
    path = tmp_path / "kubeconfig"
    path.write_text(render(endpoint, user="bot", credential=Token(value="secret")))
    with pytest.raises(DirectoryError, match="kubecontrolplane up --dir"):
        find_by_kubeconfig(path)
