"""Conda environments of the service, stood in for by virtual environments.

A run names one by its slug. There is a fixed list of them, each with a locked list of packages that
the real one has too; an unknown slug fails, as in the service. An environment is built when it is
first asked for, and kept in a cache that all emulators of a user share. Its Python is the one that
runs the emulator, whatever version the slug names.
"""

import asyncio
import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path

_COMPLETE = "complete"
_LEAKS = (
    "PYTHONPATH",
    "PYTHONHOME",
    "VIRTUAL_ENV",
    "PIP_REQUIRE_VIRTUALENV",
    "PIP_TARGET",
    "PIP_USER",
)


class CondaError(Exception):
    """There is no such environment, or it can't be built."""


@dataclass(frozen=True)
class Pack:
    """An environment.

    Attributes:
        slug: its name; empty for the bare Python of runs that name none.
        description: as Oracle's list of environments has it.
    """

    slug: str
    description: str

    @cached_property
    def lock(self) -> str:
        """The locked requirements; empty for the bare Python."""
        if not self.slug:
            return ""
        file = resources.files("oci_emulator.running").joinpath("packs", f"{self.slug}.txt")
        return file.read_text(encoding="utf-8")

    @cached_property
    def key(self) -> str:
        """What distinguishes a built environment: its packages, its Python, the machine's kind."""
        python = f"{sys.version} {sys.base_prefix} {platform.system()} {platform.machine()}"
        content = f"{python}\0{self.lock}"
        digest = hashlib.sha256(content.encode()).hexdigest()[:16]
        return f"{self.slug or 'bare'}-{digest}"


BARE = Pack("", "A Python without packages, for runs that name no environment")
PACKS = {
    pack.slug: pack
    for pack in (
        Pack(
            "generalml_p311_cpu_x86_64_v1",
            "General Machine Learning for CPUs on Python 3.11",
        ),
    )
}


def pack_of(slug: str) -> Pack:
    """The environment of a slug.

    Raises:
        CondaError: there is none.
    """
    if slug not in PACKS:
        raise CondaError(
            f"the conda environment {slug!r} does not exist; there are {', '.join(sorted(PACKS))}"
        )
    return PACKS[slug]


def default_cache() -> Path:
    """Where environments are kept: ``$OCI_EMULATOR_CACHE``, or below the user's cache."""
    own = os.environ.get("OCI_EMULATOR_CACHE")
    if own:
        return Path(own).absolute()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "oci-emulator"


class CondaEnvironments:
    """The environments in a cache.

    Args:
        report: gets a line of progress, from any thread.
    """

    def __init__(self, cache: Path, report: Callable[[str], None]) -> None:
        self._cache = cache
        self._report = report
        self._building: set[subprocess.Popen[str]] = set()

    def directory(self, pack: Pack) -> Path:
        """Where an environment is, or will be."""
        return self._cache / "conda" / pack.key

    def is_built(self, pack: Pack) -> bool:
        """Whether an environment is there."""
        return (self.directory(pack) / _COMPLETE).exists()

    def python(self, pack: Pack) -> Path:
        """The interpreter of an environment that is built."""
        return self.directory(pack) / "bin" / "python"

    async def provide(self, pack: Pack) -> Path:
        """The interpreter of an environment, which is built if it isn't there.

        Raises:
            CondaError: it can't be built.
        """
        if self.is_built(pack):
            return self.python(pack)
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()

        def settle(error: Exception | None) -> None:
            if done.done():
                return
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(error)

        def work() -> None:
            error: Exception | None = None
            try:
                self.build(pack)
            except Exception as failure:  # noqa: BLE001  # it is raised where it is awaited
                error = failure
            # The loop is closed if the emulator has ended meanwhile.
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle, error)

        # A daemon: the emulator can end without waiting for a download.
        threading.Thread(target=work, name=f"conda-{pack.key}", daemon=True).start()
        await done
        return self.python(pack)

    def build(self, pack: Pack) -> None:
        """Build an environment, unless it is there or another process is building it.

        Raises:
            CondaError: it can't be built.
        """
        directory = self.directory(pack)
        directory.parent.mkdir(parents=True, exist_ok=True)
        with _locked(directory.with_suffix(".lock")) as lock:
            if self.is_built(pack):
                return
            # What a build left that was killed; without its mark it is of no use.
            shutil.rmtree(directory, ignore_errors=True)
            name = pack.slug or "bare Python"
            self._report(f"building {name} in {directory}")
            self._make(pack, directory, lock)
            (directory / _COMPLETE).touch()
            self._report(f"built {name}")

    def _make(self, pack: Pack, directory: Path, held: int) -> None:
        options = [] if pack.lock else ["--without-pip"]
        self._call([sys.executable, "-I", "-m", "venv", *options, str(directory)], held)
        if not pack.lock:
            return
        lock = directory / "requirements.txt"
        lock.write_text(pack.lock, encoding="utf-8")
        python = str(self.python(pack))
        self._call(
            [
                *(python, "-I", "-m", "pip", "install", "--no-input"),
                *("--disable-pip-version-check", "--progress-bar", "off"),
                *("--no-deps", "--require-hashes", "--requirement", str(lock)),
            ],
            held,
        )

    def _call(self, command: list[str], held: int) -> None:
        """Run a command that holds the lock too: it may outlive an emulator that is killed."""
        environment = {name: value for name, value in os.environ.items() if name not in _LEAKS}
        with subprocess.Popen(  # noqa: S603  # our own interpreters
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            pass_fds=(held,),
        ) as process:
            self._building.add(process)
            last = ""
            try:
                for line in process.stdout or ():
                    last = line.strip() or last
                    self._report(last)
            except BaseException:
                # Ctrl-C, which the session of its own kept from it.
                process.terminate()
                raise
            finally:
                self._building.discard(process)
        if process.returncode != 0:
            raise CondaError(f"{' '.join(command[:5])} failed: {last}")

    def close(self) -> None:
        """End what is being built."""
        for process in list(self._building):
            process.terminate()


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """Hold a lock that other processes respect, and that ends with the last that has its file."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()
