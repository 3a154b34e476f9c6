"""A stage for a test: a namespace of a real control plane, a local OCI, and the operator as a process.

The operator is a ServiceAccount with exactly the permissions that it declares, and serves that namespace alone, so
that tests run side by side.
"""

import configparser
import json
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import oci
import yaml
from kubernetes import client as kubernetes_client
from kubernetes import config as kubernetes_config
from kubernetes import watch as kubernetes_watch

from devcluster.cluster import Cluster
from oci_emulator.testing import Emulator
from ocijobs.api.crd import KINDS
from ocijobs.api.names import API_VERSION, GROUP, VERSION
from ocijobs.kube.permissions import CLUSTER, OWN_NAMESPACE, WATCHED_NAMESPACES
from ocijobs.testing.process import OperatorProcess

Document = dict[str, Any]

PLURALS = {kind.name: kind.plural for kind in KINDS}
FAST = {
    "launch_settle_seconds": 0.5,
    "poll_min_seconds": 0.2,
    "poll_max_seconds": 0.5,
    "log_batch_seconds": 0.1,
    "log_settle_seconds": 2,
    "aggregate_interval_seconds": 1,
    "refusal_retry_min_seconds": 1,
    "refusal_retry_max_seconds": 2,
    "search_confirm_seconds": 1,
    "results_wait_seconds": 5,
}
"""Settings that make a test short and change nothing else."""


