"""API keys as users upload them: PEM files of a made-up user."""

import hashlib
from functools import cache

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

USER = "ocid1.user.oc1..aaaauser"
TENANCY = "ocid1.tenancy.oc1..aaaatenancy"


@cache
def private_key() -> rsa.RSAPrivateKey:
    """Return the key of all tests."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | None = None,
    *,
    passphrase: str | None = None,
    form: PrivateFormat = PrivateFormat.PKCS8,
) -> bytes:
    """Return a private key as a PEM file."""
    encryption = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    return (key or private_key()).private_bytes(Encoding.PEM, form, encryption)


def fingerprint() -> str:
    """Return what `openssl rsa -pubout -outform DER | openssl md5 -c` prints."""
    public = private_key().public_key()
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.md5(der, usedforsecurity=False).digest().hex(":")


def secret(**changes: bytes | None) -> dict[str, bytes]:
    """Return the data of a Secret that is a valid API key; None removes a key."""
    data: dict[str, bytes | None] = {
        "user": USER.encode(),
        "tenancy": TENANCY.encode(),
        "fingerprint": fingerprint().encode(),
        "privatekey": pem(),
        "region": b"us-ashburn-1",
        **changes,
    }
    return {name: value for name, value in data.items() if value is not None}
