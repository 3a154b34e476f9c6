"""Which addresses sources may come from.

The fetcher fetches what users name, with the network of its pod. If that network reaches the metadata service of the
machine, a source could read the credentials of the machine. So some networks are refused, after a name is resolved to
its address.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from ocijobs.artifact.files import SourceMissingError, SourceUnreachableError

Address = IPv4Address | IPv6Address


class AllowedAddresses(AbstractResolver):
    """Resolves names, and refuses addresses of denied networks."""

    def __init__(self, denied: Iterable[str]) -> None:
        self._denied = tuple(ip_network(network) for network in denied)
        self._resolver: AbstractResolver | None = None

    def check(self, host: str, address: str) -> None:
        """Refuse an address of a denied network.

        Raises:
            SourceMissingError: naming host and address.
        """
        found = ip_address(address.partition("%")[0])
        plain = found.ipv4_mapped if isinstance(found, IPv6Address) else None
        candidates: tuple[Address, ...] = (found, plain) if plain is not None else (found,)
        if any(each in network for each in candidates for network in self._denied):
            raise SourceMissingError(
                f"sources may not come from {host} ({address}): the setting sourceDeniedNetworks "
                "refuses its network"
            )

    def check_literal(self, host: str) -> None:
        """Refuse a host that is itself an address of a denied network.

        Raises:
            SourceMissingError: naming it.
        """
        try:
            ip_address(host)
        except ValueError:
            return
        self.check(host, host)

    async def addresses(self, host: str, port: int) -> list[str]:
        """Return the allowed addresses of a host.

        Raises:
            SourceMissingError: if one of them is denied.
            SourceUnreachableError: if the name can't be resolved.
        """
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise SourceUnreachableError(f"host {host} can't be found: {error.strerror}") from error
        addresses = list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))
        for address in addresses:
            self.check(host, address)
        return addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Resolve a name, as aiohttp asks for it.

        Raises:
            SourceMissingError: if an address is denied.
        """
        if self._resolver is None:
            self._resolver = ThreadedResolver()
        found = await self._resolver.resolve(host, port, family)
        for result in found:
            self.check(host, result["host"])
        return found

    async def close(self) -> None:
        """Close the resolver."""
        if self._resolver is not None:
            await self._resolver.close()
