"""The keys and certificates of a control plane, made on the fly.

Two authorities, so that no credential for the API server opens etcd. Elliptic-curve keys
(P-256): making all of them takes milliseconds, where RSA takes seconds.
"""

import datetime as dt
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from kubecontrolplane.files import write_private

# A stopped cluster must start again whenever its user comes back to it.
_LIFETIME = dt.timedelta(days=3650)
# A certificate made now is valid for a client whose clock is somewhat late.
_CLOCK_SKEW = dt.timedelta(hours=1)
# The names under which Kubernetes serves its API inside a cluster, and loopback.
_SERVING_NAMES = (
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificatePem:
    """A certificate and its private key, PEM."""

    certificate: bytes
    key: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Leaf:
    authority: str
    common_name: str
    organizations: tuple[str, ...] = ()
    serves: bool = False
    calls: bool = False


_LEAVES = {
    "kube-apiserver": _Leaf(authority="ca", common_name="kube-apiserver", serves=True),
    "kube-controller-manager-serving": _Leaf(
        authority="ca", common_name="kube-controller-manager", serves=True
    ),
    # The names that Kubernetes' own RBAC bindings know.
    "kube-controller-manager": _Leaf(
        authority="ca", common_name="system:kube-controller-manager", calls=True
    ),
    "admin": _Leaf(
        authority="ca",
        common_name="kubecontrolplane-admin",
        organizations=("system:masters",),
        calls=True,
    ),
    "etcd": _Leaf(authority="etcd-ca", common_name="etcd", serves=True, calls=True),
    "etcd-client": _Leaf(authority="etcd-ca", common_name="kube-apiserver", calls=True),
}


@dataclass(frozen=True, slots=True)
class Pki:
    """The directory `pki` of a control plane."""

    directory: Path

    def certificate(self, name: str) -> Path:
        """The file of a certificate: an authority's (`ca`, `etcd-ca`) or a component's."""
        return self.directory / f"{name}.crt"

    def key(self, name: str) -> Path:
        """The file of a private key; `service-account` signs ServiceAccount tokens."""
        return self.directory / f"{name}.key"

    @property
    def service_account_public_key(self) -> Path:
        """The file of the key by which tokens are checked."""
        return self.directory / "service-account.pub"

    def read(self, name: str) -> CertificatePem:
        """A certificate with its key."""
        return CertificatePem(
            certificate=self.certificate(name).read_bytes(), key=self.key(name).read_bytes()
        )

    def create(self, service_address: str) -> None:
        """Make what is missing. What is there stays: clients hold it.

        Args:
            service_address: the address of the Service `kubernetes` inside the cluster.
        """
        for name in ("ca", "etcd-ca"):
            if not self.certificate(name).exists():
                self._save(name, _authority(f"kubecontrolplane-{name}"))
        for name, leaf in _LEAVES.items():
            if not self.certificate(name).exists():
                issued = _issue(self.read(leaf.authority), leaf, addresses=(service_address,))
                self._save(name, issued)
        if not self.service_account_public_key.exists():
            key = ec.generate_private_key(ec.SECP256R1())
            write_private(self.key("service-account"), _private_pem(key))
            write_private(self.service_account_public_key, _public_pem(key))

    def issue_client(self, user: str, groups: Sequence[str]) -> CertificatePem:
        """A client certificate for a user of these groups (x509 authentication of Kubernetes)."""
        leaf = _Leaf(authority="ca", common_name=user, organizations=tuple(groups), calls=True)
        return _issue(self.read("ca"), leaf)

    def _save(self, name: str, issued: CertificatePem) -> None:
        # The certificate last: it tells that both are there.
        write_private(self.key(name), issued.key)
        write_private(self.certificate(name), issued.certificate)


def _authority(common_name: str) -> CertificatePem:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _subject(common_name, ())
    builder = (
        _builder(name, name, key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
    )
    certificate = builder.sign(key, hashes.SHA256())
    return CertificatePem(certificate=_pem(certificate), key=_private_pem(key))


def _issue(
    authority: CertificatePem, leaf: _Leaf, *, addresses: Sequence[str] = ()
) -> CertificatePem:
    issuer = x509.load_pem_x509_certificate(authority.certificate)
    issuer_key = serialization.load_pem_private_key(authority.key, password=None)
    if not isinstance(issuer_key, ec.EllipticCurvePrivateKey):
        raise TypeError(f"the key of {issuer.subject.rfc4514_string()} is not elliptic-curve")
    key = ec.generate_private_key(ec.SECP256R1())
    usages = [ExtendedKeyUsageOID.SERVER_AUTH] * leaf.serves
    usages += [ExtendedKeyUsageOID.CLIENT_AUTH] * leaf.calls
    builder = (
        _builder(_subject(leaf.common_name, leaf.organizations), issuer.subject, key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        # Clients that verify by the letter of RFC 5280 (Python 3.13's) insist on this one.
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
    )
    if leaf.serves:
        builder = builder.add_extension(_alternative_names(addresses), critical=False)
    certificate = builder.sign(issuer_key, hashes.SHA256())
    return CertificatePem(certificate=_pem(certificate), key=_private_pem(key))


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _subject(common_name: str, organizations: Sequence[str]) -> x509.Name:
    # Kubernetes reads the user from the common name and a group from each organization.
    return x509.Name(
        [
            *(x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in organizations),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative_names(addresses: Sequence[str]) -> x509.SubjectAlternativeName:
    loopback = ("127.0.0.1", "::1")
    return x509.SubjectAlternativeName(
        [
            *(x509.DNSName(name) for name in _SERVING_NAMES),
            *(x509.IPAddress(ipaddress.ip_address(text)) for text in (*loopback, *addresses)),
        ]
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        # kube-apiserver reads "EC PRIVATE KEY" and PKCS #8 alike; etcd too.
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _public_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
