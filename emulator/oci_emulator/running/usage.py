"""What processes use of the machine, read from /proc."""

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from oci_emulator.running import warden

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
# Fields of /proc/<pid>/stat after the name, counted from 0.
_TIMES = slice(11, 15)
_RESIDENT = 21


@dataclass(frozen=True, slots=True)
class Usage:
    """What processes have used and use.

    Attributes:
        cpu_seconds: since their start, with those of their children that have ended.
        memory_bytes: resident; what processes share is counted for each.
    """

    cpu_seconds: float = 0.0
    memory_bytes: int = 0


def of_processes(variable: str) -> Usage:
    """What all processes use that have a variable, as ``NAME=value``, in their environment."""
    cpu, memory = 0, 0
    for process in warden.marked(variable):
        # It may end while it is looked at.
        with suppress(FileNotFoundError, ProcessLookupError):
            status = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
            fields = status.rpartition(")")[2].split()
            cpu += sum(map(int, fields[_TIMES]))
            memory += int(fields[_RESIDENT])
    return Usage(cpu / _TICKS, memory * _PAGE)


def of_directories(directories: Iterable[Path]) -> int:
    """The bytes of all files in directories; links are not followed."""
    total = 0
    waiting = list(directories)
    while waiting:
        # Files come and go while they are counted.
        with suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(Path(entry.path))
                else:
                    with suppress(FileNotFoundError):
                        total += entry.stat(follow_symlinks=False).st_size
    return total
