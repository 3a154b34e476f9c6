"""Environments are built once, whole, and never from a name that nobody knows."""

import fcntl
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from typing_extensions import override

from oci_emulator.running import conda
from oci_emulator.running.conda import BARE, CondaEnvironments, CondaError, Pack, default_cache


def test_the_bare_python_has_no_packages(tmp_path: Path) -> None:
    environments = CondaEnvironments(tmp_path, print)
    environments.build(BARE)
    code = "import importlib.metadata as m; print(list(m.distributions()))"
    result = subprocess.run(
        [environments.python(BARE), "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


def test_many_at_once_build_it_once(tmp_path: Path) -> None:
    reports: list[str] = []
    threads = [
        threading.Thread(target=CondaEnvironments(tmp_path, reports.append).build, args=(BARE,))
        for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [report.split()[0] for report in reports] == ["building", "built"]


@pytest.mark.asyncio
async def test_who_asks_gets_the_interpreter(tmp_path: Path) -> None:
    environments = CondaEnvironments(tmp_path, print)
    assert not environments.is_built(BARE)
    python = await environments.provide(BARE)
    assert python.exists()
    assert environments.is_built(BARE)
    assert await environments.provide(BARE) == python


class Broken(CondaEnvironments):
    """Environments whose installer fails, as pip does when an index lacks a package."""

    @override
    def _make(self, pack: Pack, directory: Path, held: int) -> None:
        code = "print('looking'); raise SystemExit('there is no no-such-package-here')"
        self._call([sys.executable, "-c", code], held)


@pytest.mark.asyncio
async def test_what_can_not_be_built_is_said_and_left_for_another_try(tmp_path: Path) -> None:
    broken = Broken(tmp_path, print)
    for _ in range(2):
        with pytest.raises(CondaError, match="failed: there is no no-such-package-here"):
            await broken.provide(BARE)
        assert not broken.is_built(BARE)
    environments = CondaEnvironments(tmp_path, print)
    assert (await environments.provide(BARE)).exists()


def test_a_build_that_was_killed_is_done_again(tmp_path: Path) -> None:
    environments = CondaEnvironments(tmp_path, print)
    left = environments.directory(BARE)
    left.mkdir(parents=True)
    (left / "half").touch()
    environments.build(BARE)
    assert not (left / "half").exists()


BUILDS_SLOWLY = """
import sys
from pathlib import Path
from oci_emulator.running.conda import BARE, CondaEnvironments

class Slow(CondaEnvironments):
    def _make(self, pack, directory, held):
        code = "import sys; print('installing', flush=True); open(sys.argv[1]).read()"
        self._call([sys.executable, "-c", code, sys.argv[2]], held)

Slow(Path(sys.argv[1]), lambda line: print(line, flush=True)).build(BARE)
"""


def test_what_a_killed_build_has_started_is_waited_for(tmp_path: Path) -> None:
    environments = CondaEnvironments(tmp_path, print)
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    command = [sys.executable, "-c", BUILDS_SLOWLY, str(tmp_path), str(gate)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdout is not None
        while killed.stdout.readline() != "installing\n":
            assert killed.poll() is None
        killed.kill()
    with environments.directory(BARE).with_suffix(".lock").open() as lock:
        with pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        gate.write_text("")
        fcntl.flock(lock, fcntl.LOCK_EX)
    environments.build(BARE)
    assert environments.is_built(BARE)


def test_an_interrupted_build_ends_what_it_has_started(tmp_path: Path) -> None:
    def interrupt(line: str) -> None:
        if line == "installing":
            raise KeyboardInterrupt

    class Endless(CondaEnvironments):
        def _make(self, pack: Pack, directory: Path, held: int) -> None:  # noqa: ARG002
            code = "import signal; print('installing', flush=True); signal.pause()"
            self._call([sys.executable, "-c", code], held)

    environments = Endless(tmp_path, interrupt)
    with pytest.raises(KeyboardInterrupt):
        environments.build(BARE)
    # The lock is free when the process, which holds it too, is gone.
    with environments.directory(BARE).with_suffix(".lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)


def test_the_key_depends_on_the_packages() -> None:
    [general] = conda.PACKS.values()
    assert general.key != BARE.key
    assert general.key.startswith("generalml_p311_cpu_x86_64_v1-")


def test_locks_have_hashes_and_name_no_host() -> None:
    for pack in conda.PACKS.values():
        assert "--hash=sha256:" in pack.lock
        assert "://" not in pack.lock
        names = {line.split("==")[0] for line in pack.lock.splitlines() if "==" in line}
        assert {"oci", "scikit-learn"} <= names


def test_the_cache_is_where_the_user_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCI_EMULATOR_CACHE", str(tmp_path / "own"))
    assert default_cache() == tmp_path / "own"
    monkeypatch.delenv("OCI_EMULATOR_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache() == tmp_path / "oci-emulator"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_cache() == tmp_path / ".cache" / "oci-emulator"
