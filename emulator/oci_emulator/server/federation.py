"""The auth service: security tokens for those who have other proofs of who they are."""

import base64
import binascii
import json
import logging
import time
from typing import Any

from aiohttp import web
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

from oci_emulator.calls.errors import ServiceError, invalid, missing, not_authenticated
from oci_emulator.certificates import keys
from oci_emulator.certificates.authority import Authority
from oci_emulator.conduct.rules import RuleBook
from oci_emulator.principals.instances import Instance, identifier_of
from oci_emulator.principals.tokens import TokenService
from oci_emulator.principals.workloads import Workloads
from oci_emulator.server import bodies, signature

X509 = "/v1/x509"
WORKLOAD = "/resourcePrincipalSessionTokens"
_LIFETIME_SECONDS = 1200
_SIGNED = frozenset({"(request-target)", "x-content-sha256"})
_MAXIMUM_BYTES = 1 << 16

_logger = logging.getLogger(__name__)


class Federation:
    """Answers the requests for tokens."""

    def __init__(
        self,
        *,
        tokens: TokenService,
        authority: Authority,
        instance: Instance,
        workloads: Workloads,
        book: RuleBook,
    ) -> None:
        self._tokens = tokens
        self._authority = authority
        self._instance = instance
        self._workloads = workloads
        self._book = book

    async def __call__(self, request: web.BaseRequest) -> web.Response:
        """Answer one request."""
        if request.method != "POST":
            error = ServiceError(405, "MethodNotAllowed", "Tokens are asked for with POST.")
            return web.json_response(error.body, status=error.status)
        try:
            if request.path == X509:
                return web.json_response({"token": await self._of_instance(request)})
            token = {"token": f"ST${await self._of_workload(request)}"}
            # The real answer is the base64 of JSON, as a JSON text would be decoded too early.
            return web.Response(body=base64.b64encode(json.dumps(token).encode()))
        except ServiceError as error:
            _logger.info("no token: %s", error.message)
            return web.json_response(error.body, status=error.status)

    async def _of_instance(self, request: web.BaseRequest) -> str:
        """A token for who signed with the key of an instance's certificate."""
        content, details = await _document(request)
        certificate = _certificate(details)
        try:
            certificate.verify_directly_issued_by(self._authority.certificate)
        except (InvalidSignature, ValueError, TypeError):
            raise not_authenticated("The certificate is none of an instance here.") from None
        key = certificate.public_key()
        signed = signature.parse(request.headers.get("authorization"))
        if not isinstance(key, RSAPublicKey) or not _names(signed.key_id, certificate):
            raise not_authenticated("keyId does not name the certificate.")
        if not set(signed.headers) >= _SIGNED or any(
            name not in request.headers for name in signed.headers if name[0] != "("
        ):
            raise not_authenticated("The request's target, date and body must be signed.")
        skew = self._book.rules.clock_skew_seconds
        signature.check_date(signed, request.headers, now=time.time(), skew=skew)
        signature.check_signature(signed, key, "POST", request.raw_path, request.headers)
        bodies.check_hash(signed, request.headers, content)
        principal = self._instance.principal(identifier_of(certificate))
        return self._tokens.sign(principal, _session_key(details, "publicKey"), _LIFETIME_SECONDS)

    async def _of_workload(self, request: web.BaseRequest) -> str:
        """A token for a pod, which shows the token of its service account."""
        _, details = await _document(request)
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise not_authenticated("The request has no token of a service account.")
        principal = self._workloads.authenticate(bearer)
        return self._tokens.sign(principal, _session_key(details, "podKey"), _LIFETIME_SECONDS)


async def _document(request: web.BaseRequest) -> tuple[bytes, dict[str, Any]]:
    content, document = await bodies.json_of(request, _MAXIMUM_BYTES)
    if not isinstance(document, dict):
        raise invalid("the body must be an object")
    return content, document


def _certificate(details: dict[str, Any]) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(_decoded(details, "certificate"))
    except ValueError:
        raise invalid("certificate: is none") from None


def _session_key(details: dict[str, Any], name: str) -> RSAPublicKey:
    text = base64.encodebytes(_decoded(details, name)).decode()
    try:
        return keys.load_public(f"-----BEGIN PUBLIC KEY-----\n{text}-----END PUBLIC KEY-----\n")
    except ValueError:
        raise invalid(f"{name}: is no RSA public key") from None


def _decoded(details: dict[str, Any], name: str) -> bytes:
    text = details.get(name)
    if not isinstance(text, str):
        raise missing(f"{name}: is required")
    try:
        return base64.b64decode(text)
    except binascii.Error:
        raise invalid(f"{name}: is no base64") from None


def _names(key_id: str, certificate: x509.Certificate) -> bool:
    """Whether a signature's ``keyId`` names the certificate by its fingerprint."""
    kind, _, fingerprint = key_id.partition("/")[2].partition("/")
    digest = {"fed-x509": SHA1(), "fed-x509-sha256": SHA256()}.get(kind)  # noqa: S303  # a name
    if digest is None:
        return False
    return fingerprint.replace(":", "").lower() == certificate.fingerprint(digest).hex()
