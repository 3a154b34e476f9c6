"""API keys, from the Secret of an OCIIdentity: parsed, checked, and kept in memory while they are needed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from ocijobs.api.identity import IdentityReference

REQUIRED_KEYS = ("user", "tenancy", "fingerprint", "privatekey")
"""Keys that the Secret must have; `region` and `passphrase` may be there too. OCI's own service operator uses the
same names."""


class IdentityKey(NamedTuple):
    """An identity in a cluster."""

    kind: str
    namespace: str
    name: str


def identity_key(namespace: str, reference: IdentityReference) -> IdentityKey:
    """Return which identity a reference in a namespace means."""
    return IdentityKey(kind=reference.kind, namespace=namespace, name=reference.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """What signs calls as an IAM user. Secrets are not in `repr`."""

    version: str
    user: str
    tenancy: str
    fingerprint: str
    region: str | None
    private_key: str = field(repr=False)
    passphrase: str | None = field(repr=False)


class CredentialsError(ValueError):
    """The Secret's content is no API key; the message names the key of the Secret and what is wrong with it."""


def parse_api_key(data: Mapping[str, bytes], *, region: str | None, version: str) -> ApiKey:
    """Return the API key that the data of a Secret is.

    Args:
        data: of the Secret, decoded.
        region: from the identity's spec; by default the Secret's own.
        version: names this content.

    Raises:
        CredentialsError: if a key is missing, is no text, or the private key is not the fingerprint's.
    """
    text: dict[str, str] = {}
    for name, value in data.items():
        try:
            text[name] = value.decode().strip()
        except UnicodeDecodeError as error:
            raise CredentialsError(f"key {name!r} of the Secret is no text") from error
    if missing := [name for name in REQUIRED_KEYS if not text.get(name)]:
        raise CredentialsError(f"the Secret has no key {', '.join(map(repr, missing))}")
    passphrase = text.get("passphrase") or None
    found = _fingerprint(text["privatekey"], passphrase)
    if found != text["fingerprint"].lower():
        raise CredentialsError(
            f"key 'fingerprint' of the Secret is {text['fingerprint']}, but that of its privatekey is {found}"
        )
    return ApiKey(
        version=version,
        user=text["user"],
        tenancy=text["tenancy"],
        fingerprint=found,
        region=region or text.get("region") or None,
        private_key=text["privatekey"],
        passphrase=passphrase,
    )


def _fingerprint(private_key: str, passphrase: str | None) -> str:
    """Return the fingerprint that OCI gives a key: MD5 of its public part, in DER form."""
    password = passphrase.encode() if passphrase else None
    try:
        key = load_pem_private_key(private_key.encode(), password)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        hint = "" if passphrase else ", or is encrypted and key 'passphrase' is missing"
        raise CredentialsError(f"key 'privatekey' of the Secret is no PEM key{hint}") from error
    if not isinstance(key, RSAPrivateKey):
        raise CredentialsError("key 'privatekey' of the Secret is no RSA key, which OCI needs")
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    digest = hashlib.md5(public, usedforsecurity=False).hexdigest()
    return ":".join(digest[i : i + 2] for i in range(0, len(digest), 2))


class CredentialStore:
    """The credentials in memory, by identity. They stay when their Secret goes."""

    def __init__(self) -> None:
        self._keys: dict[IdentityKey, ApiKey] = {}

    def put(self, key: IdentityKey, credentials: ApiKey) -> None:
        """Keep credentials in place of former ones."""
        self._keys[key] = credentials

    def get(self, key: IdentityKey) -> ApiKey | None:
        """Return the credentials of an identity, or None."""
        return self._keys.get(key)

    def forget(self, key: IdentityKey) -> None:
        """Drop the credentials of an identity that is gone."""
        self._keys.pop(key, None)
