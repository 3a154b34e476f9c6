"""Asking the fetcher: what its end, its silence and its answers mean, and which of them a source is to blame for."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from ocijobs.controller.fetcher_client import FetcherClient
from ocijobs.controller.staging import Owner, Quota, Staging
from ocijobs.fetcher.protocol import (
    FetchAnswer,
    FetchedArtifact,
    FetchRequest,
    GivenFiles,
    Limits,
    RefusalKind,
    SourceRefusedError,
)
from ocijobs.settings import Settings

pytestmark = pytest.mark.asyncio

CONTENT = b"x" * 3_000_000
TOLD = FetchAnswer(
    digest="d",
    artifact=FetchedArtifact(
        name="a.zip", sha256=hashlib.sha256(CONTENT).hexdigest(), size=len(CONTENT)
    ),
)
REQUEST = FetchRequest(
    job_name="job",
    runtime=None,
    origin=GivenFiles(files={}),
    limits=Limits(seconds=1, cpu_seconds=1, memory_bytes=1, artifact_bytes=1, files=1),
)
OWNER = Owner(namespace="team", uid="uid")
Serve = Callable[[asyncio.StreamWriter], Awaitable[None]]


def answer(status: str, body: bytes, *, length: int | None = None) -> Serve:
    """Return what answers so, and hangs up."""

    async def serve(writer: asyncio.StreamWriter) -> None:
        told = len(body) if length is None else length
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {told}\r\n\r\n".encode() + body)
        await writer.drain()

    return serve


async def hang_up(_: asyncio.StreamWriter) -> None:
    """Say nothing."""


WHOLE = TOLD.model_dump_json().encode() + b"\n" + CONTENT


@asynccontextmanager
async def fetcher(folder: Path, serve: Serve, heads: list[str]) -> AsyncIterator[str]:
    """Serve behind a Unix socket; what was asked comes into `heads`."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        heads.append(head)
        [length] = [line.partition(": ")[2] for line in head.split("\r\n") if "Length" in line]
        await reader.readexactly(int(length))
        await serve(writer)
        writer.close()

    server = await asyncio.start_unix_server(connected, folder / "fetcher")
    async with server:
        yield f"unix:{folder / 'fetcher'}"


async def asked(
    url: str, folder: Path, token: Path | None = None
) -> tuple[FetchAnswer | RefusalKind, int]:
    """Return what came of the request, or why not; and how much is staged."""
    staging = Staging(folder / "staging", Quota(total_bytes=10**7, namespace_bytes=10**7))
    settings = Settings(fetcher_url=url, fetcher_token_file=token)
    async with FetcherClient(settings, folder) as client:
        try:
            told = await client.fetch(
                REQUEST, lambda told: staging.receive(OWNER, told.sha256, told.size)
            )
        except SourceRefusedError as error:
            return error.refusal.kind, staging.used_bytes
    return told, staging.used_bytes


@pytest.mark.parametrize(
    ("serve", "expected"),
    [
        (hang_up, RefusalKind.DIED),
        (answer("401 Unauthorized", b"no"), RefusalKind.UNREACHABLE),
        (answer("503 Service Unavailable", b"ending"), RefusalKind.UNREACHABLE),
        (answer("200 OK", b"what?\n"), RefusalKind.UNREACHABLE),
        (answer("200 OK", WHOLE[:-1], length=len(WHOLE)), RefusalKind.UNREACHABLE),
        (answer("200 OK", WHOLE[:-1] + b"y"), RefusalKind.UNREACHABLE),
    ],
    ids=["hangs up", "401", "503", "no answer", "half an artifact", "another artifact"],
)
async def test_only_an_end_with_the_request_under_way_is_laid_on_the_source(
    tmp_path: Path, serve: Serve, expected: RefusalKind
) -> None:
    async with fetcher(tmp_path, serve, []) as url:
        assert await asked(url, tmp_path) == (expected, 0)


async def test_what_is_built_is_staged(tmp_path: Path) -> None:
    heads: list[str] = []
    token = tmp_path / "token"
    token.write_text("opensesame\n")
    async with fetcher(tmp_path, answer("200 OK", WHOLE), heads) as url:
        assert await asked(url, tmp_path, token) == (TOLD, len(CONTENT))
    assert "Authorization: Bearer opensesame\r\n" in heads[0]


async def test_a_fetcher_that_is_not_there_is_waited_for(tmp_path: Path) -> None:
    url = f"unix:{tmp_path / 'nowhere'}"
    assert await asked(url, tmp_path) == (RefusalKind.UNREACHABLE, 0)
    missing = tmp_path / "missing"
    assert await asked(url, tmp_path, missing) == (RefusalKind.UNREACHABLE, 0)
