"""Builds pinned programs and keeps them in a cache.

A cache directory is named by everything that makes its programs what they are, and a program
appears in it complete or not at all, so nothing in it is ever stale or half-written.
"""

import hashlib
import logging
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kubecontrolplane.binaries import Binary, BinarySet
from kubecontrolplane.errors import BuildError
from kubecontrolplane.files import locked
from kubecontrolplane.toolchain import Go, build_environment, find_go

_LOG = logging.getLogger("kubecontrolplane")
_PACKED = Path(__file__).with_name("gomodules")
_STILL_BUILDING_SECONDS = 20.0
_STRIPPED = "-s -w"
_RELEASE = re.compile(r"v(?P<major>\d+)\.(?P<minor>\d+)\.\d+(?P<pre>-[0-9A-Za-z.-]+)?$")
_MAJOR_VERSION = re.compile(r"/v\d+$")
# The tail of a failed build's output: the first error is near its end, downloads fill its start.
_TAIL_LINES = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Pins:
    """The go.mod and go.sum that pin a set of programs."""

    directory: Path

    @property
    def go_mod(self) -> Path:
        """The file that names every module's version."""
        return self.directory / "go.mod"

    @property
    def go_sum(self) -> Path:
        """The file that holds every module's checksum."""
        return self.directory / "go.sum"

    @classmethod
    def of(cls, binary_set: BinarySet) -> "Pins":
        """The pins of a set: packed beside this file in a wheel, above it in a source tree."""
        root = Path(__file__).parents[1] if cls.is_source_tree() else _PACKED
        return cls(directory=root / binary_set.directory)

    @staticmethod
    def is_source_tree() -> bool:
        """Whether this is a source tree (or an editable install of one), no installed wheel."""
        return not _PACKED.is_dir()

    def checksum(self, module: str, version: str) -> str:
        """The checksum (h1:...) of a module's sources.

        Raises:
            BuildError: go.sum doesn't have it.
        """
        wanted = [module, version]
        for line in self.go_sum.read_text().splitlines():
            fields = line.split()
            if fields[:2] == wanted:
                return fields[2]
        raise BuildError(f"{self.go_sum} has no checksum of {module} {version}: run `go mod tidy`")

    def version(self, module: str) -> str:
        """The version of a required module.

        Raises:
            BuildError: go.mod doesn't require it.
        """
        for line in self.go_mod.read_text().splitlines():
            fields = line.removeprefix("require").split()
            if fields[:1] == [module] and len(fields) > 1 and fields[1] != "=>":
                return fields[1]
        raise BuildError(f"{self.go_mod} does not require {module}")


def cache_root() -> Path:
    """Where built programs are kept: $KUBECONTROLPLANE_CACHE, else the user's cache directory."""
    own = os.environ.get("KUBECONTROLPLANE_CACHE")
    if own:
        return Path(own).absolute()
    user = os.environ.get("XDG_CACHE_HOME")
    # The XDG specification has relative paths ignored.
    base = Path(user) if user and Path(user).is_absolute() else Path.home() / ".cache"
    return base / "kubecontrolplane"


def cache_key(binary_set: BinarySet, pins: Pins, go: Go) -> str:
    """What tells apart programs that may differ: pins, toolchain, target, what is stamped in.

    The values of the stamps follow from the pins, so their templates are enough.
    """
    parts = [pins.go_mod.read_bytes(), pins.go_sum.read_bytes()]
    parts += [go.version.encode(), go.platform.encode(), _STRIPPED.encode()]
    for binary in binary_set.binaries:
        stamps = sorted(binary.stamps.items())
        parts.append(f"{binary.name} {binary.package} {stamps}".encode())
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()[:16]


def ensure_built(binary_set: BinarySet, names: Collection[str] | None = None) -> Path:
    """Build what is missing of a set; safe to call from many processes at once.

    Args:
        binary_set: the set.
        names: those of its programs that are wanted; all if None.

    Returns:
        The directory that holds them.

    Raises:
        ToolchainError: Go is missing or too old.
        BuildError: a program could not be built.
    """
    pins = Pins.of(binary_set)
    go = find_go(pins.go_mod)
    directory = cache_root() / binary_set.name / cache_key(binary_set, pins, go)
    wanted = [each for each in binary_set.binaries if names is None or each.name in names]
    if not _missing(wanted, directory):
        return directory
    directory.mkdir(parents=True, exist_ok=True)
    lock = directory.with_name(f"{directory.name}.lock")
    with locked(lock, on_wait=lambda: _LOG.info("another build of %s runs: waiting", directory)):
        if missing := _missing(wanted, directory):
            _build(go, pins, missing, directory)
    return directory


