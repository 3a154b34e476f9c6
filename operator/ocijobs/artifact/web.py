"""Fetching one file from the web."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urljoin, urlsplit

import aiohttp

from ocijobs.artifact.addresses import AllowedAddresses
from ocijobs.artifact.archives import check_size
from ocijobs.artifact.files import SourceError, SourceMissingError, SourceUnreachableError

_REDIRECTS = 5
_REDIRECTED = 3
"""Hundreds of a status code that leads elsewhere."""

_FAILED = 5
"""Hundreds of one that tells of a failure of the server."""

_CHUNK = 1 << 20


class Web:
    """Fetches files by http and https."""

    def __init__(self, allowed: AllowedAddresses, timeout_seconds: float) -> None:
        self._allowed, self._timeout = allowed, aiohttp.ClientTimeout(total=timeout_seconds)

    async def fetch(
        self, url: str, target: Path, *, limit: int, headers: Mapping[str, str] | None = None
    ) -> None:
        """Write what an address gives to a file.

        Args:
            url: http or https; redirections are followed, to other hosts without the headers.
            target: the file.
            limit: bytes.
            headers: such as authorisation.

        Raises:
            SourceMissingError: if the server refuses it, or its network is denied.
            SourceUnreachableError: if there is no answer, or a passing failure.
            SourceError: if it is too large, or redirected without end.
        """
        try:
            await self._follow(url, target, limit, dict(headers or {}))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            why = str(error) or type(error).__name__
            raise SourceUnreachableError(f"{url} can't be fetched: {why}") from error

    async def _follow(self, url: str, target: Path, limit: int, headers: dict[str, str]) -> None:
        connector = aiohttp.TCPConnector(resolver=self._allowed)
        async with aiohttp.ClientSession(
            connector=connector, timeout=self._timeout, trust_env=True, auto_decompress=False
        ) as session:
            for _ in range(_REDIRECTS):
                self._allowed.check_literal(urlsplit(url).hostname or "")
                async with session.get(url, headers=headers, allow_redirects=False) as answer:
                    if answer.status // 100 != _REDIRECTED:
                        _check(url, answer.status)
                        await _write(answer, target, limit)
                        return
                    onward = urljoin(url, answer.headers.get("Location", ""))
                if not onward.startswith(("http://", "https://")):
                    raise SourceMissingError(f"{url} leads to {onward}, which is no web address")
                if urlsplit(onward)[:2] != urlsplit(url)[:2]:
                    headers = {}
                url = onward
            raise SourceError(f"{url} is redirected more than {_REDIRECTS} times")


def file_name(url: str) -> str:
    """Return the name of the file that an address ends with.

    Raises:
        SourceError: if it has none.
    """
    name = PurePosixPath(unquote(urlsplit(url).path)).name
    if not name or name.startswith("."):
        raise SourceError(f"{url} ends with no name of a file")
    return name


def _check(url: str, status: int) -> None:
    if status == HTTPStatus.OK:
        return
    if (
        status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.REQUEST_TIMEOUT}
        or status // 100 == _FAILED
    ):
        raise SourceUnreachableError(f"{url} can't be fetched: the server answers {status}")
    raise SourceMissingError(f"{url} can't be fetched: the server answers {status}")


async def _write(answer: aiohttp.ClientResponse, target: Path, limit: int) -> None:
    total = 0
    with target.open("wb") as file:
        async for chunk in answer.content.iter_chunked(_CHUNK):
            total += len(chunk)
            check_size(total, limit)
            file.write(chunk)
