"""The control plane behaves as a real cluster: RBAC, tokens, collection, namespaces, CEL, audit.

These tests use the plugin's own fixtures, as the tests of any operator would.
"""

import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.patience import patience

from kubecontrolplane.cluster import Cluster, ControlPlane, find_by_kubeconfig
from kubecontrolplane.errors import ApiError, ForeignClusterError

pytestmark = pytest.mark.breadth

GENEROUS = patience(120)
TIMEOUT = f"--timeout={GENEROUS}s"

Kube = Callable[..., subprocess.CompletedProcess[str]]

READER = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader}
rules:
  - {apiGroups: [""], resources: [configmaps], verbs: [get, list]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects:
  - {kind: ServiceAccount, name: robot}
  - {kind: Group, apiGroup: rbac.authorization.k8s.io, name: readers}
"""
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: example.org/web}]}
"""
# No pod is ever needed, so the job is complete at once and its time to live over.
JOB = """\
apiVersion: batch/v1
kind: Job
metadata: {name: short}
spec:
  completions: 0
  ttlSecondsAfterFinished: 0
  template: {spec: {restartPolicy: Never, containers: [{name: a, image: example.org/a}]}}
"""


@pytest.fixture
def control_plane(cluster: Cluster) -> ControlPlane:
    """The control plane of the run; what another maker's cluster does is not ours to test."""
    if not isinstance(cluster, ControlPlane):
        pytest.skip("the cluster of this run was not made by kubecontrolplane")
    return cluster


@pytest.fixture
def kube(control_plane: ControlPlane, namespace: str) -> Kube:
    """Kubectl in the test's namespace, with the administrator's or another kubeconfig."""

    def run(
        *arguments: str, stdin: str = "", kubeconfig: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        who = f"--kubeconfig={kubeconfig or control_plane.kubeconfig}"
        return subprocess.run(
            [control_plane.kubectl, who, f"--namespace={namespace}", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


class TestIdentities:
    def test_a_service_account_may_do_what_it_was_granted_and_nothing_else(
        self, kube: Kube, control_plane: ControlPlane, namespace: str, tmp_path: Path
    ) -> None:
        kube("create", "serviceaccount", "robot").check_returncode()
        kube("apply", "-f", "-", stdin=READER).check_returncode()
        robot = tmp_path / "robot"
        robot.write_text(control_plane.kubeconfig_for_service_account(namespace, "robot"))

        granted = kube("get", "configmaps", "-o", "name", kubeconfig=robot)
        assert granted.stdout == "configmap/kube-root-ca.crt\n", granted.stderr
        denied = kube("get", "secrets", kubeconfig=robot)
        assert denied.returncode == 1
        name = f"system:serviceaccount:{namespace}:robot"
        assert f'Forbidden): secrets is forbidden: User "{name}" cannot list' in denied.stderr

    def test_a_token_of_kubectl_says_who_it_is(
        self, kube: Kube, control_plane: ControlPlane, namespace: str
    ) -> None:
        token = kube("create", "token", "default", "--duration=10m").stdout
        # An empty kubeconfig, so that nobody but the token speaks.
        done = kube(
            *("auth", "whoami", "--output=jsonpath={.status.userInfo.username}"),
            *(f"--server={control_plane.server}", f"--token={token}"),
            f"--certificate-authority={control_plane.directory / 'pki' / 'ca.crt'}",
            kubeconfig=Path(os.devnull),
        )
        assert done.stdout == f"system:serviceaccount:{namespace}:default", done.stderr

    def test_a_user_has_what_its_group_was_granted(
        self, kube: Kube, control_plane: ControlPlane, tmp_path: Path
    ) -> None:
        kube("apply", "-f", "-", stdin=READER).check_returncode()
        ann = tmp_path / "ann"
        ann.write_text(control_plane.kubeconfig_for_user("ann", ["readers"]))
        assert kube("get", "configmaps", kubeconfig=ann).returncode == 0
        assert 'User "ann" cannot create' in kube("create", "configmap", "x", kubeconfig=ann).stderr

    def test_an_account_that_is_not_there_is_an_error(
        self, control_plane: ControlPlane, namespace: str
    ) -> None:
        with pytest.raises(ApiError, match='serviceaccounts "nobody" not found') as refused:
            control_plane.kubeconfig_for_service_account(namespace, "nobody")
        assert refused.value.status == 404


class TestControllers:
    def test_a_namespace_goes_with_all_that_is_in_it(self, kube: Kube, namespace: str) -> None:
        kube("create", "configmap", "inside").check_returncode()
        done = kube("delete", "namespace", namespace, TIMEOUT)
        assert done.returncode == 0, done.stderr
        assert "not found" in kube("get", "namespace", namespace).stderr

    def test_what_an_object_owns_goes_with_it(self, kube: Kube) -> None:
        kube("apply", "-f", "-", stdin=DEPLOYMENT).check_returncode()
        made = kube("wait", "--for=create", "replicaset", "--selector=app=web", TIMEOUT)
        assert made.returncode == 0, made.stderr
        kube("delete", "deployment", "web", "--cascade=foreground").check_returncode()
        assert kube("get", "replicaset", "-o", "name").stdout == ""

    def test_a_finished_job_goes_when_its_time_to_live_is_over(self, kube: Kube) -> None:
        kube("create", "-f", "-", stdin=JOB).check_returncode()
        done = kube("wait", "--for=delete", "job/short", TIMEOUT)
        assert done.returncode == 0, done.stderr


class TestAdmission:
    def test_rules_in_cel_are_checked(self, kube: Kube, namespace: str) -> None:
        crd = {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": f"gadgets.{namespace}.example"},
            "spec": {
                "group": f"{namespace}.example",
                "names": {"kind": "Gadget", "plural": "gadgets"},
                "scope": "Namespaced",
                "versions": [
                    {
                        "name": "v1",
                        "served": True,
                        "storage": True,
                        "schema": {
                            "openAPIV3Schema": {
                                "type": "object",
                                "properties": {"size": {"type": "integer"}},
                                "x-kubernetes-validations": [
                                    {"rule": "self.size < 3", "message": "too large a gadget"}
                                ],
                            }
                        },
                    }
                ],
            },
        }
        kube("create", "-f", "-", stdin=json.dumps(crd)).check_returncode()
        name = f"crd/gadgets.{namespace}.example"
        kube("wait", "--for=condition=Established", name, TIMEOUT).check_returncode()
        gadget = {
            "apiVersion": f"{namespace}.example/v1",
            "kind": "Gadget",
            "metadata": {"name": "g"},
        }
        refused = kube("create", "-f", "-", stdin=json.dumps({**gadget, "size": 3}))
        assert "too large a gadget" in refused.stderr
        accepted = kube("create", "-f", "-", stdin=json.dumps({**gadget, "size": 2}))
        kube("delete", name).check_returncode()
        assert accepted.returncode == 0, accepted.stderr

    def test_nothing_is_created_in_a_namespace_that_is_not_there(self, kube: Kube) -> None:
        done = kube("create", "configmap", "x", "--namespace=nowhere")
        assert 'namespaces "nowhere" not found' in done.stderr


def await_events(
    control_plane: ControlPlane, wanted: Callable[[dict[str, Any]], bool]
) -> list[dict[str, Any]]:
    """The wanted events of the audit log, as soon as there are any."""
    assert control_plane.audit_log is not None
    deadline = time.monotonic() + GENEROUS
    while time.monotonic() < deadline:
        # The last line may still be in the middle of being written.
        lines = control_plane.audit_log.read_text().splitlines(keepends=True)
        events = [json.loads(line) for line in lines if line.endswith("\n")]
        if found := [event for event in events if wanted(event)]:
            return found
        # The audit log is a file of another program, and tells nobody that it grew.
        time.sleep(0.05)
    pytest.fail(f"no such event in {control_plane.audit_log}")


class TestAudit:
    def test_a_request_is_there_once(
        self, kube: Kube, control_plane: ControlPlane, namespace: str, tmp_path: Path
    ) -> None:
        ann = tmp_path / "ann"
        ann.write_text(control_plane.kubeconfig_for_user("ann"))
        assert kube("delete", "secret", "treasure", kubeconfig=ann).returncode == 1
        [event] = await_events(
            control_plane,
            lambda event: (
                event["user"]["username"] == "ann"
                and event.get("objectRef", {}).get("namespace") == namespace
            ),
        )
        assert (event["verb"], event["objectRef"]["resource"]) == ("delete", "secrets")
        assert event["objectRef"]["name"] == "treasure"
        assert event["responseStatus"]["code"] == 403


class TestForeignClusters:
    def test_the_kubeconfig_leads_to_the_cluster(self, control_plane: ControlPlane) -> None:
        assert find_by_kubeconfig(control_plane.kubeconfig) == control_plane

    def test_clients_that_ask_the_environment_get_this_cluster(
        self, control_plane: ControlPlane
    ) -> None:
        assert os.environ["KUBECONFIG"] == str(control_plane.kubeconfig)

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("server", "https://prod.example.org:6443"),
            ("certificate-authority-data", "c29tZWJvZHkgZWxzZSdz"),
        ],
    )
    def test_a_copy_that_leads_elsewhere_is_refused(
        self, field: str, value: str, control_plane: ControlPlane, tmp_path: Path
    ) -> None:
        document = yaml.safe_load(control_plane.kubeconfig.read_text())
        document["clusters"][0]["cluster"][field] = value
        copy = tmp_path / "copy"
        copy.write_text(yaml.safe_dump(document))
        with pytest.raises(ForeignClusterError, match="leads to"):
            find_by_kubeconfig(copy)

    def test_another_user_of_the_cluster_is_accepted(
        self, control_plane: ControlPlane, tmp_path: Path
    ) -> None:
        copy = tmp_path / "ann"
        copy.write_text(control_plane.kubeconfig_for_user("ann"))
        assert find_by_kubeconfig(copy) == control_plane
