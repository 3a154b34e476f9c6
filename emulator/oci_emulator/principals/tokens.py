"""Security tokens of resource principals: issued to runs, verified on their requests.

A token is a JWT that the emulator signs and that holds the public key of the run's session key.
A request with ``keyId="ST$<token>"`` is signed by that session key.
"""

import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import rsa

from oci_emulator.calls.errors import not_authenticated
from oci_emulator.calls.principal import Principal
from oci_emulator.certificates import keys

ISSUER = "authService.oracle.com"
RUN_TYPE = "datasciencejobrun"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What a resource principal needs to sign: a token and its key, in PEM."""

    token: str
    private_key: str


class TokenService:
    """Issues and verifies tokens.

    Args:
        key: gives the emulator's own signing key, when it is needed.
        tenancy: the OCID of the tenancy, which all its principals belong to.
    """

    def __init__(self, key: Callable[[], rsa.RSAPrivateKey], tenancy: str) -> None:
        self._key = key
        self._tenancy = tenancy

    def issue(self, run: str, compartment: str, lifetime: float) -> Session:
        """A token for a run, with a new session key; takes a tenth of a second.

        ``lifetime``: seconds in real time, as clients hold the expiry against their own clocks.
        """
        principal = Principal(
            kind="resource",
            id=run,
            tenancy=self._tenancy,
            compartment=compartment,
            resource_type=RUN_TYPE,
        )
        return self.delegate(principal, lifetime)

    def delegate(self, principal: Principal, lifetime: float) -> Session:
        """A token with which a run acts as a principal: itself, or who created it."""
        session_key = keys.generate()
        token = self.sign(principal, session_key.public_key(), lifetime)
        return Session(token=token, private_key=keys.private_pem(session_key))

    def sign(self, principal: Principal, key: rsa.RSAPublicKey, lifetime: float) -> str:
        """A token for a principal whose requests will be signed by the session key.

        ``lifetime``: seconds in real time.
        """
        import jwt  # noqa: PLC0415  # when it is first needed: many emulators never do

        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "sub": principal.id,
            "aud": "oci",
            "ttype": "res_sp",
            "res_id": principal.id,
            "res_type": principal.resource_type,
            "res_tenant": self._tenancy,
            "res_compartment": principal.compartment,
            "opc-tenant": self._tenancy,
            "facts": dict(principal.facts),
            "kind": principal.kind,
            "groups": sorted(principal.groups),
            "jwk": json.dumps(keys.jwk(key, principal.id)),
            "jti": str(uuid.uuid4()),
            "iat": now,
            "exp": now + int(lifetime),
        }
        return jwt.encode(claims, self._key(), algorithm="RS256", headers={"kid": "asw"})

    def verify(self, token: str) -> tuple[Principal, rsa.RSAPublicKey, float]:
        """The principal of a token, the key that its requests are signed with, and the expiry.

        Raises:
            ServiceError: 401, the token wasn't issued here, has expired or is none at all.
        """
        import jwt  # noqa: PLC0415  # when it is first needed: many emulators never do

        try:
            claims = jwt.decode(
                token, self._key().public_key(), algorithms=["RS256"], audience="oci", issuer=ISSUER
            )
        except jwt.InvalidTokenError as error:
            raise not_authenticated(f"The security token isn't valid: {error}.") from None
        principal = Principal(
            kind=claims.get("kind", "resource"),
            id=claims["sub"],
            tenancy=claims["res_tenant"],
            groups=frozenset(claims.get("groups", ())),
            compartment=claims["res_compartment"],
            resource_type=claims["res_type"],
            facts=claims["facts"],
        )
        return principal, keys.from_jwk(json.loads(claims["jwk"])), float(claims["exp"])
