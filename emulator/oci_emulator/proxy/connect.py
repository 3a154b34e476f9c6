"""A proxy that answers CONNECT for the hosts of the emulated cloud, and for no other.

It ends the TLS connection itself, with a certificate for the host's name, and hands what comes
inside to the same server that answers on the plain port. Clients need ``HTTPS_PROXY`` and a
``REQUESTS_CA_BUNDLE``, and go on using the real host names.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable

from oci_emulator.proxy.authority import Authority
from oci_emulator.server import hosts

_LONGEST_HEAD = 16384
_HEAD_SECONDS = 30.0
_TLS_SECONDS = 30.0
_PORT = "443"

_logger = logging.getLogger(__name__)


class ConnectProxy:
    """The proxy.

    Args:
        protocol: makes the protocol that serves the requests inside.
    """

    def __init__(self, authority: Authority, protocol: Callable[[], asyncio.Protocol]) -> None:
        self._authority = authority
        self._protocol = protocol
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; the port that was taken."""
        self._server = await asyncio.start_server(self._serve, host, port, limit=_LONGEST_HEAD)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_HEAD_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            writer.close()
            return
        refusal, host = _target(head)
        if refusal:
            _refuse(writer, refusal)
            return
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await self._hand_over(writer.transport, host)

    async def _hand_over(self, transport: asyncio.WriteTransport, host: str) -> None:
        """Let the server inside have the connection, in TLS."""
        protocol = self._protocol()
        loop = asyncio.get_running_loop()
        try:
            tls = await loop.start_tls(
                transport,
                protocol,
                self._authority.context(host),
                server_side=True,
                ssl_handshake_timeout=_TLS_SECONDS,
            )
        except (ssl.SSLError, OSError) as error:
            # Mostly a client that doesn't trust the authority.
            _logger.warning("no TLS with a client that asked for %s: %s", host, error)
            transport.close()
            return
        if tls is not None:
            protocol.connection_made(tls)


def _target(head: bytes) -> tuple[str, str]:
    """Why a request is refused, if it is, and the host that it asks for."""
    line = head.split(b"\r\n", 1)[0].decode("latin-1")
    method, _, rest = line.partition(" ")
    if method != "CONNECT":
        return (
            "405 This proxy answers CONNECT only: give plain requests to the HTTP endpoint.",
            "",
        )
    host, _, port = rest.partition(" ")[0].rpartition(":")
    if port != _PORT or not hosts.is_ours(host):
        return f"403 This proxy leads to hosts of the emulated cloud only, not to {host[:255]}.", ""
    return "", host.lower()


def _refuse(writer: asyncio.StreamWriter, refusal: str) -> None:
    status, _, message = refusal.partition(" ")
    body = f"{message}\n".encode()
    reason = {"403": "Forbidden", "405": "Method Not Allowed"}[status]
    writer.write(
        f"HTTP/1.1 {status} {reason}\r\ncontent-type: text/plain\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n".encode()
        + body
    )
    writer.close()
