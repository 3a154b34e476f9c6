"""The instance whose principal clients can be: its metadata service, certificate and key.

A client asks the metadata service for the certificate and the key, and with them the auth service
for a token of its own session key.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from oci_emulator.calls.principal import Principal
from oci_emulator.certificates import keys
from oci_emulator.certificates.authority import Authority

PREFIX = "/opc/v2/"
RESOURCE_TYPE = "instance"
_AUTHORIZATION = "Bearer Oracle"
_DAYS = 365


class Instance:
    """One compute instance, in the root compartment.

    Args:
        directory: where its key and certificate are, or will be.
        new_ocid: makes its OCID.
    """

    def __init__(
        self,
        directory: Path,
        authority: Authority,
        *,
        tenancy: str,
        region: str,
        new_ocid: Callable[[str], str],
    ) -> None:
        self._directory = directory
        self._authority = authority
        self._tenancy = tenancy
        self._region = region
        self._new_ocid = new_ocid

    def principal(self, identifier: str) -> Principal:
        """The principal behind its tokens."""
        return Principal(
            kind="resource",
            id=identifier,
            tenancy=self._tenancy,
            compartment=self._tenancy,
            resource_type=RESOURCE_TYPE,
        )

    def metadata(self, request: web.BaseRequest) -> web.Response:
        """Answer a request for the metadata service."""
        if request.headers.get("authorization") != _AUTHORIZATION:
            return web.Response(status=401, text="Authorization: Bearer Oracle is missing")
        self._ensure()
        documents: Mapping[str, Callable[[], str]] = {
            "instance/region": lambda: self._region,
            "instance/id": lambda: identifier_of(self._certificate()),
            "identity/cert.pem": self._certificate_path.read_text,
            "identity/key.pem": self._key_path.read_text,
            "identity/intermediate.pem": self._authority.certificate_path.read_text,
        }
        document = documents.get(request.path.removeprefix(PREFIX))
        if document is None:
            return web.Response(status=404, text="There is no such metadata.")
        return web.Response(text=document())

    @property
    def _certificate_path(self) -> Path:
        return self._directory / "cert.pem"

    @property
    def _key_path(self) -> Path:
        return self._directory / "key.pem"

    def _certificate(self) -> x509.Certificate:
        return x509.load_pem_x509_certificate(self._certificate_path.read_bytes())

    def _ensure(self) -> None:
        """Make key and certificate when they are first asked for."""
        if self._certificate_path.exists():
            return
        self._directory.mkdir(mode=0o700, exist_ok=True)
        key = keys.generate()
        now = datetime.now(UTC)
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.COMMON_NAME, "instance"),
                *(
                    x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, text, _validate=False)
                    for text in (
                        f"opc-instance:{self._new_ocid('instance')}",
                        f"opc-tenant:{self._tenancy}",
                    )
                ),
            ]
        )
        certificate = self._authority.certify(
            subject, key.public_key(), now - timedelta(days=1), now + timedelta(days=_DAYS)
        )
        keys.write_private(self._key_path, keys.private_pem(key))
        self._certificate_path.write_bytes(certificate.public_bytes(Encoding.PEM))


def identifier_of(certificate: x509.Certificate) -> str:
    """The OCID of the instance that a certificate is of; empty if it is of none."""
    for attribute in certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME):
        kind, _, value = str(attribute.value).partition(":")
        if kind == "opc-instance":
            return value
    return ""
