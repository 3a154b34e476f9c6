"""Processes that are forked from one that has imported everything, as an import is most of what a start costs.

`Preloaded` is given as `launch` to `OperatorProcess` and `Emulator`, in place of `subprocess.Popen`. It keeps a server:
a process with a single thread that imports what the modules need, and then forks a child for each request. The child
takes over the request's environment, folder, session and files, and runs the module as `python -m` does; the
interpreter ends in it as it always does. What differs from a process of its own is what Python itself reads at its
start, such as PYTHONHASHSEED, and what the modules read when they are imported.

The server is the children's parent, so it tells of their end. It ends with the process that started it, and its
children end with it.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import runpy
import select
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

PRELOADED = (
    "ocijobs.controller.process",
    "ocijobs.controller.kopf_watch",
    "oci_emulator.serving.emulator",
)
"""What the server imports, and OCI's SDK."""

_ROOT = Path(__file__).parents[2]
_MESSAGE_BYTES = 1 << 17
_FILES = 4
_END_WITH_PARENT = 1
"""PR_SET_PDEATHSIG of prctl(2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A process that is asked for; its stdin, stdout, stderr and the pipe for its fate come as files."""

    module: str
    arguments: list[str]
    environment: dict[str, str]
    folder: str
    new_session: bool


class PreloadedProcess:
    """A child of the server; what `subprocess.Popen` has, as far as it is asked for here.

    Attributes:
        pid: its process id.
        stdout: what it prints, if a pipe was asked for.
    """

    def __init__(self, fate: int, stdout: IO[str] | None) -> None:
        self.stdout = stdout
        self._fate = os.fdopen(fate, "rb", buffering=0)
        self.pid = int(self._line())
        self._code: int | None = None
        try:
            self._handle: int | None = os.pidfd_open(self.pid)
        except ProcessLookupError:  # it has ended already
            self._handle = None

    def _line(self) -> bytes:
        line = self._fate.readline()
        if not line:
            self._fate.close()
            raise ChildProcessError("the server of preloaded processes has ended")
        return line

    def poll(self) -> int | None:
        """Return the exit code, negative for a signal, or None while it runs."""
        return self._code if self._code is not None or not self._ended(0) else self._reap()

    def wait(self, timeout: float | None = None) -> int:
        """Await its end and return the exit code."""
        if self._code is not None:
            return self._code
        if not self._ended(timeout):
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        return self._reap()

    def _ended(self, timeout: float | None) -> bool:
        return bool(select.select([self._fate], [], [], timeout)[0])

    def _reap(self) -> int:
        self._code = int(self._line())
        self._fate.close()
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
        return self._code

    def send_signal(self, sig: int) -> None:
        """Send it a signal, if it runs."""
        if self.poll() is None and self._handle is not None:
            with suppress(ProcessLookupError):  # it has ended just now
                signal.pidfd_send_signal(self._handle, sig)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def communicate(self) -> tuple[str | None, None]:
        """Read its output to the end, and await its own."""
        printed = None
        if self.stdout is not None:
            with self.stdout as stream:
                printed = stream.read()
        self.wait()
        return printed, None


