"""A stage for a test: a namespace of a real control plane, a local OCI, and the operator as a process.

The operator is a ServiceAccount with exactly the permissions that it declares, and serves that namespace alone, so
that tests run side by side.
"""

import configparser
import copy
import hashlib
import json
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import oci
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from kubernetes import watch as kubernetes_watch
from tests.support.audit import AuditLog
from tests.support.fetching import shared_fetcher_url
from tests.support.namespace import PLURALS, Document, Namespace
from tests.support.patience import patience

from kubecontrolplane.cluster import Cluster
from oci_emulator.testing import Emulator
from ocijobs.api.shared.names import API_VERSION, LABEL_CREDENTIALS_COPY, LABEL_ORPHAN
from ocijobs.kube.permissions import CLUSTER, OWN_NAMESPACE, WATCHED_NAMESPACES
from ocijobs.testing.process import Launch, OperatorProcess

FAST = {
    "launch_settle_seconds": 0.5,
    "poll_min_seconds": 0.2,
    "poll_max_seconds": 0.5,
    "log_batch_seconds": 0.1,
    "log_settle_seconds": patience(2),
    "utilisation_settle_seconds": patience(3),
    "utilisation_batch_seconds": 0.1,
    "aggregate_interval_seconds": 1,
    "identity_reread_seconds": 2,
    "refusal_retry_min_seconds": 1,
    "refusal_retry_max_seconds": 2,
    "search_confirm_seconds": 1,
    "results_wait_seconds": 5,
    # Sources are served on this machine.
    "source_denied_networks": "169.254.0.0/16",
}
"""Settings that make a test short and change nothing else."""


