"""Moving to another release rewrites everything that depends on it, and nothing else."""

from pathlib import Path

import pytest

from kubecontrolplane.build import Pins
from kubecontrolplane.errors import ToolchainError
from kubecontrolplane.repin import edits, repin

CURRENT = {
    "Require": [
        {"Path": "k8s.io/kubernetes", "Version": "v1.36.1"},
        {"Path": "github.com/gone/since", "Version": "v1.0.0", "Indirect": True},
    ],
    "Replace": [
        {"Old": {"Path": "k8s.io/api"}, "New": {"Path": "k8s.io/api", "Version": "v0.36.1"}},
        {"Old": {"Path": "k8s.io/gone"}, "New": {"Path": "k8s.io/gone", "Version": "v0.36.1"}},
    ],
}
UPSTREAM = {
    "Go": "1.26.0",
    "Godebug": [{"Key": "default", "Value": "go1.26"}],
    "Require": [
        {"Path": "go.etcd.io/etcd/client/v3", "Version": "v3.7.0"},
        {"Path": "k8s.io/api", "Version": "v0.0.0"},
    ],
    "Replace": [
        {"Old": {"Path": "k8s.io/api"}, "New": {"Path": "./staging/src/k8s.io/api"}},
        {"Old": {"Path": "example.org/fork"}, "New": {"Path": "example.org/forked"}},
    ],
}


def test_versions_come_from_the_release_alone() -> None:
    assert edits(CURRENT, UPSTREAM, "v1.37.2") == [
        "-dropreplace=k8s.io/gone",
        "-droprequire=k8s.io/kubernetes",
        "-droprequire=github.com/gone/since",
        "-go=1.26.0",
        "-godebug=default=go1.26",
        "-replace=k8s.io/api=k8s.io/api@v0.37.2",
        "-require=k8s.io/kubernetes@v1.37.2",
        "-require=go.etcd.io/etcd/server/v3@v3.7.0",
    ]


def test_a_prerelease_has_twins_of_the_same_name() -> None:
    flags = edits(CURRENT, UPSTREAM, "v1.38.0-rc.1")
    assert "-replace=k8s.io/api=k8s.io/api@v0.38.0-rc.1" in flags


def test_a_release_without_etcd_is_not_guessed_at() -> None:
    with pytest.raises(ToolchainError, match="which etcd is its"):
        edits(CURRENT, {**UPSTREAM, "Require": []}, "v1.37.2")


@pytest.mark.parametrize("release", ["1.37.2", "v1.37", "latest", "v2.0.0", "v1.37.2; rm"])
def test_what_is_no_release_is_refused(release: str, tmp_path: Path) -> None:
    with pytest.raises(ToolchainError, match="is not a release of Kubernetes"):
        repin(Pins(directory=tmp_path), release)
