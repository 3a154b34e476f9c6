"""The users and their API keys, and the principal behind a request's key."""

import time
from collections.abc import Iterable

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from oci_emulator.calls.errors import not_authenticated
from oci_emulator.calls.principal import Principal
from oci_emulator.certificates import keys
from oci_emulator.formats import ocid
from oci_emulator.principals.tokens import TokenService
from oci_emulator.state.resources import Resource, Resources
from oci_emulator.time.clock import timestamp

KIND = "user"
_REMEMBERED = 1000


class Directory:
    """Knows every principal.

    Args:
        tenancy: the OCID of the tenancy.
    """

    def __init__(self, resources: Resources, tokens: TokenService, tenancy: str) -> None:
        self._resources = resources
        self._tokens = tokens
        self._tenancy = tenancy
        self._known: dict[str, tuple[Principal, RSAPublicKey, float]] = {}

    def add_user(
        self,
        name: str,
        groups: Iterable[str],
        key: RSAPublicKey,
        created: float,
        identifier: str = "",
    ) -> Resource:
        """Make a user with one API key.

        ``identifier``: the OCID; a new one by default.
        """
        identifier = identifier or ocid.new("user", "")
        return self._resources.add(
            Resource(
                id=identifier,
                kind=KIND,
                compartment=self._tenancy,
                created=created,
                body={
                    "id": identifier,
                    "compartmentId": self._tenancy,
                    "name": name,
                    "description": name,
                    "timeCreated": timestamp(created),
                    "lifecycleState": "ACTIVE",
                    "isMfaActivated": False,
                    "freeformTags": {},
                    "definedTags": {},
                },
                inner={
                    "groups": sorted(groups),
                    "keys": {keys.fingerprint(key): keys.public_pem(key)},
                },
            )
        )

    def authenticate(self, key_id: str) -> tuple[Principal, RSAPublicKey]:
        """The principal behind a signature's ``keyId`` and the key that it must have signed with.

        Raises:
            ServiceError: 401, nobody has that key.
        """
        known = self._known.get(key_id)
        if known is None or known[2] < time.time():
            known = self._look_up(key_id)
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[key_id] = known
        return known[0], known[1]

    def _look_up(self, key_id: str) -> tuple[Principal, RSAPublicKey, float]:
        if key_id.startswith("ST$"):
            return self._tokens.verify(key_id[3:])
        tenancy, _, rest = key_id.partition("/")
        identifier, _, fingerprint = rest.partition("/")
        user = self._resources.get(KIND, identifier)
        pem = user.inner["keys"].get(fingerprint) if user else None
        if user is None or pem is None or tenancy != self._tenancy:
            raise not_authenticated("No user of this tenancy has the key that keyId names.")
        principal = Principal(
            kind="user",
            id=user.id,
            tenancy=tenancy,
            groups=frozenset(user.inner["groups"]),
        )
        return principal, keys.load_public(pem), float("inf")
