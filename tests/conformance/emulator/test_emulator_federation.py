"""Principals without an API key: instances and workloads of Kubernetes, as the SDK's signers are."""

import json
import time
from collections.abc import Callable
from typing import Any

import jwt
import oci
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from oci.auth import signers
from oci.exceptions import ServiceError

from oci_emulator.certificates import keys
from oci_emulator.testing import Emulator

OKE_PORT = 12250
CLUSTER = "ocid1.cluster.oc1.iad.one"
LIST_JOBS = "Allow {subject} to inspect data-science-jobs in tenancy{where}"


def data_science(emulator: Emulator, signer: Any) -> Any:
    return oci.data_science.DataScienceClient(
        {},
        signer=signer,
        service_endpoint=emulator.http,
        retry_strategy=oci.retry.NoneRetryStrategy(),
    )


class TestInstances:
    @pytest.fixture
    def signer(self, own: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Any:
        """The SDK's signer, and the emulator that it is for."""
        emulator = own().emulator
        monkeypatch.setenv("OCI_METADATA_BASE_URL", f"{emulator.http}/opc/v2")
        signer = signers.InstancePrincipalsSecurityTokenSigner(
            federation_endpoint=f"{emulator.http}/v1/x509"
        )
        return emulator, signer

    def test_an_instance_is_what_policies_say_of_it(self, signer: Any) -> None:
        emulator, instance = signer
        assert (instance.tenancy_id, instance.region) == (emulator.tenancy, "us-ashburn-1")
        client = data_science(emulator, instance)
        with pytest.raises(ServiceError) as caught:
            client.list_jobs(emulator.tenancy)
        assert caught.value.status == 404
        emulator.set_policies(
            [LIST_JOBS.format(subject="dynamic-group hosts", where="")],
            {"hosts": f"all {{instance.compartment.id = '{emulator.tenancy}'}}"},
        )
        assert client.list_jobs(emulator.tenancy).data == []

    def test_a_token_can_be_refreshed(self, signer: Any) -> None:
        emulator, instance = signer
        first = instance.federation_client.get_security_token()
        instance.refresh_security_token()
        assert instance.federation_client.get_security_token() != first
        client = data_science(emulator, instance)
        emulator.set_policies([LIST_JOBS.format(subject="any-user", where="")])
        assert client.list_jobs(emulator.tenancy).data == []

    def test_metadata_needs_its_header(self, emulator: Emulator) -> None:
        url = f"{emulator.http}/opc/v2/instance/region"
        assert requests.get(url, timeout=10).status_code == 401
        answer = requests.get(url, headers={"Authorization": "Bearer Oracle"}, timeout=10)
        assert answer.text == "us-ashburn-1"

    def test_only_the_key_of_the_certificate_gets_a_token(self, emulator: Emulator) -> None:
        metadata = f"{emulator.http}/opc/v2/identity/cert.pem"
        certificate = requests.get(
            metadata, headers={"Authorization": "Bearer Oracle"}, timeout=10
        ).text
        body = {
            "certificate": oci.auth.auth_utils.sanitize_certificate_string(certificate.encode()),
            "publicKey": oci.auth.auth_utils.sanitize_certificate_string(
                keys.public_pem(keys.generate().public_key()).encode()
            ),
        }
        answer = requests.post(f"{emulator.http}/v1/x509", json=body, timeout=10)
        assert (answer.status_code, answer.json()["code"]) == (401, "NotAuthenticated")

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            ({}, 400),
            ({"certificate": "x"}, 400),
            ({"certificate": "AAAA"}, 400),
            ([], 400),
            ("{", 400),
        ],
    )
    def test_a_body_that_is_none_is_refused(
        self, emulator: Emulator, body: Any, status: int
    ) -> None:
        content = body if isinstance(body, str) else json.dumps(body)
        answer = requests.post(f"{emulator.http}/v1/x509", data=content, timeout=10)
        assert answer.status_code == status
        assert set(answer.json()) == {"code", "message"}


