"""Where sources may come from: not from the operator's own machine, and not from the service that has its keys."""

import asyncio

import pytest

from ocijobs.artifact.addresses import AllowedAddresses
from ocijobs.artifact.files import SourceMissingError, SourceUnreachableError
from ocijobs.settings import Settings

DENIED = AllowedAddresses(Settings().source_denied_networks)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "127.8.8.8", "169.254.169.254", "::1", "fe80::1%eth0", "::ffff:169.254.169.254"],
)
def test_addresses_of_denied_networks_are_refused(address: str) -> None:
    with pytest.raises(SourceMissingError, match="sourceDeniedNetworks"):
        DENIED.check("somewhere", address)
    with pytest.raises(SourceMissingError):
        DENIED.check_literal(address)


@pytest.mark.parametrize("address", ["10.0.0.1", "192.168.1.1", "140.82.121.3", "fd00::1"])
def test_other_addresses_are_taken(address: str) -> None:
    DENIED.check("somewhere", address)
    DENIED.check_literal(address)
    DENIED.check_literal("example.com")


def test_a_name_is_refused_by_the_address_that_it_turns_out_to_be() -> None:
    with pytest.raises(SourceMissingError, match="localhost"):
        asyncio.run(DENIED.addresses("localhost", 80))
    with pytest.raises(SourceMissingError, match="localhost"):
        asyncio.run(DENIED.resolve("localhost", 80))


def test_a_name_that_there_is_not_is_unreachable() -> None:
    with pytest.raises(
        SourceUnreachableError, match=r"host no\.such\.host\.invalid can't be found"
    ):
        asyncio.run(DENIED.addresses("no.such.host.invalid", 80))
