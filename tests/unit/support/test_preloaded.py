"""A preloaded process is what a process of its own is: to who starts it, and to itself."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.preloaded import Preloaded

from ocijobs.testing.process import OperatorProcess

Start = Callable[..., Any]


@pytest.fixture(scope="module")
def preloaded() -> Iterator[Preloaded]:
    server = Preloaded()
    yield server
    server.close()


@pytest.fixture(params=["preloaded", "own"])
def start(
    request: pytest.FixtureRequest,
    preloaded: Preloaded,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Start]:
    """Starts a program of some lines, with arguments; both ways, as each must do the same."""
    monkeypatch.chdir(tmp_path)
    launch: Callable[..., Any] = preloaded if request.param == "preloaded" else subprocess.Popen
    processes = []

    def start(code: str, *arguments: str) -> Any:
        (tmp_path / "program.py").write_text(f"import os, signal, sys, time\n{code}\n")
        with (tmp_path / "log").open("a") as log:
            process = launch(
                [sys.executable, "-m", "program", *arguments],
                env={**os.environ, "ONLY_HERE": "yes"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize(
    ("code", "exit_code"),
    [
        ("", 0),
        ("sys.exit(7)", 7),
        ("sys.exit('no')", 1),
        ("raise ValueError", 1),
        ("os.kill(os.getpid(), signal.SIGKILL)", -9),
        ("import atexit; atexit.register(os._exit, 5)", 5),
    ],
)
def test_its_end_is_told(start: Start, code: str, exit_code: int) -> None:
    process = start(code)
    assert process.communicate() == ("", None)
    assert process.wait(timeout=60) == exit_code
    assert process.poll() == exit_code


def test_it_has_what_it_was_given_and_nothing_else(start: Start, tmp_path: Path) -> None:
    process = start(
        "print(sys.argv[1:], os.environ['ONLY_HERE'], __name__, os.getcwd())\n"
        "print(os.getsid(0) == os.getpid(), sys.stdin.read() == '', sys.path[0])\n"
        "print(os.getpid(), sorted(os.listdir('/proc/self/fd'))[:-1])\n"
        "print('hello', file=sys.stderr)",
        "one",
        "two words",
    )
    printed, _ = process.communicate()
    assert printed.splitlines() == [
        f"['one', 'two words'] yes __main__ {tmp_path}",
        f"True True {tmp_path}",
        f"{process.pid} ['0', '1', '2']",
    ]
    assert (tmp_path / "log").read_text() == "hello\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_it_can_be_ended_while_others_run(start: Start, number: signal.Signals) -> None:
    # Python takes SIGINT itself: one that comes just before a wait without end would be waited through.
    waits = "print('here', flush=True)\nwhile True: time.sleep(0.1)"
    one, other = start(waits), start(waits)
    for process in (one, other):
        assert process.stdout.readline() == "here\n"
    one.send_signal(number)
    with pytest.raises(subprocess.TimeoutExpired):
        other.wait(timeout=0)
    assert one.wait(timeout=60) == -number
    assert other.poll() is None
    other.kill()
    assert other.wait(timeout=60) == -signal.SIGKILL
    other.kill()


def test_children_differ_in_what_is_random(start: Start) -> None:
    code = "import random, secrets, uuid; print(random.random(), secrets.token_hex(), uuid.uuid4())"
    assert start(code).communicate() != start(code).communicate()


def test_an_operator_says_why_it_does_not_start(preloaded: Preloaded, tmp_path: Path) -> None:
    operator = OperatorProcess(tmp_path / "none", tmp_path, {"workers": "many"}, preloaded)
    with pytest.raises(RuntimeError, match="the operator has ended"):
        operator.start().until_open()
    operator.end()
    assert "workers (OCIJOBS_WORKERS)" in operator.log.read_text()


def test_children_end_with_their_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "program.py").write_text("import signal; print('here', flush=True); signal.pause()")
    server = Preloaded()
    with (tmp_path / "log").open("a") as log:
        process = server(
            [sys.executable, "-m", "program"], env=os.environ, stdout=subprocess.PIPE, stderr=log
        )
    assert process.stdout is not None
    with process.stdout as printed:
        assert printed.readline() == "here\n"
    handle = os.pidfd_open(process.pid)
    server.close()
    assert select.select([handle], [], [], 60)[0]
    with pytest.raises(ChildProcessError):
        process.wait(timeout=60)
