"""The Helm chart: what it makes, and that the API server takes it."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubecontrolplane.binaries import CHART_TOOLS
from kubecontrolplane.build import ensure_built
from kubecontrolplane.cluster import Cluster
from ocijobs.api.crd import custom_resource_definitions
from ocijobs.kube.permissions import CLUSTER, OWN_NAMESPACE, WATCHED_NAMESPACES, Permission
from ocijobs.settings import SETTINGS_FILE_VARIABLE, Settings, load

ROOT = Path(__file__).parents[3]
CHART = ROOT / "helm" / "oci-jobs-operator"

VALUES: dict[str, dict[str, Any]] = {
    "defaults": {},
    "one namespace": {"watchNamespaces": ["team"], "replicas": 1},
    "no cluster-wide permission": {
        "watchNamespaces": ["team-a", "team-b"],
        "settings": {"clusterId": "prod-1"},
        "crds": {"enabled": False},
        "rbac": {"aggregateRoles": False},
    },
    "everything": {
        "image": {"repository": "registry.example/ocijobs", "digest": f"sha256:{'a' * 64}"},
        "imagePullSecrets": [{"name": "pull"}],
        "settings": {"httpPort": 9090, "pollMaxSeconds": 30, "logLevel": "DEBUG"},
        "serviceAccount": {"name": "robot", "annotations": {"team": "ml"}},
        "extraEnv": [{"name": "HTTPS_PROXY", "value": "http://proxy.example:3128"}],
        "extraVolumes": [{"name": "ca", "configMap": {"name": "ca"}}],
        "extraVolumeMounts": [{"name": "ca", "mountPath": "/etc/ca"}],
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"key": "ml", "operator": "Exists"}],
        "affinity": {"nodeAffinity": {}},
        "priorityClassName": "system-cluster-critical",
        "podLabels": {"team": "ml"},
        "podAnnotations": {"note": "here"},
        "metrics": {"service": {"annotations": {"a": "b"}}, "serviceMonitor": {"enabled": True}},
        "networkPolicy": {"enabled": True, "metricsFrom": [{"podSelector": {}}]},
        "fetcher": {
            "replicas": 2,
            "extraEnv": [{"name": "HTTPS_PROXY", "value": "http://proxy.example:3128"}],
            "resources": {"limits": {"memory": "2Gi"}},
            "tmpVolume": {"emptyDir": {"sizeLimit": "5Gi"}},
            "podLabels": {"team": "ml"},
            "podAnnotations": {"note": "here"},
        },
    },
}

Documents = list[dict[str, Any]]


@pytest.fixture(scope="module")
def tools() -> Path:
    """The directory of helm and kubeconform."""
    return ensure_built(CHART_TOOLS)


class Chart:
    """The chart, rendered with values."""

    def __init__(self, helm: Path, folder: Path) -> None:
        self._helm, self._folder = helm, folder

    def helm(
        self, command: str, *arguments: str, **values: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run helm on the chart; `values` are those of the release."""
        file = self._folder / "values.yaml"
        file.write_text(yaml.safe_dump(values))
        return subprocess.run(
            [self._helm, command, *arguments, str(CHART), "--values", str(file)],
            capture_output=True,
            text=True,
            check=False,
        )

    def text(self, **values: Any) -> str:
        """Return the manifests."""
        done = self.helm("template", "--namespace", "home", "jobs", **values)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def documents(self, kind: str | None = None, **values: Any) -> Documents:
        """Return the objects, or those of one kind."""
        # libyaml's parser takes a tenth of the time for half a megabyte of definitions.
        parsed = yaml.load_all(self.text(**values), Loader=yaml.CSafeLoader)
        found = [document for document in parsed if document]
        return [each for each in found if kind in {None, each["kind"]}]


OPERATOR, FETCHER = "jobs-oci-jobs-operator", "jobs-oci-jobs-operator-fetcher"


def deployment_of(chart: Chart, name: str, **values: Any) -> dict[str, Any]:
    """Return the Deployment of one of the two programs."""
    made = {each["metadata"]["name"]: each for each in chart.documents("Deployment", **values)}
    found: dict[str, Any] = made[name]
    return found


@pytest.fixture
def chart(tools: Path, tmp_path: Path) -> Chart:
    return Chart(tools / "helm", tmp_path)


