"""The operator as a process of its own, for tests that end it as the world does: by signals, and without warning."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import IO, Protocol, Self

_START_SECONDS = 60.0
_END_SECONDS = 60.0
_DUMP_SECONDS = 5.0
_SHOWN = 20_000


class Process(Protocol):
    """What is asked of a process: a part of `subprocess.Popen`."""

    @property
    def pid(self) -> int:
        """Its process id."""

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""

    def wait(self, timeout: float) -> int:
        """Await its end and return the exit code."""

    def send_signal(self, sig: int) -> None:
        """Send it a signal."""


Launch = Callable[..., Process]
"""What starts a process: `subprocess.Popen`, or what takes the same arguments."""


class OperatorProcess:
    """`python -m ocijobs run`, started and ended at will.

    Args:
        kubeconfig: of the cluster, and of whom the operator is there.
        folder: for its log.
        settings: by field name of `ocijobs.settings.Settings`.
        launch: what starts it.
    """

    def __init__(
        self,
        kubeconfig: Path,
        folder: Path,
        settings: Mapping[str, object] | None = None,
        launch: Launch = subprocess.Popen,
    ) -> None:
        self._launch = launch
        self.log = folder / "operator.log"
        self._kubeconfig = kubeconfig
        self._port_file = folder / "operator.port"
        self._settings = {"http_host": "127.0.0.1", "http_port": 0, **(settings or {})}
        self._process: Process | None = None
        self._log_file: IO[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._running().pid

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> Self:
        """Start it and return at once."""
        self._port_file.unlink(missing_ok=True)
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("OCIJOBS_")
        }
        environment |= {
            f"OCIJOBS_{name.upper()}": str(value) for name, value in self._settings.items()
        }
        environment["KUBECONFIG"] = str(self._kubeconfig)
        self._log_file = self.log.open("ab")
        self._process = self._launch(
            [sys.executable, "-m", "ocijobs", "run", "--port-file", str(self._port_file)],
            env=environment,
            stdout=self._log_file,
            stderr=self._log_file,
            start_new_session=True,
        )
        return self

    def until_open(self) -> Self:
        """Return when its port of metrics and health is open, whether or not it is ready.

        Raises:
            TimeoutError: if it is not within a minute.
            RuntimeError: if it has ended.
        """
        return self._until("open", lambda: self.fetch("/metrics") is not None)

    def until_ready(self) -> Self:
        """Return when it answers that it is ready.

        Raises:
            TimeoutError: if it does not within a minute.
            RuntimeError: if it has ended.
        """
        return self._until("ready", lambda: self.fetch("/readyz") is not None)

    def until_told(self, line: str) -> Self:
        """Return when its metrics have a line, such as `ocijobs_leader 1.0`.

        Raises:
            TimeoutError: if they have not within a minute.
            RuntimeError: if it has ended.
        """
        return self._until(
            f"telling {line}", lambda: line in (self.fetch("/metrics") or "").splitlines()
        )

    def until_checked(self, path: str, checks: Mapping[str, bool]) -> Self:
        """Return when `/healthz` or `/readyz` answers with just these checks.

        Raises:
            TimeoutError: if it does not within a minute.
            RuntimeError: if it has ended.
        """
        return self._until(
            f"answering {dict(checks)}",
            lambda: json.loads(self._ask(path)[1] or "null") == dict(checks),
        )

    def _until(self, what: str, holds: Callable[[], bool]) -> Self:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if not self.alive:
                raise RuntimeError(f"the operator has ended; see {self.log}")
            if self._port_file.exists() and holds():
                return self
            time.sleep(0.05)
        raise TimeoutError(f"the operator is not {what}; see {self.log}")

    def fetch(self, path: str) -> str | None:
        """Return what its own server answers, or None if that is no 200."""
        status, text = self._ask(path)
        return text if status == HTTPStatus.OK else None

    def _ask(self, path: str) -> tuple[int, str]:
        """Return status and text of an answer; 0 and nothing if there is none."""
        url = f"http://127.0.0.1:{self._port_file.read_text()}{path}"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except (urllib.error.URLError, OSError):
            return 0, ""

    def kill(self) -> None:
        """End it without warning (SIGKILL)."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """End it in order (SIGTERM), and return its exit code."""
        return self._end(signal.SIGTERM)

    def end(self) -> None:
        """End it in order if it runs; let go of its log either way."""
        if self.alive:
            self.stop()
        elif self._log_file is not None:
            self._log_file.close()

    def _end(self, how: signal.Signals) -> int:
        process = self._running()
        if process.poll() is None:
            process.send_signal(how)
        try:
            code = process.wait(timeout=_END_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise TimeoutError(f"the operator does not end: {self._stacks(process)}") from error
        if self._log_file is not None:
            self._log_file.close()
        return code

    def _stacks(self, process: Process) -> str:
        """Return the end of the log, with the stacks of all threads, of an operator that does not end; and kill it."""
        process.send_signal(signal.SIGUSR1)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=_DUMP_SECONDS)
        process.send_signal(signal.SIGKILL)
        return self.log.read_text(errors="replace")[-_SHOWN:]

    def _running(self) -> Process:
        if self._process is None:
            raise RuntimeError("the operator was not started")
        return self._process

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end()