class Stage:
    """Where a test plays: it applies manifests, and awaits what comes of them."""

    def __init__(self, cluster: Cluster, namespace: str, emulator: Emulator, folder: Path) -> None:
        self.cluster, self.namespace = cluster, namespace
        self.emulator, self.folder = emulator, folder
        configuration = kubernetes_client.Configuration()
        kubernetes_config.load_kube_config(
            str(cluster.kubeconfig), client_configuration=configuration
        )
        api = kubernetes_client.ApiClient(configuration)
        self.objects: Any = kubernetes_client.CustomObjectsApi(api)
        self.core: Any = kubernetes_client.CoreV1Api(api)
        self.operator = OperatorProcess(self._account(), folder, self.settings())

    def settings(self, **changes: object) -> dict[str, object]:
        """Return the operator's settings for this stage."""
        return {
            "oci_endpoint": self.emulator.http,
            "watch_namespaces": json.dumps([self.namespace]),
            "operator_namespace": self.namespace,
            "lease_duration_seconds": 13,
            **FAST,
            **changes,
        }

    def _account(self) -> Path:
        """Make the operator's ServiceAccount with its declared permissions, and return its kubeconfig."""
        subject = {"kind": "ServiceAccount", "name": "operator", "namespace": self.namespace}
        name = f"operator-{self.namespace}"
        rules = [p.rule() for p in (*WATCHED_NAMESPACES, *OWN_NAMESPACE)]
        self.kubectl_apply(
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "operator"}},
            _role("Role", "operator", rules),
            _binding("RoleBinding", "operator", "Role", subject),
            _role("ClusterRole", name, [p.rule() for p in CLUSTER]),
            _binding("ClusterRoleBinding", name, "ClusterRole", subject),
        )
        path = self.folder / "operator.kubeconfig"
        path.write_text(self.cluster.kubeconfig_for_service_account(self.namespace, "operator"))
        return path

    # Kubernetes

    def kubectl(self, *arguments: str, stdin: str = "", check: bool = True) -> str:
        """Run kubectl in the stage's namespace, and return what it prints."""
        done = subprocess.run(
            [
                str(self.cluster.kubectl),
                "--kubeconfig",
                str(self.cluster.kubeconfig),
                "--namespace",
                self.namespace,
                *arguments,
            ],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"kubectl {' '.join(arguments)}: {done.stderr}")
        return done.stdout if check else done.stdout + done.stderr

    def kubectl_apply(self, *documents: Document, check: bool = True) -> str:
        """Apply documents in one call, as a user does."""
        return self.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(documents), check=check)

    def create(self, document: Document) -> Document:
        """Create an object of ours."""
        created: Document = self.objects.create_namespaced_custom_object(
            GROUP, VERSION, self.namespace, PLURALS[document["kind"]], document
        )
        return created

    def get(self, kind: str, name: str) -> Document:
        """Return an object of ours."""
        found: Document = self.objects.get_namespaced_custom_object(
            GROUP, VERSION, self.namespace, PLURALS[kind], name
        )
        return found

    def all(self, kind: str) -> list[Document]:
        """Return all objects of a kind."""
        found = self.objects.list_namespaced_custom_object(
            GROUP, VERSION, self.namespace, PLURALS[kind]
        )
        return list(found["items"])

    def patch(self, kind: str, name: str, change: Document) -> Document:
        """Merge a change into an object."""
        patched: Document = self.objects.patch_namespaced_custom_object(
            GROUP, VERSION, self.namespace, PLURALS[kind], name, change
        )
        return patched

    def delete(self, kind: str, name: str) -> None:
        """Ask for an object's deletion."""
        self.objects.delete_namespaced_custom_object(
            GROUP, VERSION, self.namespace, PLURALS[kind], name
        )

    def until(
        self,
        kind: str,
        name: str,
        is_so: Callable[[Document], bool],
        *,
        seconds: float = 60,
    ) -> Document:
        """Return the object as soon as it is so; fail with its status if it never is."""
        seen: Document = {}
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            watch = kubernetes_watch.Watch()
            changes: Any = watch.stream(
                self.objects.list_namespaced_custom_object,
                GROUP,
                VERSION,
                self.namespace,
                PLURALS[kind],
                field_selector=f"metadata.name={name}",
                timeout_seconds=max(1, int(left)),
            )
            for event in changes:
                seen = event["object"]
                if event["type"] != "DELETED" and is_so(seen):
                    watch.stop()
                    return seen
        raise AssertionError(
            f"{kind} {name} never got so in {seconds} s; it is:\n{yaml.safe_dump(seen)}"
            f"\n{self.operator.log.read_text()[-3000:] if self.operator.log.exists() else ''}"
        )

    def until_gone(self, kind: str, name: str, *, seconds: float = 60) -> None:
        """Return when the object does not exist."""
        self.kubectl(
            "wait", "--for=delete", f"{PLURALS[kind]}.{GROUP}/{name}", f"--timeout={seconds}s"
        )

    def until_reason(self, kind: str, name: str, reason: str, *, seconds: float = 60) -> Document:
        """Return the object as soon as `Ready` has the reason."""
        return self.until(
            kind, name, lambda o: condition(o, "Ready")["reason"] == reason, seconds=seconds
        )

    def until_ended(self, name: str, *, seconds: float = 60) -> Document:
        """Return a run as soon as its phase is terminal."""
        terminal = {"Succeeded", "Failed", "Cancelled"}
        return self.until("OCIJobRun", name, lambda o: phase(o) in terminal, seconds=seconds)

    def events(self, name: str) -> list[tuple[str, str, str]]:
        """Return type, reason and message of the Events on an object."""
        found = self.core.list_namespaced_event(
            self.namespace, field_selector=f"involvedObject.name={name}"
        )
        return [(event.type, event.reason, event.message) for event in found.items]

    def until_event(self, name: str, reason: str, *, seconds: float = 30) -> str:
        """Return the message of the first Event on an object that has the reason."""
        watch = kubernetes_watch.Watch()
        changes: Any = watch.stream(
            self.core.list_namespaced_event,
            self.namespace,
            field_selector=f"involvedObject.name={name},reason={reason}",
            timeout_seconds=int(seconds),
        )
        for event in changes:
            watch.stop()
            return str(event["object"].message)
        raise AssertionError(f"no Event {reason} on {name}, but {self.events(name)}")

    def writes(self, kind: str, name: str | None = None) -> list[tuple[str, str]]:
        """Return the operator's accepted writes of objects of a kind: subresource (or "") and object name."""
        user = f"system:serviceaccount:{self.namespace}:operator"
        found = []
        for line in Path(str(self.cluster.audit_log)).read_text().splitlines():
            entry = json.loads(line)
            ref = entry.get("objectRef", {})
            if (
                entry.get("user", {}).get("username") == user
                and entry["verb"] in {"create", "update", "patch"}
                and entry.get("stage") == "ResponseComplete"
                and entry.get("responseStatus", {}).get("code", 0) < 300
                and ref.get("resource") == PLURALS[kind]
                and (name is None or ref.get("name") == name)
            ):
                found.append((ref.get("subresource", ""), ref.get("name", "")))
        return found

    # OCI

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
        self.kubectl_apply(secret, identity)

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

    def job_runs(self) -> list[Any]:
        """Return all job runs in the emulator."""
        client = self.oci_client(oci.data_science.DataScienceClient)
        return list(
            oci.pagination.list_call_get_all_results(
                client.list_job_runs, self.emulator.tenancy, limit=100
            ).data
        )


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


def condition(document: Document, kind: str) -> Document:
    """Return a condition of an object; an empty one with the reason "" if there is none."""
    found = document.get("status", {}).get("conditions", [])
    return next(
        (c for c in found if c["type"] == kind), {"status": "", "reason": "", "message": ""}
    )


def phase(document: Document) -> str:
    """Return the phase of a run."""
    return str(document.get("status", {}).get("phase", ""))
