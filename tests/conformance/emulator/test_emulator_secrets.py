"""Vault secrets, as the SDK reads them."""

import base64
from collections.abc import Callable
from typing import Any

import oci
import pytest
from oci.exceptions import ServiceError
from oci.secrets import SecretsClient


def content(bundle: Any) -> str:
    return base64.b64decode(bundle.secret_bundle_content.content).decode()


@pytest.fixture(scope="module")
def secret(cloud: Any) -> str:
    """The OCID of a secret of three versions."""
    versions = [cloud.emulator.add_secret("ssh key", text) for text in ("one", "two", "three")]
    assert len(set(versions)) == 1
    return str(versions[0])


@pytest.fixture(scope="module")
def client(cloud: Any) -> Any:
    return cloud.client(SecretsClient)


def test_the_current_version_is_read(client: Any, secret: str) -> None:
    bundle = client.get_secret_bundle(secret).data
    assert (bundle.secret_id, bundle.version_number, content(bundle)) == (secret, 3, "three")
    assert bundle.stages == ["CURRENT", "LATEST"]


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ({"version_number": 1}, "one"),
        ({"stage": "PREVIOUS"}, "two"),
        ({"stage": "DEPRECATED"}, "one"),
        ({"stage": "LATEST"}, "three"),
    ],
)
def test_a_version_is_read(client: Any, secret: str, query: dict[str, Any], text: str) -> None:
    assert content(client.get_secret_bundle(secret, **query).data) == text


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"version_number": 4}, 404),
        ({"version_number": 0}, 404),
        ({"stage": "PENDING"}, 404),
        ({"secret_version_name": "first"}, 404),
        ({"version_number": 1, "stage": "CURRENT"}, 400),
    ],
)
def test_a_version_that_is_not_there(
    client: Any, secret: str, query: dict[str, Any], status: int
) -> None:
    with pytest.raises(ServiceError) as caught:
        client.get_secret_bundle(secret, **query)
    assert caught.value.status == status


def test_a_secret_is_read_by_its_name(cloud: Any, client: Any, secret: str) -> None:
    vault = cloud.emulator.control("PUT", "secrets/other", {"base64": "AP8="})["vaultId"]
    assert client.get_secret_bundle_by_name("ssh key", vault).data.secret_id == secret
    bundle = client.get_secret_bundle_by_name("other", vault).data
    assert base64.b64decode(bundle.secret_bundle_content.content) == b"\x00\xff"
    with pytest.raises(ServiceError) as caught:
        client.get_secret_bundle_by_name("none", vault)
    assert caught.value.status == 404


def test_versions_are_listed_without_their_content(client: Any, secret: str) -> None:
    listed = client.list_secret_bundle_versions(secret).data
    assert [each.version_number for each in listed] == [3, 2, 1]
    ascending = client.list_secret_bundle_versions(secret, sort_order="ASC").data
    assert [each.stages for each in ascending] == [
        ["DEPRECATED"],
        ["PREVIOUS"],
        ["CURRENT", "LATEST"],
    ]


def test_a_secret_needs_its_policy(own: Callable[..., Any]) -> None:
    cloud = own()
    identifier = cloud.emulator.add_secret("key", "x")
    user = cloud.emulator.add_user()
    reader = SecretsClient(
        oci.config.from_file(str(user.config)), service_endpoint=cloud.emulator.http
    )
    with pytest.raises(ServiceError) as caught:
        reader.get_secret_bundle(identifier)
    assert (caught.value.status, caught.value.code) == (404, "NotAuthorizedOrNotFound")
    statements = cloud.emulator.policies()["statements"]
    allow = "Allow group data-scientists to read secret-family in tenancy"
    cloud.emulator.set_policies([*statements, allow])
    assert content(reader.get_secret_bundle(identifier).data) == "x"
