"""The certificates satisfy the strictest verifier, and nobody else can read the keys."""

import datetime as dt
import ipaddress
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from cryptography.x509 import verification
from cryptography.x509.oid import NameOID

from kubecontrolplane.pki import Pki


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    made = Pki(tmp_path_factory.mktemp("pki"))
    made.create("10.96.0.1")
    return made


def load(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def builder(pki: Pki, authority: str) -> verification.PolicyBuilder:
    return verification.PolicyBuilder().store(
        verification.Store([load(pki.certificate(authority))])
    )


@pytest.mark.parametrize("name", ["kube-apiserver", "kube-controller-manager-serving"])
@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "10.96.0.1"])
def test_servers_are_trusted_under_their_addresses(pki: Pki, name: str, address: str) -> None:
    subject = x509.IPAddress(ipaddress.ip_address(address))
    verifier = builder(pki, "ca").build_server_verifier(subject)
    assert len(verifier.verify(load(pki.certificate(name)), [])) == 2


@pytest.mark.parametrize("host", ["localhost", "kubernetes.default.svc"])
def test_the_api_server_is_trusted_under_its_names(pki: Pki, host: str) -> None:
    verifier = builder(pki, "ca").build_server_verifier(x509.DNSName(host))
    verifier.verify(load(pki.certificate("kube-apiserver")), [])


@pytest.mark.parametrize(
    ("authority", "name"),
    [("ca", "admin"), ("ca", "kube-controller-manager"), ("etcd-ca", "etcd-client")],
)
def test_clients_are_trusted_by_their_authority(pki: Pki, authority: str, name: str) -> None:
    verifier = builder(pki, authority).extension_policies(
        ca_policy=verification.ExtensionPolicy.webpki_defaults_ca(),
        ee_policy=verification.ExtensionPolicy.permit_all(),
    )
    verifier.build_client_verifier().verify(load(pki.certificate(name)), [])


def test_a_client_of_the_api_server_does_not_open_etcd(pki: Pki) -> None:
    issuer = load(pki.certificate("etcd-ca"))
    with pytest.raises(ValueError, match="Issuer"):
        load(pki.certificate("admin")).verify_directly_issued_by(issuer)


def test_the_administrator_is_in_the_group_that_may_do_everything(pki: Pki) -> None:
    subject = load(pki.certificate("admin")).subject
    [group] = subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    assert group.value == "system:masters"


def test_a_user_gets_a_certificate_with_name_and_groups(pki: Pki) -> None:
    issued = pki.issue_client("ann", ["readers", "writers"])
    certificate = x509.load_pem_x509_certificate(issued.certificate)
    assert [each.value for each in certificate.subject] == ["readers", "writers", "ann"]
    certificate.verify_directly_issued_by(load(pki.certificate("ca")))
    key = load_pem_private_key(issued.key, password=None)
    assert key.public_key() == certificate.public_key()


def test_everything_is_valid_now_and_for_years(pki: Pki) -> None:
    now = dt.datetime.now(dt.UTC)
    for path in pki.directory.glob("*.crt"):
        certificate = load(path)
        assert certificate.not_valid_before_utc < now
        assert certificate.not_valid_after_utc > now + dt.timedelta(days=365 * 5)


def test_only_the_owner_reads_any_of_it(pki: Pki) -> None:
    modes = {stat.S_IMODE(path.stat().st_mode) for path in pki.directory.iterdir()}
    assert modes == {0o600}


def test_the_key_that_checks_tokens_belongs_to_the_key_that_signs_them(pki: Pki) -> None:
    signs = load_pem_private_key(pki.key("service-account").read_bytes(), password=None)
    checks = load_pem_public_key(pki.service_account_public_key.read_bytes())
    assert signs.public_key() == checks


def test_a_second_call_keeps_what_clients_hold(pki: Pki) -> None:
    before = {path.name: path.read_bytes() for path in pki.directory.iterdir()}
    pki.create("10.96.0.1")
    assert {path.name: path.read_bytes() for path in pki.directory.iterdir()} == before


def test_what_an_interruption_left_out_is_made_later(tmp_path: Path) -> None:
    pki = Pki(tmp_path)
    pki.create("10.96.0.1")
    pki.certificate("admin").unlink()
    authority = pki.certificate("ca").read_bytes()
    pki.create("10.96.0.1")
    assert pki.certificate("ca").read_bytes() == authority
    load(pki.certificate("admin")).verify_directly_issued_by(load(pki.certificate("ca")))
    assert pki.read("admin").certificate == pki.certificate("admin").read_bytes()
