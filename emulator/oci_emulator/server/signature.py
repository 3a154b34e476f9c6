"""Request signatures: the Cavage draft in the form in which OCI uses it.

``Authorization: Signature version="1",keyId="…",algorithm="rsa-sha256",headers="date
(request-target) host …",signature="…"``. What is signed is a line for each named header; bodies
are covered by ``x-content-sha256``, which is checked when the body was read.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from oci_emulator.calls.errors import ServiceError, not_authenticated

_PARAMETER = re.compile(r'(\w+)="([^"]*)"')
_ALWAYS = ("(request-target)", "host")
_BODY = ("content-length", "content-type", "x-content-sha256")
_METHODS_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """An ``Authorization`` header, taken apart."""

    key_id: str
    headers: tuple[str, ...]
    signature: bytes


def parse(authorization: str | None) -> Signed:
    """Take an ``Authorization`` header apart.

    Raises:
        ServiceError: 401, there is none or it is of another form.
    """
    if not authorization or not authorization.isascii():
        raise not_authenticated("The request has no Authorization header: it must be signed.")
    scheme, _, rest = authorization.partition(" ")
    found = dict(_PARAMETER.findall(rest))
    if scheme.lower() != "signature" or not {"keyId", "headers", "signature"} <= found.keys():
        raise not_authenticated("The Authorization header is not a signature of OCI's form.")
    if found.get("algorithm") != "rsa-sha256":
        raise not_authenticated("The signature's algorithm must be rsa-sha256.")
    try:
        signature = base64.b64decode(found["signature"], validate=True)
    except (binascii.Error, ValueError):
        raise not_authenticated("The signature is no base64.") from None
    return Signed(
        key_id=found["keyId"],
        headers=tuple(found["headers"].lower().split()),
        signature=signature,
    )


def check_coverage(
    signed: Signed, method: str, headers: Mapping[str, str], *, streamed: bool
) -> None:
    """Check that all is signed that must be.

    ``streamed``: the operation's body is content, whose hash need not be signed.

    Raises:
        ServiceError: 401, a header isn't signed or isn't there.
    """
    required = list(_ALWAYS)
    if method in _METHODS_WITH_BODY and not streamed:
        required += _BODY
    unsigned = [name for name in required if name not in signed.headers]
    if unsigned:
        raise not_authenticated(f"Not signed, but must be: {', '.join(unsigned)}.")
    if not {"date", "x-date"} & set(signed.headers):
        raise not_authenticated("Neither date nor x-date is signed.")
    absent = [name for name in signed.headers if name[0] != "(" and name not in headers]
    if absent:
        raise not_authenticated(f"Signed, but not sent: {', '.join(absent)}.")


def check_date(signed: Signed, headers: Mapping[str, str], *, now: float, skew: float) -> None:
    """Check that the request is of now.

    Raises:
        ServiceError: 401, it is too old, too new, or has no readable date.
    """
    text = headers["x-date" if "x-date" in signed.headers else "date"]
    try:
        sent = parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        raise not_authenticated(f"The request's date {text!r} can't be read.") from None
    if abs(sent - now) > skew:
        raise not_authenticated(
            f"The request's date {text!r} is {abs(sent - now):.0f} s from the server's time;"
            f" {skew:.0f} s are allowed."
        )


def check_signature(
    signed: Signed, key: RSAPublicKey, method: str, target: str, headers: Mapping[str, str]
) -> None:
    """Check the signature itself.

    ``target``: path and query, as they were sent.

    Raises:
        ServiceError: 401, the key didn't sign this.
    """
    lines = [
        f"{name}: {method.lower()} {target}"
        if name == "(request-target)"
        else f"{name}: {headers[name]}"
        for name in signed.headers
    ]
    try:
        key.verify(
            signed.signature,
            "\n".join(lines).encode(errors="surrogateescape"),
            PKCS1v15(),
            SHA256(),
        )
    except InvalidSignature:
        raise not_authenticated("The signature is not that of the key.") from None


def body_hash_mismatch() -> ServiceError:
    """401: the body is not the one that was signed."""
    return not_authenticated("The body is not the one whose x-content-sha256 was signed.")
