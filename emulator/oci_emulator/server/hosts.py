"""Host names of the real services, as clients use them through the proxy."""

import re

DOMAINS = ("oraclecloud.com", "customer-oci.com")
"""The domains of the commercial realm."""

_NAME = re.compile(r"(?:[a-z0-9-]{1,63}\.)+[a-z]{2,}")


def is_ours(host: str) -> bool:
    """Whether a host name is one of the emulated cloud's."""
    name = host.lower()
    return _NAME.fullmatch(name) is not None and name.endswith(
        tuple(f".{domain}" for domain in DOMAINS)
    )


def serves(host: str, service_host: str, region: str) -> bool:
    """Whether a host name is the service's in the region.

    ``service_host``: the labels before the region, such as ``ingestion.logging``. A namespace may
    stand before them.
    """
    pattern = rf"(?:[a-z0-9-]+\.)?{re.escape(service_host)}\.{re.escape(region)}\..+"
    return re.fullmatch(pattern, host.lower()) is not None
