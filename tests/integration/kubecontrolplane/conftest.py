"""Real control planes, started through the command line as a user would."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kubecontrolplane.cluster import down


@dataclass(frozen=True, slots=True)
class CommandLine:
    """`kubecontrolplane`, as a process of its own, for one directory."""

    directory: Path

    def command(self, name: str, *options: str) -> list[str]:
        """The words of a command line."""
        return [
            sys.executable,
            "-m",
            "kubecontrolplane",
            name,
            "--dir",
            str(self.directory),
            *options,
        ]

    def run(self, name: str, *options: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            self.command(name, *options), capture_output=True, text=True, check=False
        )

    def json(self, name: str, *options: str) -> Any:
        """Run a command that prints one line of JSON."""
        done = self.run(name, *options)
        assert done.returncode == 0, done.stderr
        [line] = done.stdout.splitlines()
        return json.loads(line)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    """A command line whose control plane runs; tests leave it running."""
    with _ended(tmp_path_factory.mktemp("control-plane")) as line:
        line.json("up")
        yield line


@pytest.fixture
def kubecontrolplane(tmp_path: Path) -> Iterator[CommandLine]:
    """A command line for a directory that the test has to itself."""
    with _ended(tmp_path) as line:
        yield line


@contextmanager
def _ended(folder: Path) -> Iterator[CommandLine]:
    """What runs is ended with the test, as a control plane takes 440 MB."""
    line = CommandLine(folder / "cluster")
    yield line
    down(line.directory, delete=True)


Kubectl = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def kubectl() -> Kubectl:
    """Run kubectl: `kubectl(line, "get", "pods")`, where line is what `kubecontrolplane up` printed."""

    def run(line: dict[str, Any], *arguments: str, stdin: str = "") -> Any:
        return subprocess.run(
            [line["kubectl"], "--kubeconfig", line["kubeconfig"], *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )

    return run