class Stage(Namespace):
    """Where a test plays: it applies manifests, and awaits what comes of them."""

    def __init__(
        self,
        cluster: Cluster,
        namespace: str,
        emulator: Emulator,
        folder: Path,
        launch: Launch = subprocess.Popen,
    ) -> None:
        super().__init__(cluster, namespace)
        self.home = f"operator-{namespace[-20:]}"
        self.emulator, self.folder, self.launch = emulator, folder, launch
        self._audit = None if cluster.audit_log is None else AuditLog(cluster.audit_log)
        folder.mkdir(exist_ok=True)
        self.kubeconfig = self._account()
        """The operator's own; a test may put another login into it."""
        self.operator = self.made()

    def made(self, **changes: object) -> OperatorProcess:
        """Return an operator process that is not started yet, with its account."""
        return self.replica(self.folder, **changes)

    def replica(self, folder: Path, **changes: object) -> OperatorProcess:
        """Return another one with that account, and a folder of its own for its log."""
        folder.mkdir(exist_ok=True)
        return OperatorProcess(self.kubeconfig, folder, self.settings(**changes), self.launch)

    def settings(self, **changes: object) -> dict[str, object]:
        """Return the operator's settings for this stage."""
        return {
            "oci_endpoint": self.emulator.http,
            "watch_namespaces": json.dumps([self.namespace]),
            "operator_namespace": self.home,
            "lease_duration_seconds": patience(13),
            "fetcher_url": shared_fetcher_url(),
            **FAST,
            **changes,
        }

    def elsewhere(self, namespace: str) -> "Stage":
        """Return the same stage for another namespace, which the same operator may serve."""
        there = copy.copy(self)
        Namespace.__init__(there, self.cluster, namespace)
        return there

    def start_operator(self, **changes: object) -> None:
        """Start the operator, or another one after the last has ended, with other settings if given."""
        self.operator = self.made(**changes).start()

    def _account(self) -> Path:
        """Make the operator's ServiceAccount with its declared permissions, and return its kubeconfig.

        It lives in a namespace of its own, as an operator does: one that deletes a namespace must not lose itself.
        """
        home = self.home
        subject = {"kind": "ServiceAccount", "name": "operator", "namespace": home}
        everywhere = [p.rule() for p in (*WATCHED_NAMESPACES, *CLUSTER)]
        own = [p.rule() for p in OWN_NAMESPACE]
        self.apply(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": home}},
            _in(
                home,
                {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "operator"}},
            ),
            _in(home, _role("Role", "operator", own)),
            _in(home, _binding("RoleBinding", "operator", "Role", subject)),
            _role("ClusterRole", home, everywhere),
            _binding("ClusterRoleBinding", home, "ClusterRole", subject),
        )
        path = self.folder / "operator.kubeconfig"
        path.write_text(self.cluster.kubeconfig_for_service_account(home, "operator"))
        return path

    def hint(self) -> str:
        """Return the end of the operator's log."""
        log = self.operator.log
        return f"\n{log.read_text()[-3000:]}" if log.exists() else ""

    # OCI

    def writes(self, kind: str, name: str | None = None) -> list[tuple[str, str]]:
        """Return the operator's accepted writes of objects of a kind: subresource (or "") and object name."""
        found = []
        for entry in self.audited():
            ref = entry.get("objectRef", {})
            if (
                entry["verb"] in {"create", "update", "patch"}
                and entry.get("stage") == "ResponseComplete"
                and entry.get("responseStatus", {}).get("code", 0) < HTTPStatus.MULTIPLE_CHOICES
                and ref.get("resource") == PLURALS[kind]
                and (name is None or ref.get("name") == name)
            ):
                found.append((ref.get("subresource", ""), ref.get("name", "")))
        return found

    def copies(self) -> list[Document]:
        """Return the copies of credentials that the operator keeps."""
        return self._kept("secrets", LABEL_CREDENTIALS_COPY)

    def orphans(self) -> list[Document]:
        """Return the operator's list of what could not be ended."""
        return [
            json.loads(each["data"]["orphan.json"])
            for each in self._kept("configmaps", LABEL_ORPHAN)
        ]

    def _kept(self, resource: str, label: str) -> list[Document]:
        said = self.kubectl("get", resource, "-n", self.home, "-l", label, "-o", "json")
        kept: list[Document] = json.loads(said)["items"]
        return kept

    def until_copies(self, are_so: Callable[[list[Document]], bool]) -> None:
        """Return when the copies of credentials are so."""
        listed = self.core.list_namespaced_secret(self.home)
        if are_so(self.copies()):
            return
        changes: Any = kubernetes_watch.Watch().stream(
            self.core.list_namespaced_secret,
            self.home,
            resource_version=listed.metadata.resource_version,
            timeout_seconds=int(patience(60)),
        )
        for _ in changes:
            if are_so(self.copies()):
                return
        raise AssertionError(f"the copies of credentials never got so{self.hint()}")

    def audited(self) -> Iterator[dict[str, Any]]:
        """Yield what the API server has noted of the operator's requests; without an audit log the test is skipped."""
        if self._audit is None:
            pytest.skip(f"{self.cluster.server} has no audit log that could be read here")
        return self._audit.entries(f"system:serviceaccount:{self.home}:operator")

    def end(self, *, clear: bool) -> None:
        """End the operator, and clear what the stage made if the cluster goes on."""
        self.operator.end()
        if clear:
            self._clear()

    def _clear(self) -> None:
        """Delete what lies outside of the namespace, and let go of what would keep the namespace for ever."""
        for kind in PLURALS:
            for document in self.all(kind):
                if document["metadata"].get("finalizers"):
                    self.patch(
                        kind, document["metadata"]["name"], {"metadata": {"finalizers": None}}
                    )
        for kind in ("clusterroles", "clusterrolebindings"):
            path = f"/apis/rbac.authorization.k8s.io/v1/{kind}/{self.home}"
            self.cluster.api().request("DELETE", path)
        self.cluster.api().request("DELETE", f"/api/v1/namespaces/{self.home}")

    def strange_key(self) -> Path:
        """Return a configuration file of the emulator's user with a key that OCI does not know."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        digest = hashlib.md5(public, usedforsecurity=False).hexdigest()
        parser = configparser.ConfigParser()
        parser.read(self.emulator.config)
        parser["DEFAULT"]["fingerprint"] = ":".join(re.findall("..", digest))
        parser["DEFAULT"]["key_file"] = str(self.folder / "strange.pem")
        (self.folder / "strange.pem").write_bytes(pem)
        with (self.folder / "strange.config").open("w") as file:
            parser.write(file)
        return self.folder / "strange.config"

    def identity(self, config: Path | None = None, name: str = "default", **defaults: str) -> None:
        """Make an OCIIdentity and its Secret, of the emulator's own user or of another."""
        parser = configparser.ConfigParser()
        parser.read(config or self.emulator.config)
        section = parser["DEFAULT"]
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": f"{name}-key"},
            "stringData": {
                **{key: section[key] for key in ("user", "tenancy", "fingerprint", "region")},
                "privatekey": Path(section["key_file"]).read_text(),
            },
        }
        identity = {
            "apiVersion": API_VERSION,
            "kind": "OCIIdentity",
            "metadata": {"name": name},
            "spec": {
                "type": "APIKey",
                "secretRef": {"name": f"{name}-key"},
                "defaults": {
                    "compartmentId": self.emulator.tenancy,
                    "projectId": self.emulator.project,
                    **defaults,
                },
            },
        }
        self.apply(secret, identity)

    def oci_client(self, service: type) -> Any:
        """Return a client of the unmodified SDK for the emulator."""
        return service(
            oci.config.from_file(str(self.emulator.config)),
            service_endpoint=self.emulator.http,
            retry_strategy=oci.retry.NoneRetryStrategy(),
        )

    def log_group(self) -> str:
        """Make a log group, and return its OCID."""
        client = self.oci_client(oci.logging.LoggingManagementClient)
        details = oci.logging.models.CreateLogGroupDetails(
            compartment_id=self.emulator.tenancy, display_name=self.namespace
        )
        request = client.create_log_group(details).headers["opc-work-request-id"]
        return self._made(client, request)

    def log(self, group: str, name: str) -> str:
        """Make a log in a log group, and return its OCID."""
        client = self.oci_client(oci.logging.LoggingManagementClient)
        details = oci.logging.models.CreateLogDetails(display_name=name, log_type="CUSTOM")
        return self._made(client, client.create_log(group, details).headers["opc-work-request-id"])

    @staticmethod
    def _made(client: Any, request: str) -> str:
        """Return the OCID of what a work request of Logging makes."""
        done = oci.wait_until(
            client, client.get_work_request(request), "status", "SUCCEEDED", max_interval_seconds=1
        )
        return str(done.data.resources[0].identifier)

    def bucket(self, name: str) -> str:
        """Make a bucket, and return its `oci://` address."""
        client = self.oci_client(oci.object_storage.ObjectStorageClient)
        details = oci.object_storage.models.CreateBucketDetails(
            name=name, compartment_id=self.emulator.tenancy
        )
        client.create_bucket(self.emulator.namespace, details)
        return f"oci://{name}@{self.emulator.namespace}"

    def job_run(self, ocid: str) -> Any:
        """Return a job run in the emulator."""
        return self.oci_client(oci.data_science.DataScienceClient).get_job_run(ocid).data

    def job_run_state(self, ocid: str) -> str:
        """Return the lifecycleState of a job run in the emulator."""
        return str(self.job_run(ocid).lifecycle_state)

    def job_runs(self) -> list[Any]:
        """Return all job runs in the emulator."""
        client = self.oci_client(oci.data_science.DataScienceClient)
        return list(
            oci.pagination.list_call_get_all_results(
                client.list_job_runs, self.emulator.tenancy, limit=100
            ).data
        )

    def flow(self) -> Any:
        """Return a client of Data Flow."""
        return self.oci_client(oci.data_flow.DataFlowClient)

    def flow_runs(self) -> list[Any]:
        """Return all runs of Data Flow in the emulator."""
        client = self.flow()
        return list(
            oci.pagination.list_call_get_all_results(client.list_runs, self.emulator.tenancy).data
        )

    def put(self, uri: str, content: str | bytes) -> None:
        """Put an object at an `oci://` address."""
        bucket, _, name = uri.removeprefix("oci://").partition("@")
        name = name.partition("/")[2]
        storage = self.oci_client(oci.object_storage.ObjectStorageClient)
        body = content.encode() if isinstance(content, str) else content
        storage.put_object(self.emulator.namespace, bucket, name, body)

    def objects_in(self, bucket: str) -> list[str]:
        """Return the names of all objects of a bucket."""
        storage = self.oci_client(oci.object_storage.ObjectStorageClient)
        found = storage.list_objects(self.emulator.namespace, bucket).data.objects
        return sorted(item.name for item in found)

    def most_active_runs(self) -> int:
        """Return the greatest number of job runs that were active in the emulator at a time."""
        changes = sorted(
            change
            for run in self.job_runs()
            for change in ((run.time_finished, -1), (run.time_accepted, 1))
        )
        active = most = 0
        for _, step in changes:
            active += step
            most = max(most, active)
        return most


def _in(namespace: str, document: Document) -> Document:
    return document | {"metadata": {**document["metadata"], "namespace": namespace}}


def _role(kind: str, name: str, rules: list[dict[str, list[str]]]) -> Document:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": name},
        "rules": rules,
    }


def _binding(kind: str, name: str, role: str, subject: Mapping[str, str]) -> Document:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": role, "name": name},
        "subjects": [dict(subject)],
    }
