"""Fetches one file from the web."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import aiohttp
from yarl import URL

from ocijobs.artifact.addresses import AllowedAddresses
from ocijobs.artifact.bounds import Bounds
from ocijobs.artifact.files import SourceError, SourceMissingError, SourceUnreachableError

_REDIRECTS = 5
_REDIRECTED = 3
"""First digit of the 3xx status codes, which redirect."""

_FAILED = 5
"""First digit of the 5xx status codes, which report a failure of the server."""

_CHUNK = 1 << 20

_SILENCE = aiohttp.ClientTimeout(total=None, sock_connect=30, sock_read=60)
"""Seconds without a connection, and seconds without a byte of an answer. The whole reading has a limit of its own."""


class Web:
    """Fetches files by http and https.

    Args:
        allowed: which addresses files may come from; None for an address that is no user's.
        trust: certificates that servers are trusted by; None for the machine's own.
    """

    def __init__(
        self, allowed: AllowedAddresses | None, trust: ssl.SSLContext | None = None
    ) -> None:
        self._allowed, self._trust = allowed, trust

    async def fetch(
        self,
        url: str,
        target: Path,
        *,
        bounds: Bounds,
        headers: Mapping[str, str] | None = None,
        already: int = 0,
    ) -> int:
        """Write what an address gives to a file; return how many bytes there are by now.

        Args:
            url: http or https; redirections are followed, to other hosts without the headers.
            target: the file.
            bounds: of its size.
            headers: such as authorisation.
            already: bytes that were fetched before, and count as well.

        Raises:
            SourceMissingError: if the server refuses it, or its network is denied.
            SourceUnreachableError: if there is no answer, or a passing failure.
            SourceError: if it is too large, or redirected without end.
        """
        try:
            return await self._follow(url, target, bounds, dict(headers or {}), already)
        except (aiohttp.ClientError, TimeoutError) as error:
            why = str(error) or "the server has not sent anything for a minute"
            raise SourceUnreachableError(f"{url} can't be fetched: {why}") from error

    async def _follow(
        self, url: str, target: Path, bounds: Bounds, headers: dict[str, str], already: int
    ) -> int:
        connector = aiohttp.TCPConnector(
            resolver=self._allowed, ssl=True if self._trust is None else self._trust
        )
        async with aiohttp.ClientSession(
            connector=connector,
            timeout=_SILENCE,
            trust_env=True,
            auto_decompress=False,
        ) as session:
            for _ in range(_REDIRECTS):
                if self._allowed is not None:
                    self._allowed.check_literal(urlsplit(url).hostname or "")
                # What a signature is of must be sent as it is.
                where = URL(url, encoded=self._allowed is None)
                async with session.get(where, headers=headers, allow_redirects=False) as answer:
                    if answer.status // 100 != _REDIRECTED:
                        _check(url, answer.status)
                        return await _write(answer, target, bounds, already)
                    onward = urljoin(url, answer.headers.get("Location", ""))
                if not onward.startswith(("http://", "https://")):
                    raise SourceMissingError(f"{url} leads to {onward}, which is not a web address")
                if urlsplit(onward)[:2] != urlsplit(url)[:2]:
                    headers = {}
                url = onward
            raise SourceError(f"{url} is redirected more than {_REDIRECTS} times")


def _check(url: str, status: int) -> None:
    if status == HTTPStatus.OK:
        return
    if (
        status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.REQUEST_TIMEOUT}
        or status // 100 == _FAILED
    ):
        raise SourceUnreachableError(f"{url} can't be fetched: the server answers {status}")
    if status == HTTPStatus.PRECONDITION_FAILED:
        raise SourceUnreachableError(f"{url} has changed meanwhile")
    raise SourceMissingError(f"{url} can't be fetched: the server answers {status}")


async def _write(answer: aiohttp.ClientResponse, target: Path, bounds: Bounds, already: int) -> int:
    total = already
    with target.open("wb") as file:
        async for chunk in answer.content.iter_chunked(_CHUNK):
            total += len(chunk)
            bounds.check_size(total)
            file.write(chunk)
    return total
