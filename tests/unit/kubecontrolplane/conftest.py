"""A stand-in for Go, so that what kubecontrolplane does around a build is seen in milliseconds."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kubecontrolplane.binaries import Binary, BinarySet
from kubecontrolplane.build import Pins

# Speaks the few commands that kubecontrolplane gives. "Builds" files that hold the command line, and
# notes each build in a journal, a line of packages.
FAKE_GO = """\
#!{python}
import os, pathlib, re, sys
arguments = sys.argv[1:]
if arguments[0] == "env":
    print("{version}", "linux", "amd64", sep="\\n")
elif arguments[0] == "list":
    for module in arguments[4:]:
        print(module, "2026-01-02T03:04:05Z")
elif arguments[0] == "build":
    at = arguments.index("-o") + 1
    directory, packages = arguments[at], arguments[at + 1 :]
    with open("{journal}", "a") as journal:
        print(*packages, file=journal)
    for package in packages:
        if "broken" in package:
            sys.exit("broken.go:1:1: it does not compile")
        target = pathlib.Path(directory, re.sub("/v[0-9]+$", "", package).split("/")[-1])
        target.write_text(" ".join(arguments) + "\\n" + repr(dict(os.environ)))
        target.chmod(0o755)
else:
    sys.exit("fake go: " + " ".join(arguments))
"""


@pytest.fixture
def build_journal(tmp_path: Path) -> Path:
    """The packages that the fake Go built, one run a line."""
    return tmp_path / "journal"


@pytest.fixture
def install_go(
    tmp_path: Path, build_journal: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], None]:
    """Put a fake Go of a version first on PATH."""

    def install(version: str) -> None:
        directory = tmp_path / "go-bin"
        directory.mkdir(exist_ok=True)
        program = directory / "go"
        program.write_text(
            FAKE_GO.format(python=sys.executable, version=version, journal=build_journal)
        )
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(directory), prepend=os.pathsep)

    return install


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own."""
    root = tmp_path / "cache"
    monkeypatch.setenv("KUBECONTROLPLANE_CACHE", str(root))
    return root


@pytest.fixture
def pins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pins:
    """Pins of an example module, in place of the real ones."""
    directory = tmp_path / "pins"
    directory.mkdir()
    (directory / "go.mod").write_text(
        "module example\n\ngo 1.26.0\n\nrequire (\n\texample.org/tool v1.37.2\n)\n"
    )
    (directory / "go.sum").write_text(
        "example.org/tool v1.37.2 h1:sources=\nexample.org/tool v1.37.2/go.mod h1:mod=\n"
    )
    found = Pins(directory=directory)
    monkeypatch.setattr(Pins, "of", classmethod(lambda *_: found))
    return found


@pytest.fixture
def two_tools() -> BinarySet:
    """A set of two programs of one module."""
    return BinarySet(
        name="tools",
        directory=".",
        binaries=tuple(
            Binary(
                name=name,
                package=f"example.org/tool/cmd/{name}",
                module="example.org/tool",
                stamps={f"example.org/tool.{name}": "{version}"},
            )
            for name in ("first", "second")
        ),
    )
