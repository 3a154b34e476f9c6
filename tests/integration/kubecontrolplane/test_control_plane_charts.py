"""helm and kubeconform, with schemas that need no network."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from kubecontrolplane.binaries import CHART_TOOLS, CONTROL_PLANE
from kubecontrolplane.build import Pins, ensure_built
from kubecontrolplane.cluster import Cluster

pytestmark = pytest.mark.breadth

DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    # As templates render them: the API server takes null for an optional field.
    "metadata": {"name": "web", "labels": None, "creationTimestamp": None},
    "spec": {
        "replicas": 1,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {
                "containers": [
                    {
                        "name": "web",
                        "image": "example.org/web",
                        "resources": {"limits": {"cpu": 1, "memory": "1Gi"}},
                        "livenessProbe": {"httpGet": {"path": "/", "port": "http"}},
                    }
                ]
            },
        },
    },
}
CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.shop.example}
spec:
  group: shop.example
  names: {kind: Gadget, plural: gadgets}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec: {type: object, required: [size], properties: {size: {type: integer}}}
"""


@pytest.fixture(scope="module")
def tools() -> Path:
    """The directory of the chart tools."""
    return ensure_built(CHART_TOOLS)


@pytest.fixture(scope="module")
def location(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where kubeconform finds schemas of Kubernetes and of the gadget."""
    directory = tmp_path_factory.mktemp("schemas")
    crd = directory / "crd.yaml"
    crd.write_text(CRD)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "kubecontrolplane", "schemas"),
            *("--output", str(directory), "--crd", str(crd)),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "schemas in" in done.stderr
    return done.stdout.strip()


class Kubeconform:
    """kubeconform, strict, with those schemas only."""

    def __init__(self, program: Path, location: str) -> None:
        self.command = [str(program), "-strict", "-summary", "-schema-location", location]

    def check(self, document: object) -> subprocess.CompletedProcess[str]:
        """Check one document, or several as text."""
        text = document if isinstance(document, str) else yaml.safe_dump(document)
        return subprocess.run(
            [*self.command, "-"], input=text, capture_output=True, text=True, check=False
        )


@pytest.fixture(scope="module")
def kubeconform(tools: Path, location: str) -> Kubeconform:
    return Kubeconform(tools / "kubeconform", location)


@pytest.fixture
def chart(tools: Path, tmp_path: Path) -> Path:
    """The chart that `helm create` proposes."""
    subprocess.run([tools / "helm", "create", "web"], cwd=tmp_path, check=True)
    return tmp_path / "web"


class TestSchemas:
    def test_what_the_api_server_takes_is_valid(self, kubeconform: Kubeconform) -> None:
        done = kubeconform.check(DEPLOYMENT)
        assert "Valid: 1, Invalid: 0, Errors: 0, Skipped: 0" in done.stdout

    def test_an_unknown_field_is_invalid(self, kubeconform: Kubeconform) -> None:
        spec = DEPLOYMENT["spec"]
        assert isinstance(spec, dict)
        done = kubeconform.check({**DEPLOYMENT, "spec": {**spec, "replicaz": 1}})
        assert done.returncode == 1
        assert "additional properties 'replicaz' not allowed" in done.stdout

    def test_a_field_of_another_type_is_invalid(self, kubeconform: Kubeconform) -> None:
        spec = DEPLOYMENT["spec"]
        assert isinstance(spec, dict)
        done = kubeconform.check({**DEPLOYMENT, "spec": {**spec, "replicas": "one"}})
        assert done.returncode == 1
        assert "got string, want" in done.stdout

    def test_a_definition_of_custom_resources_is_valid_although_it_is_recursive(
        self, kubeconform: Kubeconform
    ) -> None:
        assert kubeconform.check(CRD).returncode == 0

    @pytest.mark.parametrize(
        ("spec", "status"),
        [({"size": 1}, 0), ({"size": 1, "colour": "red"}, 1), ({}, 1)],
        ids=["right", "unknown field", "missing field"],
    )
    def test_custom_resources_are_checked(
        self, spec: dict[str, object], status: int, kubeconform: Kubeconform
    ) -> None:
        gadget = {
            "apiVersion": "shop.example/v1",
            "kind": "Gadget",
            "metadata": {"name": "g"},
            "spec": spec,
        }
        done = kubeconform.check(gadget)
        assert done.returncode == status, done.stdout

    def test_every_object_of_the_running_cluster_is_valid(
        self, kubeconform: Kubeconform, cluster: Cluster
    ) -> None:
        """What the API server itself writes can't be wrong."""
        kinds = "namespaces,serviceaccounts,configmaps,services,clusterroles,clusterrolebindings"
        more = "roles,rolebindings,flowschemas,prioritylevelconfigurations,priorityclasses,leases"
        found = subprocess.run(
            [cluster.kubectl, "get", f"{kinds},{more}", "--all-namespaces", "-o", "yaml"],
            capture_output=True,
            text=True,
            check=True,
        )
        items = yaml.safe_load(found.stdout)["items"]
        assert len(items) > 50
        done = kubeconform.check(yaml.safe_dump_all(items))
        assert "Invalid: 0, Errors: 0, Skipped: 0" in done.stdout, done.stdout


class TestHelm:
    def test_it_knows_its_release(self, tools: Path) -> None:
        said = subprocess.run(
            [tools / "helm", "version", "--short"], capture_output=True, text=True, check=True
        )
        pinned = Pins.of(CHART_TOOLS).version("helm.sh/helm/v4")
        assert said.stdout.startswith(pinned)

    def test_what_it_renders_can_be_checked(
        self, tools: Path, chart: Path, kubeconform: Kubeconform
    ) -> None:
        rendered = subprocess.run(
            [tools / "helm", "template", "web", chart], capture_output=True, text=True, check=True
        )
        done = kubeconform.check(rendered.stdout)
        assert done.returncode == 0, done.stdout

    def test_it_reads_the_release_of_the_server(
        self, tools: Path, chart: Path, namespace: str
    ) -> None:
        (chart / "templates" / "NOTES.txt").write_text("{{ .Capabilities.KubeVersion }}\n")
        done = subprocess.run(
            [tools / "helm", "install", "web", chart, "--namespace", namespace],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert Pins.of(CONTROL_PLANE).version("k8s.io/kubernetes") in done.stdout
