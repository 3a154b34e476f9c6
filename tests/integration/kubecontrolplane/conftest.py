"""Real control planes, started through the command line as a user would."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
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
def make_kubecontrolplane(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[], CommandLine]]:
    """Command lines for directories of their own, ended when the module's tests are done."""
    made: list[CommandLine] = []

    def make() -> CommandLine:
        made.append(CommandLine(tmp_path_factory.mktemp("control-plane") / "cluster"))
        return made[-1]

    yield make
    for each in made:
        down(each.directory, delete=True)


@pytest.fixture
def kubecontrolplane(make_kubecontrolplane: Callable[[], CommandLine]) -> CommandLine:
    """A command line for a directory that the test has to itself."""
    return make_kubecontrolplane()


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