class TestWorkloads:
    @pytest.fixture
    def cluster_key(self) -> rsa.RSAPrivateKey:
        """What the cluster signs the tokens of its service accounts with."""
        return keys.generate()

    @pytest.fixture
    def emulator(self, own_process: Callable[..., Any], cluster_key: rsa.RSAPrivateKey) -> Emulator:
        emulator: Emulator = own_process(oke_port=OKE_PORT).emulator
        jwks = {"keys": [keys.jwk(cluster_key.public_key(), "k") | {"alg": "RS256", "use": "sig"}]}
        emulator.add_cluster(CLUSTER, jwks)
        return emulator

    def token(
        self, key: rsa.RSAPrivateKey, namespace: str = "team-a", *, lifetime: int = 600
    ) -> str:
        claims = {
            "iss": "https://kubernetes.default.svc",
            "exp": int(time.time()) + lifetime,
            "iat": int(time.time()),
            "kubernetes.io": {"namespace": namespace, "serviceaccount": {"name": "trainer"}},
        }
        return jwt.encode(claims, keys.private_pem(key), algorithm="RS256", headers={"kid": "k"})

    def signer(self, emulator: Emulator, monkeypatch: pytest.MonkeyPatch, token: str) -> Any:
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
        monkeypatch.setenv("OCI_KUBERNETES_SERVICE_ACCOUNT_CERT_PATH", str(emulator.ca))
        monkeypatch.setenv("OCI_RESOURCE_PRINCIPAL_REGION", emulator.region)
        return signers.get_oke_workload_identity_resource_principal_signer(
            service_account_token=token
        )

    # One test, as there is one port at which the SDK asks.
    def test_a_workload_is_what_policies_say_of_it(
        self,
        emulator: Emulator,
        cluster_key: rsa.RSAPrivateKey,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        where = (
            " where all {request.principal.type = 'workload',"
            " request.principal.namespace = 'team-a',"
            " request.principal.service_account = 'trainer',"
            f" request.principal.cluster_id = '{CLUSTER}'}}"
        )
        emulator.set_policies([LIST_JOBS.format(subject="any-user", where=where)])
        allowed = self.signer(emulator, monkeypatch, self.token(cluster_key))
        assert data_science(emulator, allowed).list_jobs(emulator.tenancy).data == []
        other = self.signer(emulator, monkeypatch, self.token(cluster_key, "team-b"))
        with pytest.raises(ServiceError) as caught:
            data_science(emulator, other).list_jobs(emulator.tenancy)
        assert caught.value.status == 404

        for bad in (
            self.token(keys.generate()),
            self.token(cluster_key, lifetime=-10),
            "no token",
            jwt.encode({"exp": time.time() + 60}, keys.private_pem(cluster_key), "RS256"),
        ):
            assert self.answer(emulator, bad).status_code == 401
        assert self.answer(emulator, self.token(cluster_key), {"podKey": "x"}).status_code == 400

    def answer(self, emulator: Emulator, token: str, body: Any = None) -> requests.Response:
        pod_key = keys.public_pem(keys.generate().public_key()).splitlines()[1:-1]
        with requests.Session() as session:
            # The machine's own bundle and proxy are not for this.
            session.trust_env = False
            return session.post(
                f"https://127.0.0.1:{OKE_PORT}/resourcePrincipalSessionTokens",
                json=body or {"podKey": "".join(pod_key)},
                headers={"Authorization": f"Bearer {token}"},
                verify=str(emulator.ca),
                timeout=10,
            )


def test_the_key_set_of_a_cluster_must_be_one(emulator: Emulator) -> None:
    for jwks in ({}, {"keys": [{"kty": "RSA"}]}, "x"):
        answer = requests.put(
            f"{emulator.http}/_emulator/clusters/{CLUSTER}", json={"jwks": jwks}, timeout=10
        )
        assert answer.status_code == 400
        assert "jwks" in answer.json()["message"]
