"""Oracle Cloud identifiers: ``ocid1.<type>.oc1.<region key>.<unique>``."""

import base64
import secrets

_UNIQUE_BYTES = 35
_LEAST_PARTS = 5
_GLOBAL = frozenset({"compartment", "tenancy", "user", "group", "dynamicgroup", "policy"})
"""Types of the Identity service, which is global: their OCIDs name no region."""


def new(resource_type: str, region_key: str) -> str:
    """A fresh OCID of the type, such as ``datasciencejob``."""
    unique = base64.b32encode(secrets.token_bytes(_UNIQUE_BYTES)).decode().lower().rstrip("=")
    place = "" if resource_type in _GLOBAL else region_key
    return f"ocid1.{resource_type}.oc1.{place}.amaaaaaa{unique[:52]}"


def type_of(ocid: str) -> str:
    """The type in an OCID, or an empty string if the text is none."""
    parts = ocid.split(".")
    return parts[1] if len(parts) >= _LEAST_PARTS and parts[0] == "ocid1" else ""
