"""The command line tells people what to do, and gives programs one thing on standard output."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kubecontrolplane import __main__ as cli
from kubecontrolplane.build import Pins
from kubecontrolplane.state import State

Run = Callable[..., Result]


@pytest.fixture
def run() -> Run:
    """Call the command line in this process."""
    return lambda *arguments: CliRunner().invoke(cli.main, [str(each) for each in arguments])


@pytest.fixture
def no_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without Go and without ready-made programs."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)


@pytest.mark.parametrize("command", [["build"], ["build", "--set", "chart-tools"]], ids=str)
def test_without_go_a_build_says_what_to_install(command: list[str], run: Run, no_go: None) -> None:
    result = run(*command)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: Go is not on PATH: install Go 1.")
    assert result.stdout == ""


def test_without_go_up_says_what_to_install_and_starts_nothing(
    run: Run, no_go: None, tmp_path: Path
) -> None:
    result = run("up", "--dir", tmp_path / "cluster")
    assert result.exit_code == 1
    assert "KUBEBUILDER_ASSETS" in result.stderr
    assert not (tmp_path / "cluster" / "run").exists()


def test_a_build_prints_the_directory_alone(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(cli, "ensure_built", lambda binary_set: tmp_path / binary_set.name)
    assert run("build", "--set", "chart-tools").stdout == f"{tmp_path}/chart-tools\n"


def test_down_of_nothing_is_no_error(run: Run, tmp_path: Path) -> None:
    result = run("down", "--dir", tmp_path / "never")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "nothing runs in" in result.stderr


def test_status_of_nothing_is_an_error(run: Run, tmp_path: Path) -> None:
    result = run("status", "--dir", tmp_path / "never")
    assert result.exit_code == 1
    assert "no control plane in" in result.stderr


def test_status_of_a_stopped_control_plane_has_an_exit_code_of_its_own(
    run: Run, tmp_path: Path
) -> None:
    State(ports={}, binaries={}).save(tmp_path / "kubecontrolplane.json")
    result = run("status", "--dir", tmp_path)
    assert result.exit_code == 3
    stopped = {"pid": None, "healthy": False}
    assert json.loads(result.stdout) == {
        "etcd": stopped,
        "kube-apiserver": stopped,
        "kube-controller-manager": stopped,
    }


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ([], "name either --user or --service-account"),
        (["--user", "a", "--service-account", "b/c"], "name either --user or --service-account"),
        (["--service-account", "b/c", "--group", "d"], "--group goes with --user"),
        (["--service-account", "b"], "not NAMESPACE/NAME"),
        (["--service-account", "/c"], "not NAMESPACE/NAME"),
    ],
    ids=["nobody", "both", "a group of an account", "no namespace", "an empty namespace"],
)
def test_whom_a_kubeconfig_is_for_must_be_clear(
    options: list[str], problem: str, run: Run, tmp_path: Path
) -> None:
    result = run("kubeconfig-for", "--dir", tmp_path, *options)
    assert result.exit_code == 2
    assert problem in result.stderr


def test_an_installed_copy_is_not_repinned(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(Pins, "is_source_tree", staticmethod(lambda: False))
    monkeypatch.setattr("kubecontrolplane.build._PACKED", tmp_path)
    result = run("repin", "v1.37.2")
    assert result.exit_code == 1
    assert "is an installed copy" in result.stderr


def test_an_error_of_the_system_is_told_without_a_traceback(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = run("up", "--dir", tmp_path / "file" / "cluster")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert f"'{tmp_path}/file" in result.stderr
