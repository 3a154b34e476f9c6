"""The Go toolchain: found, checked against what a go.mod asks for, and run."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kubecontrolplane.errors import ToolchainError

_GO_LINE = re.compile(r"^go (?P<version>[0-9][0-9.a-z]*)$", re.MULTILINE)
_NUMBERS = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Go:
    """A Go toolchain.

    Attributes:
        program: the path of `go`.
        version: what it calls itself, such as go1.26.8.
        platform: what it builds for, such as linux/amd64.
    """

    program: str
    version: str
    platform: str

    def run(self, arguments: Sequence[str], *, directory: Path) -> str:
        """Run `go` in a directory; its standard output.

        Raises:
            ToolchainError: it failed; the message has what it said.
        """
        done = subprocess.run(  # noqa: S603 - arguments are our own, and no shell reads them
            [self.program, *arguments],
            cwd=directory,
            env=build_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            # With -json, `go mod download` puts its error there.
            said = done.stderr.strip() or done.stdout.strip()
            raise ToolchainError(f"`go {' '.join(arguments)}` failed in {directory}:\n{said}")
        return done.stdout


def find_go(go_mod: Path) -> Go:
    """The toolchain on PATH, if it is new enough for a go.mod.

    Raises:
        ToolchainError: there is none, or it is too old; the message says what to install.
    """
    required = required_version(go_mod)
    program = shutil.which("go")
    if program is None:
        raise ToolchainError(
            f"Go is not on PATH: install Go {required} or newer (https://go.dev/doc/install), or "
            "set KUBEBUILDER_ASSETS to a directory with ready-made binaries"
        )
    # Outside any module, where an old Go would already fail on the go.mod.
    probe = Go(program=program, version="", platform="")
    found = probe.run(["env", "GOVERSION", "GOOS", "GOARCH"], directory=Path(os.sep))
    version, system, architecture = found.splitlines()
    if _numbers(version) < _numbers(required):
        raise ToolchainError(
            f"{program} is {version}, but {go_mod} needs Go {required} or newer: install it "
            "(https://go.dev/doc/install). A newer toolchain is not downloaded behind your back"
        )
    return Go(program=program, version=version, platform=f"{system}/{architecture}")


def required_version(go_mod: Path) -> str:
    """The `go` line of a go.mod.

    Raises:
        ToolchainError: it has none.
    """
    found = _GO_LINE.search(go_mod.read_text())
    if found is None:
        raise ToolchainError(f"{go_mod} has no `go` line")
    return found["version"]


def build_environment() -> Mapping[str, str]:
    """The environment of every run of `go`.

    What a user may have set for other projects (a workspace, another target, flags) would make
    another program under the same cache key.
    """
    kept = {name: value for name, value in os.environ.items() if name not in ("GOOS", "GOARCH")}
    return {
        **kept,
        "CGO_ENABLED": "0",
        "GOFLAGS": "-mod=readonly",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }


def _numbers(version: str) -> tuple[int, int, int]:
    """A version to compare by; unreleased toolchains (devel) carry the number they will get."""
    found = _NUMBERS.search(version)
    if found is None:
        raise ToolchainError(f"{version!r} is not a version of Go")
    major, minor, patch = found.groups(default="0")
    return int(major), int(minor), int(patch)
