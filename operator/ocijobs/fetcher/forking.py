"""One process for each request, forked from a process that has imported what it needs and has seen no request.

The server itself must not fork: its memory has had the credentials of other requests, and it has threads and a loop. So
before its first request it forks the *nursery*: a process with a single thread that only forks, ends process groups,
and reports how each ended. The content of a request does not pass through the nursery: it is a file that only the child
reads.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import selectors
import signal
import socket
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn

_MESSAGE_BYTES = 4096
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_END_MESSAGE = "end"
_KEPT_VARIABLES = frozenset(
    {
        "HTTPS_PROXY",
        "HTTP_PROXY",
        "LANG",
        "NO_PROXY",
        "PATH",
        "SSL_CERT_DIR",
        "SSL_CERT_FILE",
        "http_proxy",
        "https_proxy",
        "no_proxy",
    }
)
"""Environment variables that a child gets."""

Work = Callable[[int, int, str], None]
"""What a child does. It is called with the files of the request and of the answer, and its folder."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a child ended: its exit code, negative for a signal."""

    code: int


class Nursery:
    """The server's side: asks for children, and hears of their ends.

    Args:
        work: what each child does.
    """

    def __init__(self, work: Work) -> None:
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.pid = os.fork()
        if self.pid == 0:
            ours.close()
            _live(its, work)
        its.close()
        self._socket = ours

    def start(self, request: int, answer: int, folder: str) -> Child:
        """Start a child; the files are its own from now on, and may be closed here.

        Raises:
            OSError: if the nursery has ended.
        """
        fate, told = os.pipe2(os.O_CLOEXEC)
        try:
            socket.send_fds(self._socket, [json.dumps([folder]).encode()], [request, answer, told])
        except OSError:
            os.close(fate)
            raise
        finally:
            os.close(told)
        return Child(self._socket, fate)

    def close(self) -> None:
        """End the nursery, and all children with it."""
        self._socket.close()
        os.waitpid(self.pid, 0)


class Child:
    """A child, as far as the server knows it."""

    def __init__(self, nursery: socket.socket, fate: int) -> None:
        self._nursery, self._fate = nursery, fate
        self._told = b""
        self._pid: int | None = None

    async def ended(self) -> Ended | None:
        """Return how the child ended, once it and all that it has started have ended; None if the nursery has ended.

        It may be called again if it is cancelled.
        """
        loop = asyncio.get_running_loop()
        os.set_blocking(self._fate, False)
        while self._told.count(b"\n") < 2:  # noqa: PLR2004 - its pid, and its end
            readable = loop.create_future()
            loop.add_reader(self._fate, _set, readable)
            try:
                await readable
            finally:
                loop.remove_reader(self._fate)
            chunk = os.read(self._fate, _MESSAGE_BYTES)
            if not chunk:
                return None
            self._told += chunk
        return Ended(int(self._told.split(b"\n")[1]))

    def kill(self) -> None:
        """Ask for the end of the child and of all that it has started; `ended` returns when that is done."""
        os.set_blocking(self._fate, True)
        while b"\n" not in self._told:
            chunk = os.read(self._fate, _MESSAGE_BYTES)
            if not chunk:
                return
            self._told += chunk
        pid = int(self._told.split(b"\n")[0])
        with suppress(OSError):  # the nursery has ended, and its children with it
            self._nursery.send(json.dumps([_END_MESSAGE, pid]).encode())

    def close(self) -> None:
        """Forget the child."""
        os.close(self._fate)


def _set(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _live(requests: socket.socket, work: Work) -> NoReturn:
    """Run as the nursery until the server has closed its end."""
    code = 1
    try:
        _Keeper(requests, work).keep()
        code = 0
    finally:
        os._exit(code)


class _Keeper:
    """The nursery's side: one thread, which forks and reaps."""

    def __init__(self, requests: socket.socket, work: Work) -> None:
        self._requests, self._work = requests, work
        self._fates: dict[int, int] = {}
        self._selector = selectors.DefaultSelector()

    def keep(self) -> None:
        """Fork, end and reap until the server has closed its end."""
        # What a child started and left behind is this process's to end.
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        wake, woken = socket.socketpair()
        for each in (wake, woken):
            each.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        self._selector.register(self._requests, selectors.EVENT_READ)
        self._selector.register(woken, selectors.EVENT_READ)
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is woken:
                    with suppress(BlockingIOError):
                        woken.recv(_MESSAGE_BYTES)
                    self._reap()
                elif not self._take():
                    for pid in self._fates:
                        _end(pid)
                    return

    def _take(self) -> bool:
        """Do what the server asks; return whether it may ask again."""
        message, files, _, _ = socket.recv_fds(self._requests, _MESSAGE_BYTES, 3)
        if not message:
            return False
        words = json.loads(message)
        if words[0] == _END_MESSAGE and not files:
            if words[1] in self._fates:
                _end(words[1])
            return True
        request, answer, fate = files
        pid = os.fork()
        if pid == 0:
            self._be_child(request, answer, words[0])
        os.close(request)
        os.close(answer)
        self._fates[pid] = fate
        os.write(fate, f"{pid}\n".encode())
        return True

    def _be_child(self, request: int, answer: int, folder: str) -> NoReturn:
        code = 1
        try:
            # A session, and so a group, of its own: it is ended with all that it has started.
            os.setsid()
            _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_DFL)
            self._selector.close()
            _keep_only(request, answer)
            kept = {name: os.environ[name] for name in _KEPT_VARIABLES & os.environ.keys()}
            os.environ.clear()
            os.environ.update(kept | {"HOME": folder, "TMPDIR": folder})
            os.chdir(folder)
            self._work(request, answer, folder)
            code = 0
        except BaseException:  # noqa: BLE001 - whatever it is, the child ends here
            traceback.print_exc()
        finally:
            os._exit(code)

    def _reap(self) -> None:
        """Report children that have ended, and end what they have left behind."""
        while True:
            try:
                found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if found is None:
                return
            pid = found.si_pid
            if pid in self._fates:
                _end(pid)  # While it is not waited for, its number is nobody else's.
            _, status = os.waitpid(pid, 0)
            if (fate := self._fates.pop(pid, None)) is not None:
                with suppress(BrokenPipeError):  # nobody wants to know
                    os.write(fate, f"{os.waitstatus_to_exitcode(status)}\n".encode())
                os.close(fate)


def _end(group: int) -> None:
    with suppress(
        ProcessLookupError, PermissionError
    ):  # it has not made its group yet, or has ended
        os.killpg(group, signal.SIGKILL)
    with suppress(ProcessLookupError):
        os.kill(group, signal.SIGKILL)


def _keep_only(*files: int) -> None:
    """Close all files but the standard ones; of these, only stderr still leads anywhere."""
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    first = 3
    for file in sorted(files):
        os.closerange(first, file)
        first = file + 1
    os.closerange(first, os.sysconf("SC_OPEN_MAX"))


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)