class Preloaded:
    """The server, which starts with the first process that is asked for. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._server: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None

    def __call__(
        self,
        args: Sequence[str],
        *,
        env: Mapping[str, str],
        stdin: int | IO[Any] = subprocess.DEVNULL,
        stdout: int | IO[Any],
        stderr: IO[Any],
        text: bool = True,
        start_new_session: bool = False,
    ) -> PreloadedProcess:
        """Start `python -m module arguments`.

        Args:
            args: the command: a Python, `-m`, a module, its arguments.
            env: the whole environment.
            stdin: is DEVNULL.
            stdout: a file, or PIPE.
            stderr: a file.
            text: whether what comes through the pipe is text; it is.
            start_new_session: whether it leads a session of its own.
        """
        _, option, module, *arguments = args
        if option != "-m" or stdin != subprocess.DEVNULL or not text:
            raise ValueError(f"this can't be forked: {args}")
        request = Request(
            module=module,
            arguments=arguments,
            environment=dict(env),
            folder=str(Path.cwd()),
            new_session=start_new_session,
        )
        fate, fate_end = os.pipe()
        printed, output = os.pipe() if stdout == subprocess.PIPE else (None, _number(stdout))
        null = os.open(os.devnull, os.O_RDONLY)
        try:
            self._send(request, [null, output, _number(stderr), fate_end])
        finally:
            os.close(fate_end)
            os.close(null)
            if printed is not None:
                os.close(output)
        return PreloadedProcess(fate, None if printed is None else os.fdopen(printed))

    def _send(self, request: Request, files: list[int]) -> None:
        with self._lock:
            if self._socket is None:
                self._start()
            assert self._socket is not None
            socket.send_fds(self._socket, [json.dumps(asdict(request)).encode()], files)

    def _start(self) -> None:
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with its:
            self._server = subprocess.Popen(
                [sys.executable, "-m", "tests.support.preloaded", str(its.fileno())],
                cwd=_ROOT,
                pass_fds=[its.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._socket = ours

    def close(self) -> None:
        """End the server, and with it what still runs."""
        if self._server is not None and self._socket is not None:
            self._socket.close()
            self._server.wait()


def _number(file: int | IO[Any]) -> int:
    return file if isinstance(file, int) else file.fileno()


class _Server:
    """Forks until nobody can ask it any more."""

    def __init__(self, requests: socket.socket) -> None:
        self._requests = requests
        self._selector = selectors.DefaultSelector()
        self._selector.register(requests, selectors.EVENT_READ)
        self._fates: dict[int, tuple[int, int]] = {}

    def next_child(self) -> Request | None:
        """Return, in a child, what it is to run; in the server, None when it is to end."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is not self._requests:
                    self._tell_end(key.fd)
                    continue
                message, files, _, _ = socket.recv_fds(self._requests, _MESSAGE_BYTES, _FILES)
                if not message:
                    self._end_all()
                    return None
                request = Request(**json.loads(message))
                if self._fork(files):
                    _become(request, files)
                    return request

    def _fork(self, files: list[int]) -> bool:
        """Fork; return whether this is the child."""
        if threading.active_count() != 1:
            raise RuntimeError(f"only a process with one thread may fork: {threading.enumerate()}")
        pid = os.fork()
        if pid == 0:
            self._requests.close()
            self._selector.close()
            for handle, (_, fate) in self._fates.items():
                os.close(handle)
                os.close(fate)
            return True
        *standard, fate = files
        for number in standard:
            os.close(number)
        handle = os.pidfd_open(pid)
        self._fates[handle] = (pid, fate)
        self._selector.register(handle, selectors.EVENT_READ)
        os.write(fate, f"{pid}\n".encode())
        return False

    def _tell_end(self, handle: int) -> None:
        pid, fate = self._fates.pop(handle)
        self._selector.unregister(handle)
        os.close(handle)
        _, status = os.waitpid(pid, 0)
        with suppress(BrokenPipeError):  # nobody wants to know
            os.write(fate, f"{os.waitstatus_to_exitcode(status)}\n".encode())
        os.close(fate)

    def _end_all(self) -> None:
        for handle in self._fates:
            signal.pidfd_send_signal(handle, signal.SIGKILL)


def _become(request: Request, files: list[int]) -> None:
    """Be the process that was asked for, but for what it runs."""
    ctypes.CDLL(None, use_errno=True).prctl(_END_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
    if request.new_session:
        os.setsid()
    *standard, fate = files
    os.close(fate)
    for number, file in enumerate(standard):
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(request.environment)
    time.tzset()
    os.chdir(request.folder)
    sys.path[0] = request.folder
    sys.argv[1:] = request.arguments
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _serve() -> None:
    requests = socket.socket(fileno=int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()
    for name in PRELOADED:
        importlib.import_module(name)
    importlib.import_module("ocijobs.cloud.clients").import_sdk()
    gc.freeze()
    gc.enable()
    request = _Server(requests).next_child()
    if request is not None:
        runpy.run_module(request.module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _serve()