@pytest.fixture(scope="module")
def schemas(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where kubeconform finds schemas of Kubernetes and of our kinds."""
    folder = tmp_path_factory.mktemp("schemas")
    crds = [
        part for path in sorted((ROOT / "crds").glob("*.yaml")) for part in ("--crd", str(path))
    ]
    command = [sys.executable, "-m", "kubecontrolplane", "schemas", "--output", str(folder), *crds]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_every_object_is_what_its_schema_says(
    chart: Chart, tools: Path, schemas: str, values: dict[str, Any]
) -> None:
    assert chart.helm("lint", "--strict", **values).returncode == 0
    # Prometheus Operator's kind and definitions themselves have no schema here.
    options = ["-strict", "-skip", "ServiceMonitor,CustomResourceDefinition"]
    checked = subprocess.run(
        [tools / "kubeconform", *options, "-schema-location", schemas, "-"],
        input=chart.text(**values),
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"replica": 2}, "replica"),
        ({"replicas": "two"}, "replicas"),
        ({"watchNamespaces": "team"}, "watchNamespaces"),
        ({"settings": {"pollSeconds": 3}}, "pollSeconds"),
        ({"settings": {"pollMaxSeconds": 0}}, "pollMaxSeconds"),
        ({"settings": {"watchNamespaces": ["team"]}}, "watchNamespaces"),
        ({"image": {"digest": "latest"}}, "digest"),
        (
            {"metrics": {"service": {"enabled": False}, "serviceMonitor": {"enabled": True}}},
            "a ServiceMonitor finds pods by their Service",
        ),
    ],
    ids=str,
)
def test_wrong_values_are_refused_with_their_name(
    chart: Chart, values: dict[str, Any], message: str
) -> None:
    done = chart.helm("template", "jobs", **values)
    assert done.returncode != 0
    assert message in done.stderr


def _rules(permissions: tuple[Permission, ...]) -> list[dict[str, list[str]]]:
    return [permission.rule() for permission in permissions]


def _aggregated(role: dict[str, Any]) -> str:
    """Return which of Kubernetes' own roles this one joins."""
    prefix = "rbac.authorization.k8s.io/aggregate-to-"
    labels = role["metadata"]["labels"]
    return next((each.removeprefix(prefix) for each in labels if each.startswith(prefix)), "")


def test_a_cluster_wide_release_may_do_what_the_operator_does_and_no_more(chart: Chart) -> None:
    roles = chart.documents("ClusterRole")
    [role] = [each for each in roles if not _aggregated(each)]
    assert role["rules"] == _rules((*CLUSTER, *WATCHED_NAMESPACES))
    assert {_aggregated(each) for each in roles} == {"", "view", "edit"}
    [own] = chart.documents("Role")
    assert own["metadata"]["namespace"] == "home"
    assert own["rules"] == _rules(OWN_NAMESPACE)


def test_a_release_for_some_namespaces_reads_secrets_nowhere_else(chart: Chart) -> None:
    values = VALUES["one namespace"]
    [role] = [each for each in chart.documents("ClusterRole", **values) if not _aggregated(each)]
    assert role["rules"] == _rules(CLUSTER)
    rules = {
        each["metadata"]["namespace"]: each["rules"] for each in chart.documents("Role", **values)
    }
    assert rules == {"team": _rules(WATCHED_NAMESPACES), "home": _rules(OWN_NAMESPACE)}


def test_a_release_can_do_without_any_cluster_wide_object(chart: Chart) -> None:
    made = {each["kind"] for each in chart.documents(**VALUES["no cluster-wide permission"])}
    assert {kind for kind in made if kind.startswith(("Cluster", "Custom"))} == set()


def test_every_role_is_bound_to_the_operator(chart: Chart) -> None:
    for values in VALUES.values():
        documents = chart.documents(**values)
        [account] = [each["metadata"] for each in documents if each["kind"] == "ServiceAccount"]
        bindings = [each for each in documents if each["kind"].endswith("Binding")]
        bound = {
            (each["roleRef"]["kind"], each["metadata"].get("namespace"), each["roleRef"]["name"])
            for each in bindings
        }
        roles = {
            (each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"])
            for each in documents
            if each["kind"] in {"Role", "ClusterRole"} and not _aggregated(each)
        }
        assert bound == roles
        subject = {"kind": "ServiceAccount", "name": account["name"], "namespace": "home"}
        assert all(each["subjects"] == [subject] for each in bindings)


def test_the_definitions_are_ours_and_survive_the_release(chart: Chart) -> None:
    made = {each["metadata"]["name"]: each for each in chart.documents("CustomResourceDefinition")}
    ours = {each["metadata"]["name"]: each for each in custom_resource_definitions()}
    assert {name: each["spec"] for name, each in made.items()} == {
        name: each["spec"] for name, each in ours.items()
    }
    for each in made.values():
        assert each["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    given_up = chart.documents("CustomResourceDefinition", crds={"keep": False})
    assert not any("annotations" in each["metadata"] for each in given_up)


def test_the_operator_takes_the_settings_of_the_release(
    chart: Chart, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {
        "watchNamespaces": ["team"],
        "settings": {"pollMaxSeconds": 30, "artifactLimitBytes": 4294967296, "httpPort": 9090},
    }
    [config] = chart.documents("ConfigMap", **values)
    file = tmp_path / "settings.yaml"
    file.write_text(config["data"]["settings.yaml"])
    monkeypatch.setenv(SETTINGS_FILE_VARIABLE, str(file))
    settings = load()
    assert (settings.watch_namespaces, settings.operator_namespace) == (("team",), "home")
    assert (settings.poll_max_seconds, settings.artifact_limit_bytes) == (30, 4294967296)
    deployment = deployment_of(chart, OPERATOR, **values)
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    assert container["ports"] == [{"name": "http", "containerPort": settings.http_port}]
    assert {"name": SETTINGS_FILE_VARIABLE, "value": "/etc/ocijobs/settings.yaml"} in container[
        "env"
    ]


def test_a_change_of_settings_restarts_the_pods(chart: Chart) -> None:
    def annotations(**values: Any) -> Any:
        deployment = deployment_of(chart, OPERATOR, **values)
        return deployment["spec"]["template"]["metadata"]["annotations"]

    assert annotations() != annotations(settings={"pollMaxSeconds": 30})
    assert annotations() == annotations(priorityClassName="high")


def test_the_api_server_takes_the_chart(chart: Chart, cluster: Cluster, namespace: str) -> None:
    values: dict[str, Any] = {"crds": {"enabled": False}, "fullnameOverride": namespace}
    documents = chart.documents(**values)
    for each in documents:
        if "namespace" in each["metadata"]:
            each["metadata"]["namespace"] = namespace
    _apply_dry(cluster, *documents)


@pytest.mark.parametrize("name", [OPERATOR, FETCHER])
def test_the_pods_meet_the_pod_security_level_restricted(
    chart: Chart, cluster: Cluster, namespace: str, name: str
) -> None:
    label = "pod-security.kubernetes.io/enforce=restricted"
    _kubectl(cluster, "label", "namespace", namespace, label)
    values = {**VALUES["everything"], "priorityClassName": ""}
    template = deployment_of(chart, name, **values)["spec"]["template"]
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "pod", "namespace": namespace},
        "spec": template["spec"] | {"serviceAccountName": "default"},
    }
    _apply_dry(cluster, pod)
    [container] = pod["spec"]["containers"]
    container["securityContext"]["allowPrivilegeEscalation"] = True
    with pytest.raises(AssertionError, match="violates PodSecurity"):
        _apply_dry(cluster, pod)


# The fetcher.


def test_the_fetcher_may_do_nothing_in_the_cluster(chart: Chart) -> None:
    pod = deployment_of(chart, FETCHER)["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert "serviceAccountName" not in pod
    [container] = pod["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    # It has a token by which it knows the operator, a disk, and nothing else.
    assert {mount["mountPath"] for mount in container["volumeMounts"]} == {
        "/etc/ocijobs-fetcher",
        "/tmp",  # noqa: S108 - the volume's
    }


def test_no_selector_of_the_operator_means_the_fetcher(chart: Chart) -> None:
    values = VALUES["everything"]
    labels = deployment_of(chart, FETCHER, **values)["spec"]["template"]["metadata"]["labels"]
    chosen = []
    for each in chart.documents(**values):
        spec = each.get("spec", {})
        selector = spec.get("selector") or spec.get("podSelector") or {}
        wanted = selector.get("matchLabels", selector)
        if each["kind"] in {"Service", "PodDisruptionBudget", "NetworkPolicy", "Deployment"} and (
            wanted.items() <= labels.items()
        ):
            chosen.append((each["kind"], each["metadata"]["name"]))
    assert sorted(chosen) == [
        ("Deployment", FETCHER),
        ("NetworkPolicy", FETCHER),
        ("Service", FETCHER),
    ]


def test_the_operator_finds_the_fetcher_and_both_have_its_token(chart: Chart) -> None:
    for values, secret in (
        ({}, FETCHER),
        ({"fetcher": {"existingSecret": "own"}}, "own"),
    ):
        [config] = chart.documents("ConfigMap", **values)
        settings = yaml.safe_load(config["data"]["settings.yaml"])
        assert settings["fetcherUrl"] == f"http://{FETCHER}.home.svc:8081"
        for name in (OPERATOR, FETCHER):
            pod = deployment_of(chart, name, **values)["spec"]["template"]["spec"]
            volumes = [v["secret"]["secretName"] for v in pod["volumes"] if "secret" in v]
            assert volumes == [secret]
            [container] = pod["containers"]
            mounts = [mount["mountPath"] for mount in container["volumeMounts"]]
            assert str(Path(settings["fetcherTokenFile"]).parent) in mounts
        made = [each["metadata"]["name"] for each in chart.documents("Secret", **values)]
        assert made == ([FETCHER] if secret == FETCHER else [])
    [service] = [s for s in chart.documents("Service") if s["metadata"]["name"] == FETCHER]
    assert service["spec"]["ports"] == [{"name": "http", "port": 8081, "targetPort": "http"}]


def test_a_release_can_do_without_a_fetcher_of_its_own(chart: Chart) -> None:
    values = {"fetcher": {"enabled": False}}
    [deployment] = chart.documents("Deployment", **values)
    assert deployment["metadata"]["name"] == OPERATOR
    assert chart.documents("Secret", **values) == []
    [config] = chart.documents("ConfigMap", **values)
    assert "fetcherUrl" not in yaml.safe_load(config["data"]["settings.yaml"])


def test_the_operator_alone_may_ask_the_fetcher_and_no_metadata_service_is_reached(
    chart: Chart,
) -> None:
    [policy] = [p for p in chart.documents("NetworkPolicy") if p["metadata"]["name"] == FETCHER]
    operator = deployment_of(chart, OPERATOR)["spec"]["selector"]
    [rule] = policy["spec"]["ingress"]
    assert rule == {"from": [{"podSelector": operator}], "ports": [{"port": "http"}]}
    names, everything = policy["spec"]["egress"]
    assert {port["port"] for port in names["ports"]} == {53}
    denied = {network for to in everything["to"] for network in to["ipBlock"]["except"]}
    assert set(Settings().source_denied_networks) <= denied
    own: Documents = [{"to": [{"podSelector": {}}]}]
    values = {"fetcher": {"networkPolicy": {"egress": own}}}
    [policy] = chart.documents("NetworkPolicy", **values)
    assert policy["spec"]["egress"] == own


def test_a_release_that_bounds_what_the_operator_reaches_lets_it_reach_the_fetcher(
    chart: Chart,
) -> None:
    dns = {"ports": [{"port": 53, "protocol": "UDP"}]}
    values = {"networkPolicy": {"enabled": True, "egress": [dns]}}
    [policy] = [
        p for p in chart.documents("NetworkPolicy", **values) if p["metadata"]["name"] == OPERATOR
    ]
    fetcher = deployment_of(chart, FETCHER)["spec"]["selector"]
    assert policy["spec"]["egress"] == [
        dns,
        {"to": [{"podSelector": fetcher}], "ports": [{"port": "http"}]},
    ]


@pytest.mark.parametrize(
    "given",
    [
        {},
        {
            "sourceWorkers": 5,
            "artifactLimitBytes": 100_000_000,
            "sourceMemoryBytes": 536870912,
            "stagingLimitBytes": 2_000_000_000,
            "stagingNamespaceLimitBytes": 1_000_000_000,
        },
    ],
    ids=["defaults", "given"],
)
def test_volumes_and_memory_follow_from_the_settings(chart: Chart, given: dict[str, int]) -> None:
    settings = Settings.model_validate(given)
    pods = {
        name: deployment_of(chart, name, settings=given)["spec"]["template"]["spec"]
        for name in (OPERATOR, FETCHER)
    }
    sizes = {}
    for name, pod in pods.items():
        [volume] = [v["emptyDir"] for v in pod["volumes"] if "emptyDir" in v]
        sizes[name] = int(volume["sizeLimit"])
    assert sizes[OPERATOR] == settings.staging_limit_bytes + (256 << 20)
    workers = settings.source_workers
    each = 2 * settings.artifact_limit_bytes
    assert sizes[FETCHER] == workers * each + (workers + 4) * (64 << 20)
    [container] = pods[FETCHER]["containers"]
    assert f"--at-a-time={workers + 4}" in container["args"]
    memory = int(container["resources"]["limits"]["memory"])
    assert memory == (workers + 1) * settings.source_memory_bytes + (256 << 20)


def _apply_dry(cluster: Cluster, *documents: dict[str, Any]) -> None:
    _kubectl(cluster, "apply", "--dry-run=server", "-f", "-", stdin=yaml.safe_dump_all(documents))


def _kubectl(cluster: Cluster, *arguments: str, stdin: str = "") -> None:
    done = subprocess.run(
        [cluster.kubectl, "--kubeconfig", cluster.kubeconfig, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
