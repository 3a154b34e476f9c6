"""Signatures: what must be signed, by whom, and when."""

import base64
import time
from email.utils import formatdate

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from oci_emulator.calls.errors import ServiceError
from oci_emulator.certificates import keys
from oci_emulator.server import signature

TARGET = "/20190101/jobs?compartmentId=c"
GET = ("date", "(request-target)", "host")
POST = (*GET, "content-length", "content-type", "x-content-sha256")


@pytest.fixture(scope="module")
def key() -> RSAPrivateKey:
    return keys.generate()


def sign(
    key: RSAPrivateKey, method: str, target: str, headers: dict[str, str], names: tuple[str, ...]
) -> str:
    lines = [
        f"{name}: {method.lower()} {target}" if name[0] == "(" else f"{name}: {headers[name]}"
        for name in names
    ]
    signed = base64.b64encode(key.sign("\n".join(lines).encode(), PKCS1v15(), SHA256())).decode()
    return (
        f'Signature algorithm="rsa-sha256",headers="{" ".join(names)}",keyId="t/u/f",'
        f'signature="{signed}",version="1"'
    )


def headers_at(moment: float) -> dict[str, str]:
    return {"date": formatdate(moment, usegmt=True), "host": "localhost:1"}


def test_what_the_key_signed_is_accepted(key: RSAPrivateKey) -> None:
    headers = headers_at(time.time())
    signed = signature.parse(sign(key, "GET", TARGET, headers, GET))
    assert signed.key_id == "t/u/f"
    signature.check_coverage(signed, "GET", headers, streamed=False)
    signature.check_signature(signed, key.public_key(), "GET", TARGET, headers)


@pytest.mark.parametrize(
    ("method", "target", "host"),
    [
        ("DELETE", TARGET, "localhost:1"),
        ("GET", f"{TARGET}x", "localhost:1"),
        ("GET", TARGET, "elsewhere"),
    ],
    ids=["another method", "another query", "another host"],
)
def test_what_the_key_did_not_sign_is_refused(
    key: RSAPrivateKey, method: str, target: str, host: str
) -> None:
    headers = headers_at(time.time())
    signed = signature.parse(sign(key, "GET", TARGET, headers, GET))
    with pytest.raises(ServiceError, match="401 NotAuthenticated"):
        signature.check_signature(
            signed, key.public_key(), method, target, {**headers, "host": host}
        )


def test_another_key_is_refused(key: RSAPrivateKey) -> None:
    headers = headers_at(time.time())
    signed = signature.parse(sign(key, "GET", TARGET, headers, GET))
    with pytest.raises(ServiceError, match="not that of the key"):
        signature.check_signature(signed, keys.generate().public_key(), "GET", TARGET, headers)


@pytest.mark.parametrize("missing", ["date", "(request-target)", "host"])
def test_date_target_and_host_must_be_signed(key: RSAPrivateKey, missing: str) -> None:
    headers = headers_at(time.time())
    names = tuple(name for name in GET if name != missing)
    signed = signature.parse(sign(key, "GET", TARGET, headers, names))
    with pytest.raises(ServiceError, match="401"):
        signature.check_coverage(signed, "GET", headers, streamed=False)


@pytest.mark.parametrize("missing", ["content-length", "content-type", "x-content-sha256"])
def test_bodies_must_be_covered_unless_they_are_streamed(key: RSAPrivateKey, missing: str) -> None:
    headers = headers_at(time.time()) | {
        "content-length": "0",
        "content-type": "application/json",
        "x-content-sha256": "x",
    }
    names = tuple(name for name in POST if name != missing)
    signed = signature.parse(sign(key, "POST", TARGET, headers, names))
    with pytest.raises(ServiceError, match=f"must be: {missing}"):
        signature.check_coverage(signed, "POST", headers, streamed=False)
    signature.check_coverage(signed, "POST", headers, streamed=True)


def test_a_signed_header_must_be_there(key: RSAPrivateKey) -> None:
    headers = headers_at(time.time()) | {"opc-request-id": "a"}
    signed = signature.parse(sign(key, "GET", TARGET, headers, (*GET, "opc-request-id")))
    del headers["opc-request-id"]
    with pytest.raises(ServiceError, match="not sent: opc-request-id"):
        signature.check_coverage(signed, "GET", headers, streamed=False)


@pytest.mark.parametrize("off", [-301, 301])
def test_a_date_five_minutes_off_is_refused(key: RSAPrivateKey, off: int) -> None:
    now = time.time()
    headers = headers_at(now + off)
    signed = signature.parse(sign(key, "GET", TARGET, headers, GET))
    with pytest.raises(ServiceError, match="300 s are allowed"):
        signature.check_date(signed, headers, now=now, skew=300)
    signature.check_date(signed, headers, now=now, skew=600)


def test_x_date_stands_in_for_date(key: RSAPrivateKey) -> None:
    now = time.time()
    headers = {**headers_at(0), "x-date": formatdate(now, usegmt=True)}
    names = ("x-date", "(request-target)", "host")
    signed = signature.parse(sign(key, "GET", TARGET, headers, names))
    signature.check_coverage(signed, "GET", headers, streamed=False)
    signature.check_date(signed, headers, now=now, skew=300)


def test_an_unreadable_date_is_refused(key: RSAPrivateKey) -> None:
    headers = {"date": "now", "host": "h"}
    signed = signature.parse(sign(key, "GET", TARGET, headers, GET))
    with pytest.raises(ServiceError, match="can't be read"):
        signature.check_date(signed, headers, now=0, skew=300)


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer abc",
        'Signature keyId="a",headers="date"',
        'Signature keyId="a",headers="date",signature="eA==",algorithm="hmac-sha256"',
        'Signature keyId="a",headers="date",signature="no base64!",algorithm="rsa-sha256"',
        'Signature keyId="ä",headers="date",signature="eA==",algorithm="rsa-sha256"',
    ],
)
def test_other_authorization_is_no_signature(authorization: str | None) -> None:
    with pytest.raises(ServiceError, match="401 NotAuthenticated"):
        signature.parse(authorization)
