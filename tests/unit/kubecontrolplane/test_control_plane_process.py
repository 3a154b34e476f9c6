"""Processes are known by pid and start, so a pid that was reused is never mistaken."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.patience import patience

from kubecontrolplane import process
from kubecontrolplane.process import (
    ProcessRecord,
    current_process,
    spawn,
    stop,
    wait_any_exit,
    wait_exit,
)

FOREVER = (sys.executable, "-c", "import signal; signal.pause()")
# Says that it is ready once SIGTERM can't hurt it any more.
STUBBORN = (
    sys.executable,
    "-c",
    "from signal import *; signal(SIGTERM, SIG_IGN); print(1, flush=True); pause()",
)
GENEROUS = patience(60)


@pytest.fixture
def started(tmp_path: Path) -> Iterator[ProcessRecord]:
    """A process that runs until it is ended."""
    record = spawn(FOREVER, log=tmp_path / "log")
    yield record
    stop(record, grace=GENEROUS)


@pytest.fixture(params=["pidfd", "polling"], autouse=True)
def waiting(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every behaviour holds with and without the kernel's descriptors of processes."""
    if request.param == "polling":
        monkeypatch.delattr(os, "pidfd_open", raising=False)


@pytest.fixture(params=["proc", "ps"], autouse=True)
def inspection(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every behaviour holds with and without /proc."""
    if request.param == "ps":
        monkeypatch.setattr(process, "_PROC", tmp_path / "no-proc")
    elif not Path("/proc/self/stat").exists():
        pytest.skip("this system has no /proc")


def test_a_started_process_is_alive_in_a_session_of_its_own(started: ProcessRecord) -> None:
    assert started.alive
    assert os.getsid(started.pid) == started.pid


def test_an_ended_process_is_not_alive(started: ProcessRecord) -> None:
    os.kill(started.pid, signal.SIGKILL)
    assert wait_exit(started, seconds=GENEROUS)
    assert not started.alive


def test_a_zombie_is_not_alive(tmp_path: Path) -> None:
    """A parent that never reaps must not make a component look as if it ran."""
    child = subprocess.Popen(FOREVER)
    found = process._inspect(child.pid)
    assert found is not None
    record = ProcessRecord(pid=child.pid, started=found[0], argv=())
    assert record.alive
    child.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not record.alive
    child.wait()


def test_stop_ends_it_and_tells_so(started: ProcessRecord) -> None:
    assert stop(started, grace=GENEROUS)
    assert not started.alive
    assert not stop(started, grace=GENEROUS)


def test_stop_kills_what_ignores_sigterm(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "ready")
    # A reader must be there first: opening a FIFO for writing waits for one.
    reader = os.open(tmp_path / "ready", os.O_RDONLY | os.O_NONBLOCK)
    record = spawn(STUBBORN, log=tmp_path / "ready")
    said, _, _ = select.select([reader], [], [], GENEROUS)
    os.close(reader)
    assert said
    assert stop(record, grace=0.1)
    assert not record.alive


def test_a_reused_pid_is_left_alone(started: ProcessRecord) -> None:
    stale = replace(started, started="another moment")
    assert not stale.alive
    assert not stop(stale, grace=GENEROUS)
    assert started.alive


def test_waiting_for_a_reused_pid_ends_at_once(started: ProcessRecord) -> None:
    assert wait_exit(replace(started, started="another moment"), seconds=GENEROUS)


def test_waiting_ends_when_the_time_is_up(started: ProcessRecord) -> None:
    assert not wait_exit(started, seconds=0.01)


def test_the_first_of_several_to_end_is_told(started: ProcessRecord, tmp_path: Path) -> None:
    short = spawn((sys.executable, "-c", ""), log=tmp_path / "short.log")
    assert wait_any_exit([started, short]) == short


def test_what_it_says_is_appended_to_the_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("before\n")
    program = "import sys; print('out', flush=True); print('err', file=sys.stderr)"
    record = spawn((sys.executable, "-c", program), log=log)
    assert wait_exit(record, seconds=GENEROUS)
    assert log.read_text() == "before\nout\nerr\n"


def test_variables_that_components_would_read_are_withheld(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ETCD_DATA_DIR", "HTTPS_PROXY", "KUBECONFIG"):
        monkeypatch.setenv(name, "surprise")
    program = "import os; print(sorted(v for v in os.environ.values() if v == 'surprise'))"
    record = spawn((sys.executable, "-c", program), log=tmp_path / "log")
    assert wait_exit(record, seconds=GENEROUS)
    assert (tmp_path / "log").read_text() == "[]\n"


def test_a_program_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        spawn((str(tmp_path / "nothing"),), log=tmp_path / "log")


def test_a_record_survives_on_disk(started: ProcessRecord, tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    assert ProcessRecord.load(path) is None
    started.save(path)
    assert ProcessRecord.load(path) == started


def test_the_calling_process_is_alive() -> None:
    assert current_process().alive
