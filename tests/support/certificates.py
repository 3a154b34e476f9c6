"""An authority and a server's certificate, for what serves HTTPS in a test: RSA in PKCS #1, which all can read."""

import datetime as dt
import ipaddress
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_LIFETIME = dt.timedelta(days=365)


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A certificate and its key, PEM."""

    certificate: bytes
    key: bytes


def authority(name: str) -> Issued:
    """Return an authority, whose certificate has its own name."""
    key = _key()
    builder = (
        _builder(name, name, key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    )
    return _signed(builder, key, key)


def server_certificate(issuer: Issued, name: str, address: str) -> Issued:
    """Return the certificate of a server that is reached by a name and an address."""
    names = [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address(address))]
    return _issued(issuer, name, names, ExtendedKeyUsageOID.SERVER_AUTH)


def client_certificate(issuer: Issued, name: str) -> Issued:
    """Return the certificate of a user."""
    return _issued(issuer, name, [x509.DNSName(name)], ExtendedKeyUsageOID.CLIENT_AUTH)


def _issued(
    issuer: Issued, name: str, names: list[x509.GeneralName], usage: x509.ObjectIdentifier
) -> Issued:
    issuer_key = serialization.load_pem_private_key(issuer.key, password=None)
    assert isinstance(issuer_key, rsa.RSAPrivateKey)
    issuer_name = x509.load_pem_x509_certificate(issuer.certificate).subject
    common = issuer_name.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
    key = _key()
    builder = (
        _builder(name, str(common), key)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    )
    return _signed(builder, key, issuer_key)


def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _builder(subject: str, issuer: str, key: rsa.RSAPrivateKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + _LIFETIME)
    )


def _signed(
    builder: x509.CertificateBuilder,
    key: rsa.RSAPrivateKey,
    issuer_key: rsa.RSAPrivateKey,
) -> Issued:
    encoding = serialization.Encoding.PEM
    return Issued(
        certificate=builder.sign(issuer_key, hashes.SHA256()).public_bytes(encoding),
        key=key.private_bytes(
            encoding, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        ),
    )
