"""HTTP sessions with the API server: each has the same login, authorities, certificates and proxy."""

from __future__ import annotations

import ssl
from http import HTTPStatus
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass
from weakref import WeakKeyDictionary

import aiohttp
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from kubernetes.aio.client import Configuration
from yarl import URL

from ocijobs import __version__
from ocijobs.kube.login import Credentials, Login

_READ_BYTES = 2**21
"""Bytes of the read buffer: an object arrives as one line, and may be longer than aiohttp's default."""


def open_session(
    login: Login, *, connections: int, outer: tuple[aiohttp.ClientMiddlewareType, ...] = ()
) -> aiohttp.ClientSession:
    """Return a session that makes every request with the login. The caller closes it.

    Args:
        login: the login to use.
        connections: how many may be open at a time; 0 is no limit.
        outer: middlewares around the login: they see a request once, however often it has to log in.
    """
    connector = _Connector(login.credentials, connections)
    return aiohttp.ClientSession(
        connector=connector,
        headers={"User-Agent": f"ocijobs-operator/{__version__}"},
        middlewares=(*outer, _Authenticated(login, connector)),
        proxy=_proxy(login.credentials.configuration),
        read_bufsize=_READ_BYTES,
    )


class _Connector(aiohttp.TCPConnector):
    """Connections with the client certificate of the login, if any. Those with a former certificate are closed."""

    def __init__(self, credentials: Credentials, connections: int) -> None:
        self._tls = _tls(credentials.configuration)
        super().__init__(limit=connections, ssl=self._tls)
        self._shows, self._generation = credentials, 0
        self._opened: WeakKeyDictionary[object, int] = WeakKeyDictionary()

    def show(self, credentials: Credentials) -> None:
        """Use this certificate for new connections from now on."""
        if self._shows.certificate != credentials.certificate:
            self._generation += 1
            _load_certificates(self._tls, credentials.configuration)
        self._shows = credentials

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - of aiohttp
    ) -> Connection:
        """Return a connection that is new, or was opened with the present certificate."""
        while True:
            connection = await super().connect(req, traces, timeout)
            if self._opened.setdefault(connection.protocol, self._generation) == self._generation:
                return connection
            connection.close()


class _Authenticated:
    """The middleware that logs in. If the API server refuses a login, it tries once more with another one, if any."""

    def __init__(self, login: Login, connector: _Connector) -> None:
        self._login, self._connector = login, connector
        self._origin = URL(login.server).origin()

    async def __call__(
        self, request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Send the request, with the credentials that are valid now."""
        if request.url.origin() != self._origin:
            # Somewhere else, where a redirect leads: nobody there is to have our token.
            return await send(request)
        credentials = await self._login.current()
        self._show(request, credentials)
        response = await send(request)
        if response.status != HTTPStatus.UNAUTHORIZED:
            return response
        others = await self._login.after(credentials)
        if others.same_as(credentials):
            return response
        response.close()
        self._show(request, others)
        return await send(request)

    def _show(self, request: aiohttp.ClientRequest, credentials: Credentials) -> None:
        self._connector.show(credentials)
        if credentials.authorization is not None:
            request.headers["Authorization"] = credentials.authorization
        if credentials.configuration.tls_server_name:
            request.server_hostname = credentials.configuration.tls_server_name


def _tls(configuration: Configuration) -> ssl.SSLContext:
    context = ssl.create_default_context(
        cafile=configuration.ssl_ca_cert, cadata=configuration.ca_cert_data
    )
    if not configuration.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if configuration.cert_file:
        context.load_cert_chain(configuration.cert_file, keyfile=configuration.key_file)
    return context


def _load_certificates(context: ssl.SSLContext, configuration: Configuration) -> None:
    """Use the new login for connections that are opened from now on."""
    if configuration.ssl_ca_cert:
        context.load_verify_locations(cafile=configuration.ssl_ca_cert)
    if configuration.cert_file:
        context.load_cert_chain(configuration.cert_file, keyfile=configuration.key_file)


def _proxy(configuration: Configuration) -> str | None:
    """Return the proxy of the kubeconfig, else that of the environment, as kubectl does."""
    if configuration.proxy:
        return str(configuration.proxy)
    server = urlsplit(configuration.host)
    if proxy_bypass(server.hostname or ""):
        return None
    return getproxies().get(server.scheme)
