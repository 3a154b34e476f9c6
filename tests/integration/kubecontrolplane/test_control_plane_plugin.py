"""The pytest plugin: one control plane a run, however many workers; none left behind."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubecontrolplane import process
from kubecontrolplane.cluster import down, status, up
from kubecontrolplane.process import ProcessRecord, current_process

pytestmark = pytest.mark.breadth

CONFTEST = 'pytest_plugins = ["kubecontrolplane.testing"]\n'
# Every test notes what it was given, beside the tests.
TESTS = """\
import json, os, pathlib, pytest

@pytest.mark.parametrize("number", range(4))
def test_note(cluster, namespace, number):
    note = {**cluster.to_json(), "namespace": namespace, "worker": os.getpid(),
            "directory": str(cluster.directory), "environment": os.environ["KUBECONFIG"]}
    pathlib.Path(__file__).with_name(f"note-{number}").write_text(json.dumps(note))
"""


# The same for a cluster of which less is known.
FOREIGN_TESTS = """\
import json, os, pathlib, subprocess

def test_note(cluster, namespace):
    robot = pathlib.Path(__file__).with_name("robot")
    robot.write_text(cluster.kubeconfig_for_service_account(namespace, "default"))
    command = [cluster.kubectl, "--kubeconfig", robot, "auth", "whoami", "-o", "json"]
    said = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    note = {"server": cluster.server, "namespace": namespace, "audit_log": cluster.audit_log,
            "environment": os.environ["KUBECONFIG"], "user": said["status"]["userInfo"]["username"]}
    pathlib.Path(__file__).with_name("note-foreign").write_text(json.dumps(note))

def test_that_needs_a_control_plane_of_its_own(cluster, own_cluster):
    assert own_cluster.server != cluster.server
"""


class Project:
    """A project whose tests use the plugin."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.temporary = root / "tmp"
        self.temporary.mkdir()
        (root / "conftest.py").write_text(CONFTEST)
        (root / "pytest.ini").write_text("[pytest]\n")

    def start(self, tests: str, *options: str, **popen: Any) -> subprocess.Popen[str]:
        """Start pytest over a module."""
        (self.root / "test_it.py").write_text(tests)
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")
        }
        return subprocess.Popen(
            [sys.executable, "-m", "pytest", "-q", "-p", "xdist", *options],
            cwd=self.root,
            # What else is installed beside xdist takes longer to load than the tests to run.
            env={
                **environment,
                "TMPDIR": str(self.temporary),
                "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            },
            text=True,
            stdout=subprocess.PIPE,
            **popen,
        )

    def run(self, tests: str, *options: str) -> str:
        """Run pytest over a module that passes; what it said."""
        run = self.start(tests, *options)
        said, _ = run.communicate()
        assert run.returncode == 0, said
        return said

    def notes(self) -> list[dict[str, Any]]:
        """What the tests noted."""
        return [json.loads(path.read_text()) for path in sorted(self.root.glob("note-*"))]

    def left_behind(self) -> list[str]:
        """What is still in the directory for temporary files."""
        return [path.name for path in self.temporary.glob("kubecontrolplane-*")]


def runs(pid: int) -> bool:
    """Whether there is such a process; init may leave it a zombie for a while."""
    found = process._inspect(pid)
    return found is not None and found[1]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


@pytest.mark.parametrize("options", [[], ["-n", "2"]], ids=["alone", "two workers"])
def test_a_run_has_one_control_plane_and_ends_it(options: list[str], project: Project) -> None:
    project.run(TESTS, *options)
    notes = project.notes()
    assert len(notes) == 4
    assert len({note["server"] for note in notes}) == 1
    assert len({note["namespace"] for note in notes}) == 4
    assert len({note["worker"] for note in notes}) == (2 if options else 1)
    assert {note["environment"] for note in notes} == {notes[0]["kubeconfig"]}
    assert not [pid for pid in notes[0]["pids"].values() if runs(pid)]
    assert project.left_behind() == []


def test_a_run_that_needs_none_starts_none(project: Project) -> None:
    project.run("def test_nothing(): pass\n")
    assert project.left_behind() == []


def test_a_named_control_plane_is_used_and_left_running(project: Project, tmp_path: Path) -> None:
    directory = tmp_path / "kept"
    kept = up(directory, audit=True)
    try:
        project.run(TESTS, "--control-plane-dir", str(directory))
        assert {note["server"] for note in project.notes()} == {kept.server}
        assert all(each.healthy for each in status(directory).values())
    finally:
        down(directory, delete=True)


def test_what_a_killed_run_left_behind_is_ended_by_the_next(project: Project) -> None:
    os.mkfifo(project.root / "started")
    hanging = f"""\
import os, signal
def test_hang(cluster):
    with open({str(project.root / "started")!r}, "w") as file:
        file.write(str(cluster.directory))
    signal.pause()
"""
    run = project.start(hanging)
    orphan = Path((project.root / "started").read_text())
    run.send_signal(signal.SIGKILL)
    run.communicate()
    assert all(each.healthy for each in status(orphan).values())
    project.run(TESTS)
    assert not orphan.exists()
    assert project.left_behind() == []


def test_another_run_that_is_alive_keeps_its_own(project: Project) -> None:
    other = project.temporary / "kubecontrolplane-run-other"
    other.mkdir()
    current_process().save(other / "owner.json")
    try:
        up(other / "control-plane")
        project.run(TESTS)
        assert all(each.healthy for each in status(other / "control-plane").values())
        assert ProcessRecord.load(other / "owner.json") == current_process()
    finally:
        down(other / "control-plane", delete=True)


def foreign(kubeconfig: Path, path: Path) -> None:
    """Write a kubeconfig like another maker's: no mark of ours, other names, and a context that is not current."""
    document = yaml.safe_load(kubeconfig.read_text())
    [cluster], [user] = document["clusters"], document["users"]
    del cluster["cluster"]["extensions"]
    cluster["name"] = user["name"] = "kind-kind"
    elsewhere = {"name": "production", "cluster": {"server": "https://prod.example.org"}}
    contexts = [
        {"name": name, "context": {"cluster": name, "user": "kind-kind"}}
        for name in ("production", "kind-kind")
    ]
    changes = {
        "clusters": [elsewhere, cluster],
        "contexts": contexts,
        "current-context": "kind-kind",
    }
    path.write_text(yaml.safe_dump(document | changes))


def test_a_cluster_of_another_maker_is_used_if_it_is_named_as_disposable(
    project: Project, tmp_path: Path
) -> None:
    directory, path = tmp_path / "other", tmp_path / "kubeconfig"
    other = up(directory)
    foreign(other.kubeconfig, path)
    named = ["--cluster-kubeconfig", str(path), "--disposable-cluster", other.server]
    try:
        project.run(FOREIGN_TESTS, *named)
        [note] = project.notes()
        assert note["server"] == other.server
        assert note["user"] == f"system:serviceaccount:{note['namespace']}:default"
        assert note["environment"] not in {str(path), str(other.kubeconfig)}
        assert note["audit_log"] is None
        assert all(each.healthy for each in status(directory).values())
        namespaces = other.api().request("GET", "/api/v1/namespaces")["items"]
        phases = {each["metadata"]["name"]: each["status"]["phase"] for each in namespaces}
        assert phases.get(note["namespace"], "Terminating") == "Terminating"
        assert project.left_behind() == []
    finally:
        down(directory, delete=True)
