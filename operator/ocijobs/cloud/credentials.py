"""API keys from the Secret of an OCIIdentity: parsed, checked, and kept in memory with what they may be used for."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from ocijobs.api.shared.metadata import IdentityReference
from ocijobs.api.shared.model import OCID_PATTERN

REQUIRED_KEYS = ("user", "tenancy", "fingerprint", "privatekey")
"""Keys that the Secret must have. OCI's own service operator uses the same names."""

OPTIONAL_KEYS = ("region", "passphrase")
"""Keys that the Secret may have in addition."""

_OCID = re.compile(OCID_PATTERN)
_REGION = re.compile("[a-z0-9-]{1,63}")


class IdentityKey(NamedTuple):
    """An identity in a cluster."""

    kind: str
    namespace: str
    name: str


def identity_key(namespace: str, reference: IdentityReference) -> IdentityKey:
    """Return the identity that a reference in a namespace means."""
    return IdentityKey(kind=reference.kind, namespace=namespace, name=reference.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """An API key, to sign calls as an IAM user. The private key, a PEM file without passphrase, is not in `repr`."""

    version: str
    user: str
    tenancy: str
    fingerprint: str
    region: str | None
    private_key: str = field(repr=False)


class CredentialsError(ValueError):
    """The Secret has no valid API key; the message names the key of the Secret and what is wrong with it."""


def parse_api_key(data: Mapping[str, bytes], *, region: str | None, version: str) -> ApiKey:
    """Return the API key in the data of a Secret.

    Args:
        data: of the Secret, decoded.
        region: from the identity's spec; by default the Secret's own.
        version: identifies this content.

    Raises:
        CredentialsError: if a key is missing or malformed, or the fingerprint is that of another private key.
    """
    text = _text(data)
    if missing := [name for name in REQUIRED_KEYS if not text.get(name)]:
        raise CredentialsError(f"the Secret has no key {', '.join(map(repr, missing))}")
    _check_forms(text)
    key = _load(text["privatekey"], text.get("passphrase"))
    found = _fingerprint(key)
    if found != text["fingerprint"].lower():
        raise CredentialsError(
            f"key 'fingerprint' of the Secret is {text['fingerprint']}, but that of its privatekey is {found}"
        )
    unlocked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return ApiKey(
        version=version,
        user=text["user"],
        tenancy=text["tenancy"],
        fingerprint=found,
        region=region or text.get("region") or None,
        private_key=unlocked.decode(),
    )


def _text(data: Mapping[str, bytes]) -> dict[str, str]:
    """Return the values that are needed, as text; other keys of the Secret are ignored."""
    text: dict[str, str] = {}
    for name in (*REQUIRED_KEYS, *OPTIONAL_KEYS):
        try:
            text[name] = data.get(name, b"").decode().strip()
        except UnicodeDecodeError as error:
            raise CredentialsError(f"key {name!r} of the Secret is not text") from error
    return text


def _check_forms(text: Mapping[str, str]) -> None:
    """Refuse a key that the SDK could not use: the SDK's error would appear in our log only."""
    forms = (
        ("user", _OCID, "OCID such as ocid1.user.oc1..aaaa"),
        ("tenancy", _OCID, "OCID such as ocid1.tenancy.oc1..aaaa"),
        ("region", _REGION, "region such as us-ashburn-1"),
    )
    for name, form, what in forms:
        value = text[name]
        if value and not form.fullmatch(value):
            raise CredentialsError(f"key {name!r} of the Secret is {value!r}, and no {what}")


def _load(private_key: str, passphrase: str | None) -> RSAPrivateKey:
    where = "key 'privatekey' of the Secret"
    try:
        key = load_pem_private_key(
            private_key.encode(), passphrase.encode() if passphrase else None
        )
    except TypeError as error:
        raise CredentialsError(
            f"{where} is not encrypted, but there is a key 'passphrase': remove it"
            if passphrase
            else f"{where} is encrypted, and key 'passphrase' is missing"
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        hint = ", or its key 'passphrase' is wrong" if passphrase else ""
        raise CredentialsError(f"{where} is not a PEM key{hint}") from error
    if not isinstance(key, RSAPrivateKey):
        raise CredentialsError(f"{where} is not an RSA key, which OCI requires")
    return key


def _fingerprint(key: RSAPrivateKey) -> str:
    """Return the fingerprint that OCI gives a key: MD5 of its public part, in DER form."""
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    digest = hashlib.md5(public, usedforsecurity=False).hexdigest()
    return ":".join(digest[i : i + 2] for i in range(0, len(digest), 2))


class CredentialStore:
    """The credentials in memory, by identity, and what they may be used for.

    Those whose Secret exists may be used for everything; those whose Secret is gone only to read and to end.
    """

    def __init__(self) -> None:
        self._keys: dict[IdentityKey, ApiKey] = {}
        self._starting: set[IdentityKey] = set()

    def put(self, key: IdentityKey, credentials: ApiKey) -> None:
        """Keep the key of a Secret, instead of the former one."""
        self._keys[key] = credentials
        self._starting.add(key)

    def keep_copy(self, key: IdentityKey, credentials: ApiKey) -> None:
        """Keep a copy whose Secret was not read or is gone, unless there are credentials already."""
        self._keys.setdefault(key, credentials)

    def keep_to_end(self, key: IdentityKey) -> None:
        """Allow the credentials to start nothing any more: their Secret is gone."""
        self._starting.discard(key)

    def get(self, key: IdentityKey, *, starts: bool = False) -> ApiKey | None:
        """Return the credentials of an identity, or None; with `starts` only if their Secret exists."""
        return None if starts and key not in self._starting else self._keys.get(key)

    def forget(self, key: IdentityKey) -> None:
        """Drop the credentials of an identity that nothing needs any more."""
        self._keys.pop(key, None)
        self._starting.discard(key)
