"""HTTP sessions with the API server, all alike: the same login, authorities, certificates and proxy for each."""

from __future__ import annotations

import ssl
from http import HTTPStatus
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from kubernetes.aio.client import Configuration
from yarl import URL

from ocijobs import __version__
from ocijobs.kube.login import Credentials, Login

_READ_BYTES = 2**21
"""An object may have more than aiohttp reads at once by default, and arrives as one line."""


def open_session(
    login: Login, *, connections: int, outer: tuple[aiohttp.ClientMiddlewareType, ...] = ()
) -> aiohttp.ClientSession:
    """Return a session in which every request is made as the login; the caller closes it.

    Args:
        login: as whom.
        connections: how many may be open at a time; 0 is no limit.
        outer: middlewares around the login: they see a request once, however often it has to log in.
    """
    authenticated = _Authenticated(login)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=connections, ssl=authenticated.tls),
        headers={"User-Agent": f"ocijobs-operator/{__version__}"},
        middlewares=(*outer, authenticated),
        proxy=_proxy(login.credentials.configuration),
        read_bufsize=_READ_BYTES,
    )


class _Authenticated:
    """The middleware that logs in. What the API server refuses is tried once more if there is another login."""

    def __init__(self, login: Login) -> None:
        self._login = login
        self._origin = URL(login.server).origin()
        self._shown = login.credentials
        self.tls = _tls(self._shown.configuration)

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
        # The connection is closed, since it has shown the certificate that was refused.
        response.close()
        self._show(request, others)
        return await send(request)

    def _show(self, request: aiohttp.ClientRequest, credentials: Credentials) -> None:
        if credentials is not self._shown:
            _load_certificates(self.tls, credentials.configuration)
            self._shown = credentials
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
    """Have connections that are opened from now on use what was loaded anew."""
    if configuration.ssl_ca_cert:
        context.load_verify_locations(cafile=configuration.ssl_ca_cert)
    if configuration.cert_file:
        context.load_cert_chain(configuration.cert_file, keyfile=configuration.key_file)


def _proxy(configuration: Configuration) -> str | None:
    """Return the proxy that the kubeconfig names, else that of the environment, as kubectl takes them."""
    if configuration.proxy:
        return str(configuration.proxy)
    server = urlsplit(configuration.host)
    if proxy_bypass(server.hostname or ""):
        return None
    return getproxies().get(server.scheme)
