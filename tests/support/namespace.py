"""A namespace of a real control plane: manifests are applied, and what comes of them is awaited."""

import functools
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from kubernetes import client as kubernetes_client
from kubernetes import config as kubernetes_config
from kubernetes import dynamic
from kubernetes import watch as kubernetes_watch
from tests.support.patience import patience

from kubecontrolplane.cluster import Cluster
from ocijobs.api.crd import KINDS
from ocijobs.api.shared.names import GROUP, VERSION

Document = dict[str, Any]

PLURALS = {kind.name: kind.plural for kind in KINDS}

# By default the client keeps what it discovers under the server's address, and the next control plane may have the
# same one.
_DISCOVERED = tempfile.TemporaryDirectory(prefix="discovered-")


class Namespace:
    """The objects of one namespace."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self.cluster, self.namespace = cluster, name
        self._dynamic = _client(cluster.kubeconfig)
        self.objects: Any = kubernetes_client.CustomObjectsApi(self._dynamic.client)
        self.core: Any = kubernetes_client.CoreV1Api(self._dynamic.client)

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

    def apply(self, *documents: Document) -> None:
        """Apply documents in their order, server-side, without the cost of a kubectl."""
        for document in documents:
            resource = self._dynamic.resources.get(
                api_version=document["apiVersion"], kind=document["kind"]
            )
            namespace = document["metadata"].get("namespace", self.namespace)
            self._dynamic.server_side_apply(
                resource,
                document,
                namespace=namespace if resource.namespaced else None,
                field_manager="tests",
                force_conflicts=True,
            )

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

    def patch_status(self, kind: str, name: str, change: Document) -> None:
        """Merge a change into an object's status, as only the operator should."""
        self.objects.patch_namespaced_custom_object_status(
            GROUP, VERSION, self.namespace, PLURALS[kind], name, {"status": change}
        )

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
        deadline = time.monotonic() + patience(seconds)
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
            f"{kind} {name} never got so in {seconds} s; it is:\n{yaml.safe_dump(seen)}{self.hint()}"
        )

    def hint(self) -> str:
        """Return what else may say why a test fails."""
        return ""

    def until_gone(self, kind: str, name: str, *, seconds: float = 60) -> None:
        """Return when the object does not exist."""
        where = (GROUP, VERSION, self.namespace, PLURALS[kind])
        only = f"metadata.name={name}"
        listed = self.objects.list_namespaced_custom_object(*where, field_selector=only)
        if not listed["items"]:
            return
        watch = kubernetes_watch.Watch()
        changes: Any = watch.stream(
            self.objects.list_namespaced_custom_object,
            *where,
            field_selector=only,
            resource_version=listed["metadata"]["resourceVersion"],
            timeout_seconds=int(patience(seconds)),
        )
        for event in changes:
            if event["type"] == "DELETED":
                watch.stop()
                return
        raise AssertionError(f"{kind} {name} is still there after {seconds} s{self.hint()}")

    def until_reason(self, kind: str, name: str, reason: str, *, seconds: float = 60) -> Document:
        """Return the object as soon as `Ready` has the reason."""
        return self.until(
            kind, name, lambda o: condition(o, "Ready")["reason"] == reason, seconds=seconds
        )

    def until_told(self, kind: str, name: str, text: str, *, seconds: float = 60) -> Document:
        """Return the object as soon as the message of `Ready` has the text."""
        return self.until(
            kind, name, lambda o: text in condition(o, "Ready")["message"], seconds=seconds
        )

    def until_synced(self, name: str, *, seconds: float = 60) -> Document:
        """Await that an OCIJob is in OCI as its newest manifest says, and return it."""
        return self.until("OCIJob", name, is_synced, seconds=seconds)

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

    def until_event(
        self, name: str, reason: str, *, namespace: str | None = None, seconds: float = 30
    ) -> str:
        """Return the message of the first Event on an object, of this namespace or another, that has the reason."""
        watch = kubernetes_watch.Watch()
        changes: Any = watch.stream(
            self.core.list_namespaced_event,
            namespace or self.namespace,
            field_selector=f"involvedObject.name={name},reason={reason}",
            timeout_seconds=int(patience(seconds)),
        )
        for event in changes:
            watch.stop()
            return str(event["object"].message)
        raise AssertionError(f"no Event {reason} on {name}, but {self.events(name)}")


@functools.lru_cache(maxsize=4)
def _client(kubeconfig: Path) -> dynamic.DynamicClient:
    """Return the client of a control plane that all tests of this process share."""
    configuration = kubernetes_client.Configuration()
    kubernetes_config.load_kube_config(str(kubeconfig), client_configuration=configuration)
    api = kubernetes_client.ApiClient(configuration)
    return dynamic.DynamicClient(
        api, cache_file=str(Path(_DISCOVERED.name, f"{kubeconfig.parent.name}.json"))
    )


def condition(document: Document, kind: str) -> Document:
    """Return a condition of an object; an empty one with the reason "" if there is none."""
    found = document.get("status", {}).get("conditions", [])
    return next(
        (c for c in found if c["type"] == kind), {"status": "", "reason": "", "message": ""}
    )


def is_synced(job: Document) -> bool:
    """Whether an OCIJob is in OCI as its newest manifest says."""
    ready = condition(job, "Ready")
    state = (ready["status"], ready["reason"], ready.get("observedGeneration"))
    return state == ("True", "Synced", job["metadata"]["generation"])


def phase(document: Document) -> str:
    """Return the phase of a run."""
    return str(document.get("status", {}).get("phase", ""))
