"""Outlives the emulator by a moment, to end the processes that it leaves behind.

Runs as a program of its own, with the standard library alone: it reads ``+<process group> <mark>``
and ``-<process group>`` from its standard input, and when that ends, since the emulator did,
however it did, it kills the groups that are left. A mark is a variable of the group's environment,
by which those are found that have left the group.
"""

import os
import signal
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_PROCESSES = Path("/proc")


def kill_group(group: int, mark: str) -> None:
    """Kill a process group, and on Linux all others whose environment has the mark."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
    for process in marked(mark):
        with suppress(ProcessLookupError, PermissionError):
            os.kill(process, signal.SIGKILL)


def marked(mark: str) -> list[int]:
    """The processes whose environment has a variable with this value, as ``NAME=value``."""
    wanted = mark.encode()
    found = []
    for directory in _PROCESSES.glob("[0-9]*"):
        # Most processes are others' or end while they are looked at.
        with suppress(OSError):
            if wanted in (directory / "environ").read_bytes().split(b"\0"):
                found.append(int(directory.name))
    return found


def watch(lines: Iterable[str]) -> None:
    """Follow the emulator's messages to their end, then kill what is left."""
    groups: dict[int, str] = {}
    for line in lines:
        group, _, mark = line[1:].strip().partition(" ")
        if line.startswith("+"):
            groups[int(group)] = mark
        else:
            groups.pop(int(group), None)
    for left, mark in groups.items():
        kill_group(left, mark)


if __name__ == "__main__":
    # What ends the emulator from a terminal must not end this.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    watch(sys.stdin)
