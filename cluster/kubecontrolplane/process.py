"""Detached processes that outlive the command which started them, and their identity.

A pid alone names a process only until it is reused. Here a process is its pid together with
the moment it started, and no signal is sent before both have been compared.
"""

import contextlib
import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from kubecontrolplane.files import write_private

_PROC = Path("/proc")
# Where the kernel offers no file descriptor of a process (macOS), its end is looked for this often.
_POLL_SECONDS = 0.05
# Components read settings from variables of their own (etcd: ETCD_*) and proxies from HTTP_PROXY;
# they get what the command line says and nothing more.
_INHERITED = ("GODEBUG", "GOGC", "GOMAXPROCS", "GOMEMLIMIT", "HOME", "LANG", "PATH", "TMPDIR", "TZ")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessRecord:
    """One started process.

    Attributes:
        pid: its process id.
        started: when it started, in a form that only compares equal for the same process.
        argv: its command line, by which a change of settings is noticed.
    """

    pid: int
    started: str
    argv: tuple[str, ...]

    @property
    def alive(self) -> bool:
        """Whether this very process still runs; a zombie does not."""
        found = _inspect(self.pid)
        return found is not None and found == (self.started, True)

    def save(self, path: Path) -> None:
        """Write the record where `load` finds it."""
        write_private(path, json.dumps(asdict(self)).encode())

    @classmethod
    def load(cls, path: Path) -> "ProcessRecord | None":
        """The record saved at `path`, or None if there is none."""
        try:
            saved = json.loads(path.read_bytes())
        except FileNotFoundError:
            return None
        return cls(pid=saved["pid"], started=saved["started"], argv=tuple(saved["argv"]))


def spawn(argv: Sequence[str], *, log: Path) -> ProcessRecord:
    """Start a process in a session of its own, its output appended to `log`.

    Args:
        argv: the command line; its first word is the path of the program.
        log: the file that takes standard output and standard error.

    Raises:
        OSError: the program can't be executed.
    """
    append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    pid = os.posix_spawn(
        argv[0],
        list(argv),
        {name: os.environ[name] for name in _INHERITED if name in os.environ},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), append, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )
    # A child stays visible, as a zombie at least, until its parent reaps it.
    found = _inspect(pid)
    if found is None:
        raise ProcessLookupError(f"process {pid} ({argv[0]}) vanished while it was started")
    return ProcessRecord(pid=pid, started=found[0], argv=tuple(argv))


def find(pid: int) -> ProcessRecord | None:
    """The process that has this pid now, without its command line; None if there is none."""
    found = _inspect(pid)
    return None if found is None else ProcessRecord(pid=pid, started=found[0], argv=())


def current_process() -> ProcessRecord:
    """The calling process."""
    record = find(os.getpid())
    if record is None:
        raise ProcessLookupError("this system does not tell when a process started")
    return record


def wait_exit(record: ProcessRecord, *, seconds: float) -> bool:
    """Wait until the process has ended, at most `seconds`.

    Returns:
        Whether it has ended.
    """
    return wait_any_exit([record], seconds=seconds) is not None


def wait_any_exit(
    records: Sequence[ProcessRecord], *, seconds: float | None = None
) -> ProcessRecord | None:
    """Wait until one of the processes has ended.

    Args:
        records: the processes.
        seconds: the longest wait, or None to wait as long as it takes.

    Returns:
        A process that has ended, or None if the time was up first.
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    with contextlib.ExitStack() as stack:
        handles = [stack.enter_context(_open(record)) for record in records]
        watched = [handle for handle in handles if handle is not None]
        longest = None if len(watched) == len(handles) else _POLL_SECONDS
        while True:
            for record in records:
                if not record.alive:
                    _reap(record)
                    return record
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return None
            bounds = [bound for bound in (left, longest) if bound is not None]
            select.select(watched, [], [], min(bounds, default=None))


def stop(record: ProcessRecord, *, grace: float) -> bool:
    """End a process: SIGTERM, then SIGKILL when `grace` seconds have passed.

    Returns:
        Whether there was anything to end. A process that is not the recorded one is left alone.
    """
    if not _send(record, signal.SIGTERM):
        return False
    if not wait_exit(record, seconds=grace):
        _send(record, signal.SIGKILL)
        wait_exit(record, seconds=grace)
    return True


def _send(record: ProcessRecord, number: signal.Signals) -> bool:
    with _open(record) as handle:
        if not record.alive:
            _reap(record)
            return False
        # The handle was opened before the comparison, so it can't mean a later process.
        if handle is not None:
            signal.pidfd_send_signal(handle, number)
        else:
            os.kill(record.pid, number)
    return True


@contextlib.contextmanager
def _open(record: ProcessRecord) -> Iterator[int | None]:
    """A file descriptor that becomes readable when the process ends, where there are such."""
    if not hasattr(os, "pidfd_open"):
        yield None
        return
    try:
        handle = os.pidfd_open(record.pid)
    except ProcessLookupError:
        yield None
        return
    try:
        yield handle
    finally:
        os.close(handle)


def _reap(record: ProcessRecord) -> None:
    """Collect the exit status if the process was a child of this one."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(record.pid, os.WNOHANG)


def _inspect(pid: int) -> tuple[str, bool] | None:
    """When the process with this pid started, and whether it runs (is no zombie)."""
    if _PROC.joinpath("self", "stat").exists():
        return _inspect_proc(pid)
    return _inspect_ps(pid)


def _inspect_proc(pid: int) -> tuple[str, bool] | None:
    try:
        stat = _PROC.joinpath(str(pid), "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field is the name in parentheses and may hold anything, so split after it.
    # State is then the first, the start in clock ticks since boot the twentieth (proc(5)).
    fields = stat.rpartition(")")[2].split()
    boot = _PROC.joinpath("sys", "kernel", "random", "boot_id").read_text().strip()
    return f"{boot}/{fields[19]}", fields[0] not in "ZX"


def _inspect_ps(pid: int) -> tuple[str, bool] | None:
    found = subprocess.run(  # noqa: S603 - the only argument is a number
        ["ps", "-o", "stat=", "-o", "lstart=", "-p", str(pid)],  # noqa: S607 - as POSIX names it
        env={"LC_ALL": "C", "PATH": os.environ.get("PATH", os.defpath)},
        capture_output=True,
        text=True,
        check=False,
    )
    state, _, started = found.stdout.strip().partition(" ")
    return (started.strip(), not state.startswith("Z")) if started else None