def link_stamps(binary: Binary, *, version: str, checksum: str, published: str) -> str:
    """The linker's flags (`go build -ldflags`) that stamp a program.

    Raises:
        BuildError: the version is not one of a release (vX.Y.Z, perhaps with a suffix).
    """
    release = _RELEASE.match(version)
    if release is None:
        raise BuildError(f"{binary.module} {version}: not a release, so it can't be stamped")
    values = {
        "version": version,
        "major": release["major"],
        # Kubernetes marks what comes before a release so.
        "minor": release["minor"] + ("+" if release["pre"] else ""),
        "sum": checksum,
        "time": published,
    }
    stamps = (
        f"-X={variable}={template.format_map(values)}"
        for variable, template in sorted(binary.stamps.items())
    )
    return " ".join([_STRIPPED, *stamps])


def _missing(binaries: Iterable[Binary], directory: Path) -> list[Binary]:
    return [binary for binary in binaries if not (directory / binary.name).is_file()]


def _build(go: Go, pins: Pins, binaries: Sequence[Binary], directory: Path) -> None:
    """Build programs by one run of Go, which compiles what they share once and links side by side."""
    names = ", ".join(f"{each.name} {pins.version(each.module)}" for each in binaries)
    _LOG.info("building %s (%s)", names, go.version)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(dir=directory, prefix=".build.") as temporary:
        command = [
            *(go.program, "build", "-trimpath", "-buildvcs=false"),
            *_link_flags(go, pins, binaries),
            *("-o", temporary + os.sep),
            *(each.package for each in binaries),
        ]
        built = {each.name: Path(temporary, _executable(each.package)) for each in binaries}
        _run_build(command, pins.directory, built)
        for name, path in built.items():
            path.replace(directory / name)
    _LOG.info("built in %.0f s", time.monotonic() - started)


def _link_flags(go: Go, pins: Pins, binaries: Sequence[Binary]) -> list[str]:
    """The linker's flags for each program, by its package."""
    published = _published(go, pins, {each.module for each in binaries})
    flags = []
    for each in binaries:
        version = pins.version(each.module)
        stamps = link_stamps(
            each,
            version=version,
            checksum=pins.checksum(each.module, version),
            published=published[each.module],
        )
        flags.append(f"-ldflags={each.package}={stamps}")
    return flags


def _executable(package: str) -> str:
    """How Go names the program of a package: by its path's last element that is no version."""
    return _MAJOR_VERSION.sub("", package).rpartition("/")[2]


def _published(go: Go, pins: Pins, modules: Collection[str]) -> dict[str, str]:
    """When modules were published, RFC 3339: the same for everybody who builds them."""
    form = '{{.Path}} {{.Time.Format "2006-01-02T15:04:05Z07:00"}}'
    said = go.run(["list", "-m", "-f", form, *sorted(modules)], directory=pins.directory)
    return dict(line.split() for line in said.splitlines())


def _run_build(command: list[str], directory: Path, built: Mapping[str, Path]) -> None:
    started = time.monotonic()
    with tempfile.TemporaryFile("w+") as output:
        with subprocess.Popen(  # noqa: S603 - arguments are our own, and no shell reads them
            command,
            cwd=directory,
            env=build_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as process:
            try:
                while (status := _status(process)) is None:
                    elapsed = time.monotonic() - started
                    done = [name for name, path in built.items() if path.exists()]
                    _LOG.info(
                        "still building after %.0f s, done: %s",
                        elapsed,
                        ", ".join(done) or "none yet",
                    )
            except BaseException:
                # An interrupted build must not go on in the background.
                process.terminate()
                raise
        if status:
            output.seek(0)
            tail = "".join(output.readlines()[-_TAIL_LINES:])
            names = ", ".join(built)
            raise BuildError(f"{names}: `go build` failed in {directory}:\n{tail.rstrip()}")


def _status(process: subprocess.Popen[bytes]) -> int | None:
    try:
        return process.wait(timeout=_STILL_BUILDING_SECONDS)
    except subprocess.TimeoutExpired:
        return None
