"""The program git: its answers, and the meaning of its failures.

It runs in the process group of this process, so the end of the group also ends git and everything that git has started.
The limits of this process apply to git as well.
"""

from __future__ import annotations

import asyncio
import errno
import os
import signal
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO

from ocijobs.artifact.files import LimitReachedError, SourceMissingError, SourceUnreachableError

_MISSING = (
    "couldn't find remote ref",
    "not our ref",
    "Authentication failed",
    "could not read Username",
    "Permission denied",
    "Repository not found",
    "not found",
    "does not appear to be a git repository",
    "Host key verification failed",
)
"""What git says where waiting does not help."""

_NO_SPACE = "No space left on device"

_TOO_MUCH = (
    ("Out of memory", "more memory than one reading may have (setting sourceMemoryBytes)"),
    ("out of memory", "more memory than one reading may have (setting sourceMemoryBytes)"),
    ("File too large", "a larger file than an artifact may be (setting artifactLimitBytes)"),
)
_SIGNALS = {
    signal.SIGXCPU: "more processor time than one reading may have (setting sourceCpuSeconds)",
    signal.SIGXFSZ: "a larger file than an artifact may be (setting artifactLimitBytes)",
}
"""What git needed, by what it says and by what ended it."""

_UNTOLD = "fatal: fetch-pack: invalid index-pack output"
"""What is all that git says when a limit has ended the process that it had started for the objects."""

_ANSWER_BYTES = 1 << 20
"""The longest answer, and the longest entry of one."""

_ERROR_BYTES = 1 << 14


class Git:
    """Git in one folder.

    Args:
        folder: where it runs.
        environment: all of its variables.
        notes: file for what it complains about.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str], notes: Path) -> None:
        self._folder, self._environment, self._notes = folder, environment, notes

    async def run(self, *words: str) -> str:
        """Return what git answers.

        Raises:
            SourceMissingError: if it fails, and waiting does not help.
            SourceUnreachableError: if it fails otherwise.
            LimitReachedError: if it needs too much.
            OSError: if the disk is full.
        """
        output = b""
        async with self._running(words) as stream:
            while chunk := await stream.read(_ANSWER_BYTES):
                output += chunk
                if len(output) > _ANSWER_BYTES:
                    raise LimitReachedError(
                        f"git {words[0]} answers more than {_ANSWER_BYTES} bytes: name a branch, a tag or a commit "
                        "that fewer references are called like"
                    )
        return output.decode(errors="replace")

    async def entries(self, *words: str) -> AsyncGenerator[bytes, None]:
        """Yield the entries of an answer, each of which ends with a NUL. It raises what `run` does."""
        async with self._running(words) as stream:
            while True:
                try:
                    yield (await stream.readuntil(b"\0"))[:-1]
                except asyncio.IncompleteReadError:
                    break
                except asyncio.LimitOverrunError as error:
                    raise LimitReachedError(
                        f"git {words[0]}: a path has more than {_ANSWER_BYTES} bytes"
                    ) from error

    @asynccontextmanager
    async def _running(self, words: tuple[str, ...]) -> AsyncIterator[asyncio.StreamReader]:
        """Run git, give what it prints, and raise what its end means. One that is left before is killed."""
        with self._notes.open("w+b") as notes:
            process = await self._start(words, notes)
            if process.stdout is None:
                raise AssertionError  # pragma: no cover - it is a pipe
            try:
                yield process.stdout
            except BaseException:
                process.kill()
                await process.wait()
                raise
            code = await process.wait()
            notes.seek(0)
            complaint = notes.read(_ERROR_BYTES).decode(errors="replace")
        if code:
            _raise(words[0], code, complaint)

    async def _start(self, words: tuple[str, ...], notes: IO[bytes]) -> asyncio.subprocess.Process:
        try:
            return await asyncio.create_subprocess_exec(
                "git",
                *words,
                cwd=self._folder,
                env=dict(self._environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=notes,
                limit=_ANSWER_BYTES,
                # As here, a file that becomes too large is an error that is told, not the silent end of a process.
                restore_signals=False,
            )
        except FileNotFoundError as error:
            raise SourceUnreachableError("the fetcher's image has no program git") from error


def _needed(code: int, complaint: str) -> str | None:
    """Return of what git needed too much, if that was why it failed."""
    for sign, what in _TOO_MUCH:
        if sign in complaint:
            return what
    for number, what in _SIGNALS.items():
        if code in {-number, 128 + number}:
            return what
    if complaint.strip() == _UNTOLD:
        return "more processor time or memory than one reading may have (settings sourceCpuSeconds, sourceMemoryBytes)"
    return None


def _told(complaint: str) -> str:
    """Return the line that says why git gave up: the first fatal one, else the last."""
    lines = [line for line in complaint.splitlines() if line.strip()]
    told = next((line for line in lines if line.startswith("fatal:")), lines[-1] if lines else "")
    return told.removeprefix("fatal: ")


def _raise(word: str, code: int, complaint: str) -> None:
    if _NO_SPACE in complaint:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    needed = _needed(code, complaint)
    if needed is not None:
        raise LimitReachedError(
            f"git {word} needs {needed}: take a smaller repository, or raise the limit"
        )
    message = f"git {word}: {_told(complaint) or f'it ended with {code}'}"
    if any(sign in complaint for sign in _MISSING):
        raise SourceMissingError(message)
    raise SourceUnreachableError(message)
