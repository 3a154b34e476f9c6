"""The process of the code: its output is passed on as it comes, and so are our signals."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from ocijobs_results import RESULTS_LIMIT_BYTES, reported

KEPT_LINE_BYTES = 16 * RESULTS_LIMIT_BYTES
CHUNK_BYTES = 1 << 20
"""More than a pipe holds: one read takes all that is in it."""


def run(words: list[str], folder: Path) -> tuple[int, dict[str, str]]:
    """Run the code, pass its output and our signals on, and return its exit code and the results that it printed."""
    process = start(words, folder)
    results: dict[str, str] = {}
    line = b""
    for chunk in output(process):
        sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()
        *complete, line = (line + chunk).split(b"\n")
        for text in complete:
            results.update(reported(text))
        line = line[:KEPT_LINE_BYTES]
    results.update(reported(line))
    code = process.wait()
    return (128 - code if code < 0 else code), results


def start(words: list[str], folder: Path) -> subprocess.Popen[bytes]:
    """Start the code in a process group of its own, to which SIGTERM and SIGINT are passed on.

    To all of it, since a shell that waits for a program tells it nothing.
    """
    started: list[subprocess.Popen[bytes]] = []
    early: list[int] = []

    def pass_on(number: int, _: Any) -> None:
        if not started:
            early.append(number)
        for process in started:
            tell(process, number)

    for listened in (signal.SIGTERM, signal.SIGINT):
        signal.signal(listened, pass_on)
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        words,
        bufsize=0,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    started.append(process)
    for number in early:
        tell(process, number)
    return process


def tell(process: subprocess.Popen[bytes], number: int) -> None:
    """Send a signal to the group of a process that has not ended."""
    if process.returncode is None:
        with suppress(ProcessLookupError):  # It has ended this very moment.
            os.killpg(process.pid, number)


def output(process: subprocess.Popen[bytes]) -> Iterator[bytes]:
    """Yield what the code prints, as it comes, until its end.

    That is the end of its process: what it left in the background may hold the pipe open for ever.
    """
    if process.stdout is None:
        return
    printed = process.stdout.fileno()
    ended, end = os.pipe()

    def wait() -> None:
        process.wait()
        os.close(end)

    threading.Thread(target=wait, daemon=True).start()
    while True:
        ready, _, _ = select.select([printed, ended], [], [])
        if ended in ready:
            os.set_blocking(printed, False)
        try:
            chunk = os.read(printed, CHUNK_BYTES)
        except BlockingIOError:
            return
        if chunk:
            yield chunk
        if not chunk or ended in ready:
            return
