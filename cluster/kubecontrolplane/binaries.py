"""Which programs there are, from which packages, and what is stamped into them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

KUBERNETES: Final = "k8s.io/kubernetes"
ETCD: Final = "go.etcd.io/etcd/server/v3"
_HELM: Final = "helm.sh/helm/v4"
_KUBECONFORM: Final = "github.com/yannh/kubeconform"
KUEUE: Final = "sigs.k8s.io/kueue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Binary:
    """One program.

    Attributes:
        name: its file name.
        package: the Go package to build, a `tool` line of the set's go.mod.
        module: the module that holds the package; its version is the program's.
        stamps: Go variable -> value that the linker writes into it. In a value `{version}`,
            `{major}`, `{minor}` (of the module's version), `{sum}` (its checksum in go.sum) and
            `{time}` (of its publication) are replaced.
    """

    name: str
    package: str
    module: str
    stamps: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class BinarySet:
    """Programs that are pinned by one go.mod.

    Attributes:
        name: how the command line calls it.
        directory: where its go.mod is, relative to the root of the modules.
        binaries: its programs.
    """

    name: str
    directory: str
    binaries: tuple[Binary, ...]


# Without these, the API server says v0.0.0-master and clients misjudge what it can do. Kubernetes'
# own build stamps both packages (hack/lib/version.sh). The commit of a release isn't in its module;
# the module's checksum names the same sources. "archive" is Kubernetes' word for a tree without git.
_KUBERNETES_STAMPS: Final = MappingProxyType(
    {
        f"{package}.{variable}": value
        for package in ("k8s.io/client-go/pkg/version", "k8s.io/component-base/version")
        for variable, value in (
            ("gitVersion", "{version}"),
            ("gitMajor", "{major}"),
            ("gitMinor", "{minor}"),
            ("gitCommit", "{sum}"),
            ("gitTreeState", "archive"),
            ("buildDate", "{time}"),
        )
    }
)


def _kubernetes(name: str) -> Binary:
    return Binary(
        name=name,
        package=f"{KUBERNETES}/cmd/{name}",
        module=KUBERNETES,
        stamps=_KUBERNETES_STAMPS,
    )


CONTROL_PLANE: Final = BinarySet(
    name="control-plane",
    directory=".",
    binaries=(
        Binary(
            name="etcd",
            package=ETCD,
            module=ETCD,
            stamps=MappingProxyType({"go.etcd.io/etcd/api/v3/version.GitSHA": "{sum}"}),
        ),
        _kubernetes("kube-apiserver"),
        _kubernetes("kube-controller-manager"),
        _kubernetes("kubectl"),
    ),
)

CHART_TOOLS: Final = BinarySet(
    name="chart-tools",
    directory="charttools",
    binaries=(
        Binary(
            name="helm",
            package=f"{_HELM}/cmd/helm",
            module=_HELM,
            stamps=MappingProxyType(
                {
                    f"{_HELM}/internal/version.version": "{version}",
                    f"{_HELM}/internal/version.gitTreeState": "archive",
                }
            ),
        ),
        Binary(
            name="kubeconform",
            package=f"{_KUBECONFORM}/cmd/kubeconform",
            module=_KUBECONFORM,
            stamps=MappingProxyType({"main.version": "{version}"}),
        ),
    ),
)

KUEUE_CONTROLLER: Final = BinarySet(
    name="kueue",
    directory="kueue",
    binaries=(
        Binary(
            name="kueue",
            package=f"{KUEUE}/cmd/kueue",
            module=KUEUE,
            stamps=MappingProxyType({f"{KUEUE}/pkg/version.GitVersion": "{version}"}),
        ),
    ),
)

SETS: Final[Mapping[str, BinarySet]] = MappingProxyType(
    {binary_set.name: binary_set for binary_set in (CONTROL_PLANE, CHART_TOOLS, KUEUE_CONTROLLER)}
)
