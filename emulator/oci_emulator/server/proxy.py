"""A proxy that answers CONNECT for the hosts of the emulated cloud, and for no other.

It ends the TLS connection itself, with a certificate for the host's name, and hands what comes
inside to the same server that answers on the plain port. Clients need ``HTTPS_PROXY`` and a
``REQUESTS_CA_BUNDLE``, and go on using the real host names.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable
from http import HTTPStatus

from typing_extensions import override

from oci_emulator.certificates.authority import Authority
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
        self._handshakes: set[asyncio.Task[None]] = set()

    async def start(self, host: str, port: int) -> int:
        """Listen; the port that was taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Head(self._accept), host, port)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Listen no more; connections that are handed over belong to the server inside."""
        if self._server is not None:
            self._server.close()
        for task in self._handshakes:
            task.cancel()

    def _accept(self, transport: asyncio.Transport, host: str) -> None:
        transport.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        task = asyncio.get_running_loop().create_task(self._hand_over(transport, host))
        self._handshakes.add(task)
        task.add_done_callback(self._handshakes.discard)

    async def _hand_over(self, transport: asyncio.Transport, host: str) -> None:
        """Let the server inside have the connection, in TLS."""
        early = _EarlyData()
        try:
            tls = await asyncio.get_running_loop().start_tls(
                transport,
                early,
                self._authority.context(host),
                server_side=True,
                ssl_handshake_timeout=_TLS_SECONDS,
            )
        except (ssl.SSLError, OSError) as error:
            # Mostly a client that doesn't trust the authority.
            _logger.warning("no TLS with a client that asked for %s: %s", host, error)
            transport.close()
            return
        if not isinstance(tls, asyncio.Transport) or early.lost:
            return
        protocol = self._protocol()
        tls.set_protocol(protocol)
        protocol.connection_made(tls)
        if early.data:
            protocol.data_received(bytes(early.data))


class _Head(asyncio.Protocol):
    """Reads the head of a proxy request and refuses it, or has it accepted.

    Args:
        accept: gets the connection and the host, and owns the connection from then on.
    """

    def __init__(self, accept: Callable[[asyncio.Transport, str], None]) -> None:
        self._accept = accept
        self._head = bytearray()
        self._transport: asyncio.Transport | None = None
        self._deadline: asyncio.TimerHandle | None = None

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("a proxy needs a stream transport")
        self._transport = transport
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(_HEAD_SECONDS, transport.abort)

    @override
    def data_received(self, data: bytes) -> None:
        self._head += data
        if self._transport is None or self._transport.is_closing():
            return
        end = self._head.find(b"\r\n\r\n")
        if end < 0:
            if len(self._head) > _LONGEST_HEAD:
                self._transport.abort()
            return
        self._cancel_deadline()
        refusal, host = _target(bytes(self._head[:end]))
        if end + 4 < len(self._head):
            refusal = refusal or "400 A client must wait for the answer to CONNECT."
        if refusal:
            _refuse(self._transport, refusal)
        else:
            self._accept(self._transport, host)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel_deadline()

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()


class _EarlyData(asyncio.Protocol):
    """Keeps what comes between the end of the handshake and the server's being told of it."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.lost = False

    @override
    def data_received(self, data: bytes) -> None:
        self.data += data

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True


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


def _refuse(transport: asyncio.Transport, refusal: str) -> None:
    status, _, message = refusal.partition(" ")
    body = f"{message}\n".encode()
    reason = HTTPStatus(int(status)).phrase
    transport.write(
        f"HTTP/1.1 {status} {reason}\r\ncontent-type: text/plain\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n".encode()
        + body
    )
    transport.close()
