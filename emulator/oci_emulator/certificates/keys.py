"""RSA keys of users, runs and the emulator, and how they are written."""

import base64
import hashlib
import os
import threading
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

BITS = 2048


def generate() -> rsa.RSAPrivateKey:
    """A new key."""
    return rsa.generate_private_key(public_exponent=65537, key_size=BITS)


class KeyFile:
    """A key in a file, which is made when it is first needed; for any thread.

    Args:
        path: where the key is, or will be.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._key: rsa.RSAPrivateKey | None = None
        self._lock = threading.Lock()

    def key(self) -> rsa.RSAPrivateKey:
        """The key.

        Raises:
            ValueError: the file holds something else.
        """
        with self._lock:
            if self._key is None:
                self._key = self._load_or_make()
            return self._key

    def _load_or_make(self) -> rsa.RSAPrivateKey:
        if self._path.exists():
            return load_private(self._path.read_text(encoding="ascii"))
        key = generate()
        # A kill of the emulator must not leave half a key.
        unfinished = self._path.with_name(f"{self._path.name}.new")
        write_private(unfinished, private_pem(key))
        unfinished.rename(self._path)
        return key


def private_pem(key: rsa.RSAPrivateKey) -> str:
    """The key in the form in which SDKs read it."""
    return key.private_bytes(
        Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
    ).decode()


def public_pem(key: rsa.RSAPublicKey) -> str:
    """The public key as OCI's console shows it."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def load_public(pem: str) -> rsa.RSAPublicKey:
    """Read a public key.

    Raises:
        ValueError: it is no RSA public key.
    """
    key = load_pem_public_key(pem.encode())
    if not isinstance(key, rsa.RSAPublicKey):
        raise ValueError("an API key must be an RSA key")  # noqa: TRY004  # text, not a type
    return key


def load_private(pem: str) -> rsa.RSAPrivateKey:
    """Read a private key that was written here.

    Raises:
        ValueError: it is no RSA private key.
    """
    # Validation takes as long as making a key, and protects from keys that others have made.
    key = load_pem_private_key(pem.encode(), password=None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("the key must be an RSA key")  # noqa: TRY004  # text, not a type
    return key


def fingerprint(key: rsa.RSAPublicKey) -> str:
    """The fingerprint by which a request names its key: MD5 of the DER form, as OCI has it."""
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    digest = hashlib.md5(der, usedforsecurity=False).hexdigest()
    return ":".join(digest[index : index + 2] for index in range(0, len(digest), 2))


def jwk(key: rsa.RSAPublicKey, key_id: str) -> dict[str, str]:
    """The public key as a JSON Web Key."""
    numbers = key.public_numbers()
    return {"kty": "RSA", "kid": key_id, "n": _base64url(numbers.n), "e": _base64url(numbers.e)}


def from_jwk(document: dict[str, str]) -> rsa.RSAPublicKey:
    """The public key of a JSON Web Key."""
    modulus, exponent = _number(document["n"]), _number(document["e"])
    return rsa.RSAPublicNumbers(exponent, modulus).public_key()


def _base64url(number: int) -> str:
    content = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _number(text: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")


def write_private(path: Path, content: str) -> None:
    """Write a file that only its owner can read, from its first moment on."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(content)
