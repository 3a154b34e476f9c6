"""API keys from Secrets: what is taken, and what users are told of a Secret that is none."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import PrivateFormat
from oci.config import validate_config
from oci.signer import Signer
from tests.unit.cloud.api_keys import TENANCY, USER, fingerprint, pem, secret

from ocijobs.api.shared.metadata import IdentityReference
from ocijobs.cloud.credentials import (
    ApiKey,
    CredentialsError,
    CredentialStore,
    IdentityKey,
    identity_key,
    parse_api_key,
)


def parse(data: dict[str, bytes], region: str | None = None) -> ApiKey:
    return parse_api_key(data, region=region, version="v1")


def test_a_valid_secret_is_an_api_key() -> None:
    key = parse(secret())
    assert (key.user, key.tenancy, key.region) == (USER, TENANCY, "us-ashburn-1")
    assert key.fingerprint == fingerprint()
    assert key.version == "v1"


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"privatekey": pem(form=PrivateFormat.TraditionalOpenSSL)},
        {"privatekey": pem(passphrase="open sesame"), "passphrase": b"open sesame\n"},
        {
            "privatekey": pem(passphrase="größe", form=PrivateFormat.TraditionalOpenSSL),
            "passphrase": "größe".encode(),
        },
        {"passphrase": b""},
        {"privatekey": pem() + b"OCI_API_KEY\n"},
        {"fingerprint": fingerprint().upper().encode() + b"\n", "user": f" {USER}\n".encode()},
    ],
)
def test_the_sdk_signs_with_whatever_is_taken(changes: dict[str, bytes]) -> None:
    key = parse(secret(**changes))
    validate_config(
        {
            "user": key.user,
            "tenancy": key.tenancy,
            "fingerprint": key.fingerprint,
            "key_content": key.private_key,
            "region": key.region,
        }
    )
    Signer(key.tenancy, key.user, key.fingerprint, None, private_key_content=key.private_key)


def test_the_region_of_the_identity_wins_over_the_secrets() -> None:
    assert parse(secret(), region="eu-frankfurt-1").region == "eu-frankfurt-1"
    assert parse(secret(region=None)).region is None
    assert parse(secret(region=b" ")).region is None


def test_other_keys_of_the_secret_are_none_of_our_business() -> None:
    assert parse(secret(keystore=b"\xff\xfe")).user == USER


@pytest.mark.parametrize("name", ["user", "tenancy", "fingerprint", "privatekey"])
@pytest.mark.parametrize("value", [None, b"", b" \n"])
def test_a_missing_key_is_named(name: str, value: bytes | None) -> None:
    with pytest.raises(CredentialsError, match=f"^the Secret has no key '{name}'$"):
        parse(secret(**{name: value}))


def test_all_missing_keys_are_named_at_once() -> None:
    message = "the Secret has no key 'user', 'tenancy', 'fingerprint', 'privatekey'"
    with pytest.raises(CredentialsError, match=f"^{message}$"):
        parse({})


_PEM = pem()
_OTHER = "key 'fingerprint' of the Secret is 00:11, but that of its privatekey is "


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"user": b"\xff"}, "key 'user' of the Secret is not text"),
        (
            {"user": b"jane@example.com"},
            "key 'user' of the Secret is 'jane@example.com', and no OCID such as ocid1.user.oc1..aaaa",
        ),
        (
            {"tenancy": b"mytenancy"},
            "key 'tenancy' of the Secret is 'mytenancy', and no OCID such as ocid1.tenancy.oc1..aaaa",
        ),
        (
            {"region": b"US East (Ashburn)"},
            "key 'region' of the Secret is 'US East (Ashburn)', and no region such as us-ashburn-1",
        ),
        ({"fingerprint": b"00:11"}, _OTHER + fingerprint()),
        ({"privatekey": b"~/.oci/key.pem"}, "key 'privatekey' of the Secret is not a PEM key"),
        ({"privatekey": _PEM[:400]}, "key 'privatekey' of the Secret is not a PEM key"),
        (
            {"privatekey": pem(passphrase="open")},
            "key 'privatekey' of the Secret is encrypted, and key 'passphrase' is missing",
        ),
        (
            {"privatekey": pem(passphrase="open"), "passphrase": b"closed"},
            "key 'privatekey' of the Secret is not a PEM key, or its key 'passphrase' is wrong",
        ),
        (
            {"passphrase": b"open"},
            "key 'privatekey' of the Secret is not encrypted, but there is a key 'passphrase': remove it",
        ),
        (
            {"privatekey": pem(ec.generate_private_key(ec.SECP256R1()))},
            "key 'privatekey' of the Secret is not an RSA key, which OCI requires",
        ),
    ],
)
def test_a_wrong_value_is_named_with_what_is_wrong(changes: dict[str, bytes], message: str) -> None:
    with pytest.raises(CredentialsError) as caught:
        parse(secret(**changes))
    assert str(caught.value) == message


@pytest.mark.parametrize("passphrase", [None, b"open sesame"])
def test_nothing_secret_is_shown(passphrase: bytes | None) -> None:
    text = passphrase.decode() if passphrase else None
    key = parse(secret(privatekey=pem(passphrase=text), passphrase=passphrase))
    assert "PRIVATE KEY" not in repr(key)
    assert "sesame" not in repr(key)
    with pytest.raises(CredentialsError) as caught:
        parse(secret(privatekey=b"-----BEGIN PRIVATE KEY-----\nsesame", passphrase=passphrase))
    assert "sesame" not in str(caught.value)


def test_credentials_stay_in_memory_until_they_are_forgotten() -> None:
    store = CredentialStore()
    one = identity_key("team-a", IdentityReference(name="default"))
    other = identity_key("team-b", IdentityReference(name="default"))
    assert one == IdentityKey(kind="OCIIdentity", namespace="team-a", name="default")
    store.put(one, parse(secret()))
    store.put(one, parse(secret(), region="eu-frankfurt-1"))
    kept = store.get(one)
    assert kept is not None
    assert kept.region == "eu-frankfurt-1"
    assert store.get(other) is None
    store.forget(one)
    store.forget(one)
    assert store.get(one) is None
