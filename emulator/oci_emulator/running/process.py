"""Processes of runs: each a session of its own, with its output read line by line."""

import asyncio
import codecs
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from oci_emulator.running import warden

_CHUNK = 1 << 16
DRAIN_SECONDS = 5.0
"""How long output may still come when a process and all of its group are gone."""


class Process:
    """A running process and all that it starts.

    Attributes:
        mark: tells this process from a later one of the same pid.
        variable: of its environment, as ``NAME=value``: it finds what has left its group.
    """

    def __init__(
        self, process: asyncio.subprocess.Process, output: asyncio.StreamReader, variable: str
    ) -> None:
        self._process = process
        self._output = output
        self._stopping: asyncio.TimerHandle | None = None
        self.pid = process.pid
        self.variable = variable
        self.mark = start_mark(process.pid)

    async def output(self, longest: int) -> AsyncIterator[list[str]]:
        """The lines of standard output and error, as they come.

        Args:
            longest: characters; a longer line becomes several.
        """
        lines = LineSplitter(longest)
        while chunk := await self._output.read(_CHUNK):
            if complete := lines.feed(chunk):
                yield complete
        if rest := lines.end():
            yield rest

    async def wait(self) -> int:
        """Wait for the end; the exit code, or minus the signal that ended it.

        What it left behind is killed, as a machine that is taken away kills it.
        """
        code = await self._process.wait()
        self.kill()
        return code

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self._process.returncode is not None

    def stop(self, grace: float) -> None:
        """Ask the whole group to end, and kill it after the grace."""
        if self.over or self._stopping is not None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGTERM)
        self._stopping = asyncio.get_running_loop().call_later(grace, self.kill)

    def kill(self) -> None:
        """Kill the group, and what has left it."""
        if self._stopping is not None:
            self._stopping.cancel()
        warden.kill_group(self.pid, self.variable)


class Processes:
    """Starts processes, and has a warden that ends them if this process is killed."""

    def __init__(self) -> None:
        self._warden: asyncio.subprocess.Process | None = None
        self._starting = asyncio.Lock()

    async def start(
        self, command: Sequence[str], *, directory: Path, environment: Mapping[str, str], mark: str
    ) -> Process:
        """Start a process.

        ``mark``: the name of a variable of the environment that no other process has alike.
        """
        await self._ensure_warden()
        # A pipe of our own: with asyncio's, the end of the process would be seen only when all
        # that it started have closed it too.
        reading, writing = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                cwd=directory,
                env=dict(environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=writing,
                stderr=writing,
                start_new_session=True,
            )
        except BaseException:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        variable = f"{mark}={environment[mark]}"
        self._tell(f"+{process.pid} {variable}\n")
        return Process(process, await _reader(reading), variable)

    def ended(self, process: Process) -> None:
        """Note that a process is over."""
        self._tell(f"-{process.pid}\n")

    async def _ensure_warden(self) -> None:
        async with self._starting:
            if self._warden is None or self._warden.returncode is not None:
                self._warden = await self._start_warden()

    @staticmethod
    async def _start_warden() -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            "-S",
            str(Path(warden.__file__)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            start_new_session=True,
            env={},
        )

    def _tell(self, message: str) -> None:
        if self._warden is not None and self._warden.stdin is not None:
            self._warden.stdin.write(message.encode())

    async def close(self) -> None:
        """Let the warden end; it kills what is left."""
        if self._warden is None or self._warden.stdin is None:
            return
        self._warden.stdin.close()
        await self._warden.wait()


async def _reader(descriptor: int) -> asyncio.StreamReader:
    """Read from a pipe's end, which is closed with the reader."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb", buffering=0)
    )
    return reader


class LineSplitter:
    """Makes lines of pieces of output; bytes that are no UTF-8 are replaced.

    Args:
        longest: characters; a longer line becomes several.
    """

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._rest = ""

    def feed(self, chunk: bytes) -> list[str]:
        """The lines that a piece completes."""
        *complete, self._rest = (self._rest + self._decoder.decode(chunk)).split("\n")
        lines = [part for line in complete for part in self._parts(line.removesuffix("\r"))]
        if len(self._rest) > self._longest:
            *full, self._rest = self._parts(self._rest)
            lines += full
        return lines

    def end(self) -> list[str]:
        """What is left when the output ends."""
        rest = self._rest + self._decoder.decode(b"", final=True)
        return self._parts(rest) if rest else []

    def _parts(self, line: str) -> list[str]:
        return [
            line[start : start + self._longest] for start in range(0, len(line), self._longest)
        ] or [""]


def start_mark(pid: int) -> str:
    """When a process was started, in the system's own terms; empty if there is no such process."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        # The latter, if it ends between the opening of the file and the reading.
        return ""
    # The name, in parentheses, may hold blanks; the start time is the 22nd field.
    return status.rpartition(")")[2].split()[19]


def kill_earlier(pid: int, mark: str, variable: str) -> None:
    """Kill a process of an earlier emulator, if it is still the same process."""
    if mark and start_mark(pid) == mark:
        warden.kill_group(pid, variable)
