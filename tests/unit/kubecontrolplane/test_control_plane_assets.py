"""KUBEBUILDER_ASSETS is used where it is set, and what it lacks is told or built."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from kubecontrolplane import assets
from kubecontrolplane.assets import find_binaries
from kubecontrolplane.errors import AssetsError

PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kubectl")


def make_program(path: Path, release: str = "v1.37.2") -> None:
    path.write_text(f"#!/bin/sh\necho Kubernetes {release}\n")
    path.chmod(0o755)


@pytest.fixture
def ready_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with all programs, named by the variable."""
    directory = tmp_path / "assets"
    directory.mkdir()
    for name in PROGRAMS:
        make_program(directory / name)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(directory))
    return directory


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Have builds give programs of a release."""

    def give(release: str) -> Path:
        directory = tmp_path / "built"
        directory.mkdir()
        for name in PROGRAMS:
            make_program(directory / name, release)
        monkeypatch.setattr(assets, "ensure_built", lambda *_: directory)
        return directory

    return give


def test_ready_made_programs_need_no_go(ready_made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert find_binaries() == {name: ready_made / name for name in PROGRAMS}


@pytest.mark.parametrize("lacking", [("etcd",), ("kube-apiserver", "kubectl")], ids=str)
def test_what_is_lacking_is_named(lacking: tuple[str, ...], ready_made: Path) -> None:
    for name in lacking:
        (ready_made / name).unlink()
    with pytest.raises(AssetsError, match=f"has no executable {', '.join(lacking)}: complete"):
        find_binaries()


def test_a_file_that_is_not_executable_is_lacking(ready_made: Path) -> None:
    (ready_made / "etcd").chmod(0o644)
    with pytest.raises(AssetsError, match="has no executable etcd"):
        find_binaries()


def test_a_missing_controller_manager_is_built(
    ready_made: Path, built: Callable[[str], Path], caplog: pytest.LogCaptureFixture
) -> None:
    """setup-envtest, whose directory this is, does not bring it."""
    (ready_made / "kube-controller-manager").unlink()
    directory = built("v1.37.9")
    found = find_binaries()
    assert found["kube-controller-manager"] == directory / "kube-controller-manager"
    assert found["kube-apiserver"] == ready_made / "kube-apiserver"
    assert not caplog.messages


def test_a_controller_manager_of_another_minor_release_is_warned_of(
    ready_made: Path, built: Callable[[str], Path], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    (ready_made / "kube-controller-manager").unlink()
    built("v1.38.0")
    find_binaries()
    [warning] = caplog.messages
    assert "v1.37.2" in warning
    assert "v1.38.0" in warning


def test_without_the_variable_everything_is_built(
    built: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    directory = built("v1.37.2")
    assert find_binaries() == {name: directory / name for name in PROGRAMS}
