"""Processes of runs: their output, their end, and that nothing of them is left."""

import asyncio
import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oci_emulator.running import warden
from oci_emulator.running.environment import Directories, Network, of_run
from oci_emulator.running.process import LineSplitter, Process, Processes, kill_earlier, start_mark

MARK = "OCI_EMULATOR_TEST"


def lines_of(chunks: list[bytes], longest: int = 100) -> list[str]:
    splitter = LineSplitter(longest)
    return [line for chunk in chunks for line in splitter.feed(chunk)] + splitter.end()


@pytest.mark.parametrize(
    ("chunks", "lines"),
    [
        ([b"a\nb\n"], ["a", "b"]),
        ([b"a", b"b\nc"], ["ab", "c"]),
        ([b"a\r\n\r\n"], ["a", ""]),
        ([b"\xc3", b"\xa9\n"], ["é"]),
        ([b"\xff\n"], ["\ufffd"]),
        ([b"ok\xc3"], ["ok\ufffd"]),
        ([], []),
    ],
)
def test_output_becomes_lines(chunks: list[bytes], lines: list[str]) -> None:
    assert lines_of(chunks) == lines


def test_long_lines_become_several() -> None:
    assert lines_of([b"x" * 250, b"\nshort\n"]) == ["x" * 100, "x" * 100, "x" * 50, "short"]


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=5))
def test_lines_do_not_depend_on_where_the_pieces_end(content: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(content)]
    pieces = [content[start:end] for start, end in itertools.pairwise(edges)]
    assert lines_of(pieces, 1000) == lines_of([content], 1000)


async def start(
    processes: Processes, code: str, directory: Path, mark: str | None = None
) -> Process:
    """Start it with a mark that no other test has: who bears the mark of a run ends with it."""
    return await processes.start(
        [sys.executable, "-u", "-c", code],
        directory=directory,
        environment={MARK: mark or str(directory), "PATH": os.environ["PATH"]},
        mark=MARK,
    )


async def output(process: Process) -> list[str]:
    return [line async for lines in process.output(1000) for line in lines]


@pytest.mark.asyncio
async def test_output_and_error_come_in_their_order(tmp_path: Path) -> None:
    processes = Processes()
    code = "import sys\nfor i in range(3):\n print(i); print('e', i, file=sys.stderr)"
    process = await start(processes, code, tmp_path)
    assert await output(process) == ["0", "e 0", "1", "e 1", "2", "e 2"]
    assert await process.wait() == 0
    await processes.close()


@pytest.mark.asyncio
async def test_its_environment_is_what_it_was_given(tmp_path: Path) -> None:
    processes = Processes()
    process = await start(processes, "import os; print(sorted(os.environ))", tmp_path)
    [line] = await output(process)
    assert set(eval(line)) - {"LC_CTYPE"} == {MARK, "PATH"}  # noqa: S307  # our own list
    await process.wait()
    await processes.close()


@pytest.mark.asyncio
async def test_stopping_ends_the_whole_group(tmp_path: Path) -> None:
    processes = Processes()
    code = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE)\n"
        "print(child.pid)\n"
        "child.wait()"
    )
    process = await start(processes, code, tmp_path)
    first = await anext(process.output(1000))
    child = int(first[0])
    assert start_mark(child)
    process.stop(grace=30)
    assert await process.wait() == -15
    await gone(child)
    await processes.close()


async def gone(pid: int) -> None:
    """Wait until a process is no more; a zombie that nobody reaps is no more either."""
    async with asyncio.timeout(30):
        while (state := state_of(pid)) not in {"", "Z"}:
            assert state
            await asyncio.sleep(0.01)


def state_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return ""


@pytest.mark.asyncio
async def test_what_ignores_the_signal_is_killed_after_the_grace(tmp_path: Path) -> None:
    processes = Processes()
    code = (
        "import signal\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('ready')\n"
        "signal.pause()"
    )
    process = await start(processes, code, tmp_path)
    await anext(process.output(1000))
    process.stop(grace=0.05)
    assert await process.wait() == -9
    await processes.close()


@pytest.mark.asyncio
async def test_a_daemon_that_left_the_group_ends_with_the_run(tmp_path: Path) -> None:
    processes = Processes()
    code = (
        "import subprocess, sys\n"
        "daemon = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'],"
        " start_new_session=True)\n"
        "print(daemon.pid)"
    )
    process = await start(processes, code, tmp_path, mark="daemon")
    first = await anext(process.output(1000))
    assert await process.wait() == 0
    await gone(int(first[0]))
    await processes.close()


@pytest.mark.asyncio
async def test_the_warden_kills_what_a_killed_emulator_leaves(tmp_path: Path) -> None:
    code = f"""
import asyncio, sys
from pathlib import Path
from oci_emulator.running.process import Processes
async def main():
    process = await Processes().start(
        [sys.executable, "-c", "import signal; signal.pause()"], directory=Path({str(tmp_path)!r}),
        environment={{{MARK!r}: "orphan"}}, mark={MARK!r})
    print(process.pid, flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""
    emulator = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE
    )
    assert emulator.stdout is not None
    orphan = int(await emulator.stdout.readline())
    assert start_mark(orphan)
    emulator.kill()
    await emulator.wait()
    await gone(orphan)


def test_a_process_of_an_earlier_emulator_is_killed_only_if_it_is_the_same() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", "import signal; signal.pause()"], start_new_session=True
    )
    kill_earlier(process.pid, "another start", "")
    assert process.poll() is None
    kill_earlier(process.pid, start_mark(process.pid), f"{MARK}=none")
    assert process.wait(30) == -9


def test_a_process_that_is_gone_has_no_mark() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait(30)
    assert start_mark(process.pid) == ""
    kill_earlier(process.pid, "", "")


def test_a_process_may_end_while_it_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    def ended(path: Path, **_: object) -> str:
        raise ProcessLookupError(path)

    monkeypatch.setattr(Path, "read_text", ended)
    assert start_mark(os.getpid()) == ""


def test_the_warden_follows_what_started_and_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    killed: list[tuple[int, str]] = []
    monkeypatch.setattr(warden, "kill_group", lambda group, mark: killed.append((group, mark)))
    warden.watch(["+1 A=1\n", "+2 A=2\n", "-1\n", "-7\n"])
    assert killed == [(2, "A=2")]


def test_a_run_sees_its_own_variables_and_the_services_win(tmp_path: Path) -> None:
    directories = Directories(
        home=tmp_path / "home", temporary=tmp_path / "tmp", principal=tmp_path / "principal"
    )
    variables = of_run(
        directories=directories,
        python=Path("/env/bin/python"),
        network=Network(proxy="http://127.0.0.1:1", authority=tmp_path / "ca.pem"),
        region="us-ashburn-1",
        service={"JOB_OCID": "job"},
        user={"ALPHA": "1", "LANG": "de_DE.UTF-8", "JOB_OCID": "mine"},
    )
    assert variables["ALPHA"] == "1"
    assert variables["LANG"] == "de_DE.UTF-8"
    assert variables["JOB_OCID"] == "job"
    assert variables["PATH"].startswith("/env/bin:")
    assert not {"PYTHONPATH", "VIRTUAL_ENV", "PIP_CONFIG_FILE"} & variables.keys()
