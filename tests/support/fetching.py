"""The fetcher as a process: one that all operators under test share, and others that a test asks itself.

Each request is done by a process of its own anyway, so nothing of one test is another's; and a start costs a second.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, Self

import aiohttp
import pytest
from tests.support.patience import patience

from ocijobs.api.job.spec import OCIJobSpec
from ocijobs.fetcher.protocol import PATH, FetchAnswer, FetchRequest, Limits, Origin
from ocijobs.testing import make_job

LIMITS = Limits(
    seconds=patience(120),
    cpu_seconds=60,
    memory_bytes=1 << 30,
    artifact_bytes=1 << 20,
    files=100,
    denied_networks=("169.254.0.0/16",),
)


class FetcherProcess:
    """`python -m ocijobs.fetcher` behind a Unix socket."""

    def __init__(self, folder: Path, *options: str, log: IO[bytes] | None = None) -> None:
        self.folder, self._options, self._log = folder, options, log
        self._listener = socket.socket(socket.AF_UNIX)
        self.path = folder / "fetcher.sock"
        self._listener.bind(str(self.path))
        self._listener.listen(64)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """What an operator has for the setting fetcherUrl."""
        return f"unix:{self.path}"

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    @property
    def places(self) -> list[Path]:
        """The folders of requests that are worked on."""
        own = [each for each in (self.folder / "work").glob("ocijobs-*") if each.is_dir()]
        return [each for place in own for each in place.iterdir() if each.is_dir()]

    def start(self) -> Self:
        """Start it; it answers when it is there."""
        number = self._listener.fileno()
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "ocijobs.fetcher", "--socket", str(number), "--lifeline"),
                *("--folder", str(self.folder / "work"), *self._options),
            ],
            pass_fds=(number,),
            stdin=subprocess.PIPE,
            stderr=self._log,
        )
        return self

    def stop(self) -> int:
        """End it as its starter's end does, and return its exit code."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()
        code = self._process.wait(timeout=patience(60))
        self._listener.close()
        return code

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def ask(
        self,
        origin: Origin,
        *,
        limits: Limits = LIMITS,
        spec: OCIJobSpec | None = None,
        token: str | None = None,
    ) -> tuple[FetchAnswer, bytes]:
        """Return what it answers, and the artifact."""
        spec = (
            spec
            or make_job(
                runtime={"script": {"source": {"inline": {"main.py": ""}}, "entrypoint": "main.py"}}
            ).spec
        )
        request = FetchRequest(
            job_name="job",
            runtime=spec.runtime,
            outputs=spec.outputs,
            language=spec.language,
            origin=origin,
            limits=limits,
        )
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        async with (
            aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(self.path))) as session,
            session.post(
                f"http://fetcher{PATH}",
                data=request.model_dump_json(exclude_none=True),
                headers=headers,
            ) as answer,
        ):
            answer.raise_for_status()
            told = FetchAnswer.model_validate_json(await answer.content.readline())
            return told, await answer.content.read()


def children_of(pid: int) -> list[int]:
    """Return the processes that one has started, and that those have."""
    found = [int(each) for task in _tasks(pid) for each in task.read_text().split()]
    return found + [each for child in found for each in children_of(child)]


def _tasks(pid: int) -> Iterable[Path]:
    return Path(f"/proc/{pid}/task").glob("*/children")


async def until(is_so: Callable[[], bool]) -> None:
    """Return when something is so that no event tells of, as where processes are and end."""
    async with asyncio.timeout(patience(60)):
        while True:
            if is_so():
                return
            await asyncio.sleep(0.01)


async def until_alone(fetcher: FetcherProcess) -> None:
    """Return when the fetcher works on nothing: it has one child, from which others are forked."""
    await until(lambda: len(children_of(fetcher.pid)) == 1 and not fetcher.places)


_shared: FetcherProcess | None = None


def shared_fetcher_url() -> str:
    """Return where the fetcher is that this process's tests share."""
    global _shared  # noqa: PLW0603 - there is one a process
    if _shared is None:
        folder = Path(tempfile.mkdtemp(prefix=f"fetcher-{os.getpid()}-"))
        _shared = FetcherProcess(folder, "--at-a-time", "16").start()
    return _shared.url


@pytest.hookimpl
def pytest_unconfigure() -> None:
    """End the shared one."""
    if _shared is not None:
        _shared.stop()
