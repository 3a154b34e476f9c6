"""Secrets, made through the control API: the Vault service, which makes them, is not here."""

import base64
import binascii
from collections.abc import Sequence

from oci_emulator.control.call import ControlCall, Route
from oci_emulator.formats.jsontypes import JsonObject
from oci_emulator.services.foundation import Foundation
from oci_emulator.services.secrets.store import Secrets


class SecretControl:
    """Makes secrets and new versions of them."""

    def __init__(self, foundation: Foundation, secrets: Secrets) -> None:
        self._foundation = foundation
        self._secrets = secrets

    def routes(self) -> Sequence[Route]:
        """What it answers."""
        return (("PUT", "secrets/{name}", self._put),)

    def _put(self, call: ControlCall) -> JsonObject:
        """A secret, or a new version of it: ``content`` as text, or ``base64``; ``compartmentId``.

        Raises:
            ValueError: neither is there, or one can't be used.
        """
        compartment = call.body.get("compartmentId", self._foundation.tenancy.id)
        if not self._foundation.compartments.chain(str(compartment)):
            raise ValueError(f"compartmentId: there is no compartment {compartment!r}")
        secret = self._secrets.put(
            call.path["name"],
            _content(call.body),
            now=self._foundation.clock.now(),
            compartment=compartment,
        )
        return {
            "id": secret.id,
            "vaultId": secret.parent,
            "versionNumber": len(secret.inner["versions"]),
        }


def _content(body: JsonObject) -> bytes:
    match body:
        case {"content": str() as text}:
            return text.encode()
        case {"base64": str() as text}:
            try:
                return base64.b64decode(text, validate=True)
            except binascii.Error as error:
                raise ValueError(f"base64: {error}") from None
    raise ValueError("content: the secret as text, or base64: its bytes")
