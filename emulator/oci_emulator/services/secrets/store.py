"""The secrets of a vault, and their versions.

Making secrets is the Vault service's, which is not here: the control API makes them.
"""

import base64

from oci_emulator.formats.jsontypes import JsonObject
from oci_emulator.services.foundation import Foundation
from oci_emulator.state.resources import Resource, Selection
from oci_emulator.time.clock import timestamp

KIND = "secret"


class Secrets:
    """Secrets by vault and name; each change of the content is a new version."""

    def __init__(self, foundation: Foundation) -> None:
        self._foundation = foundation

    def put(
        self, name: str, content: bytes, *, now: float, vault: str = "", compartment: str = ""
    ) -> Resource:
        """Make a secret, or a new version of it.

        ``vault``: the OCID of its vault; the one that is there from the beginning by default.
        ``compartment``: where a new secret is made; the root by default.
        """
        vault = vault or self.vault()
        secret = self.named(vault, name)
        if secret is None:
            secret = self._add(name, vault, compartment or self._foundation.tenancy.id, now)
        versions = secret.inner["versions"]
        version = {
            "versionNumber": len(versions) + 1,
            "timeCreated": timestamp(now),
            "content": base64.b64encode(content).decode(),
        }
        secret.inner["versions"] = [*versions, version]
        return self._foundation.save(secret)

    def _add(self, name: str, vault: str, compartment: str, now: float) -> Resource:
        identifier = self._foundation.new_ocid("vaultsecret")
        return self._foundation.add(
            Resource(
                id=identifier,
                kind=KIND,
                compartment=compartment,
                parent=vault,
                created=now,
                body={
                    "id": identifier,
                    "name": name,
                    "vaultId": vault,
                    "compartmentId": compartment,
                    "timeCreated": timestamp(now),
                    "lifecycleState": "ACTIVE",
                },
                inner={"versions": []},
            )
        )

    def vault(self) -> str:
        """The OCID of the vault that is there from the beginning."""
        known = self._foundation.database.fact("vault")
        if known is None:
            known = self._foundation.new_ocid("vault")
            self._foundation.database.set_fact("vault", known)
        return known

    def named(self, vault: str, name: str) -> Resource | None:
        """The secret of a name in a vault."""
        selection = Selection(kind=KIND, equal={"parent": vault, "name": name}, limit=1)
        found = self._foundation.resources.select(selection)
        return found[0] if found else None


def bundle(secret: Resource, number: int, *, content: bool = True) -> JsonObject:
    """A version as clients see it, with its stages.

    ``number``: 1 is the first version.
    """
    versions = secret.inner["versions"]
    version = versions[number - 1]
    shown = {
        "secretId": secret.id,
        "versionNumber": number,
        "timeCreated": version["timeCreated"],
        "stages": stages(number, len(versions)),
    }
    if content:
        shown["secretBundleContent"] = {"contentType": "BASE64", "content": version["content"]}
    return shown


def stages(number: int, newest: int) -> list[str]:
    """The rotation states of a version."""
    if number == newest:
        return ["CURRENT", "LATEST"]
    return ["PREVIOUS"] if number == newest - 1 else ["DEPRECATED"]
