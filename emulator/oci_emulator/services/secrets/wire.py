"""The operations of Secret Retrieval."""

from collections.abc import Mapping

from oci_emulator.calls.call import Answer, Call, Endpoint
from oci_emulator.calls.errors import invalid, not_found
from oci_emulator.calls.paging import MAXIMUM, items_page
from oci_emulator.services.foundation import Foundation
from oci_emulator.services.secrets.store import KIND, Secrets, bundle, stages
from oci_emulator.state.resources import Resource

BUNDLES = "secret-bundles"


class SecretRetrieval:
    """Reads secrets."""

    def __init__(self, foundation: Foundation, secrets: Secrets) -> None:
        self._foundation = foundation
        self._secrets = secrets

    def endpoints(self) -> Mapping[str, Endpoint]:
        """The operations."""
        return {
            "GetSecretBundle": Endpoint(handle=self.get, verb="read", family=BUNDLES),
            "GetSecretBundleByName": Endpoint(handle=self.by_name, verb="read", family=BUNDLES),
            "ListSecretBundleVersions": Endpoint(
                handle=self.versions, verb="inspect", family=BUNDLES
            ),
        }

    def get(self, call: Call) -> Answer:
        """GetSecretBundle: the current version, or the one that the query names."""
        return _answer(call, self._foundation.find(call, KIND, call.path["secretId"]))

    def by_name(self, call: Call) -> Answer:
        """GetSecretBundleByName."""
        secret = self._secrets.named(call.query["vaultId"], call.query["secretName"])
        if secret is None:
            raise not_found(f"secret {call.query['secretName'][:255]}")
        call.require(secret.compartment)
        return _answer(call, secret)

    def versions(self, call: Call) -> Answer:
        """ListSecretBundleVersions: the newest first, unless sortOrder says ASC."""
        secret = self._foundation.find(call, KIND, call.path["secretId"])
        numbers = range(1, len(secret.inner["versions"]) + 1)
        if call.query.get("sortOrder") != "ASC":
            numbers = numbers[::-1]
        shown = [bundle(secret, number, content=False) for number in numbers]
        return items_page(shown, call, default_limit=MAXIMUM)


def _answer(call: Call, secret: Resource) -> Answer:
    number = _number(call, len(secret.inner["versions"]))
    return Answer(body=bundle(secret, number), headers={"etag": secret.etag}, resource=secret.id)


def _number(call: Call, newest: int) -> int:
    """The version that a query names.

    Raises:
        ServiceError: 400, it names several; 404, there is none like that.
    """
    wanted = [
        name for name in ("versionNumber", "secretVersionName", "stage") if name in call.query
    ]
    if len(wanted) > 1:
        raise invalid(f"{wanted[1]}: a version is named by one of {', '.join(wanted)}")
    if not wanted:
        return newest
    value = call.query[wanted[0]]
    if wanted == ["stage"]:
        fitting = [number for number in range(newest, 0, -1) if value in stages(number, newest)]
    else:
        # Versions made here have no names.
        fitting = [value] if wanted == ["versionNumber"] and 1 <= value <= newest else []
    if not fitting:
        raise not_found(f"version {str(value)[:255]}")
    return int(fitting[0])
