"""Where the programs of the control plane come from: ready-made, or built."""

import logging
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from kubecontrolplane.binaries import CONTROL_PLANE
from kubecontrolplane.build import ensure_built
from kubecontrolplane.components import API_SERVER, CONTROLLER_MANAGER, ETCD
from kubecontrolplane.errors import AssetsError

_LOG = logging.getLogger("kubecontrolplane")

VARIABLE: Final = "KUBEBUILDER_ASSETS"
KUBECTL: Final = "kubectl"
_PROGRAMS: Final = (ETCD.name, API_SERVER.name, CONTROLLER_MANAGER.name, KUBECTL)
# What setup-envtest, which the variable comes from, puts into the directory.
_REQUIRED: Final = (ETCD.name, API_SERVER.name, KUBECTL)
_RELEASE = re.compile(r"v\d+\.\d+\.\d+\S*")


def find_binaries() -> Mapping[str, Path]:
    """The path of each program of the control plane.

    $KUBEBUILDER_ASSETS is used where it is set. It may lack kube-controller-manager, which is
    then built; without the variable everything is.

    Raises:
        AssetsError: the variable names a directory that lacks another program.
        ToolchainError: something has to be built and Go is missing or too old.
        BuildError: something could not be built.
    """
    assets = os.environ.get(VARIABLE)
    if not assets:
        built = ensure_built(CONTROL_PLANE)
        return {name: built / name for name in _PROGRAMS}
    directory = Path(assets).absolute()
    lacking = [name for name in _REQUIRED if shutil.which(directory / name) is None]
    if lacking:
        raise AssetsError(
            f"{VARIABLE}={assets} has no executable {', '.join(lacking)}: complete the directory, "
            "or unset the variable to have everything built"
        )
    found = {name: directory / name for name in _PROGRAMS}
    manager = CONTROLLER_MANAGER.name
    if shutil.which(found[manager]) is None:
        found[manager] = ensure_built(CONTROL_PLANE, {manager}) / manager
        _warn_of_skew(found[API_SERVER.name], found[manager])
    return found


def find_kubectl() -> Path:
    """A kubectl for a cluster that has none of its own: of $KUBEBUILDER_ASSETS, of PATH, or built.

    Raises:
        ToolchainError: it has to be built and Go is missing or too old.
        BuildError: it could not be built.
    """
    assets = os.environ.get(VARIABLE)
    found = (assets and shutil.which(KUBECTL, path=assets)) or shutil.which(KUBECTL)
    return Path(found) if found else ensure_built(CONTROL_PLANE, {KUBECTL}) / KUBECTL


def _warn_of_skew(api_server: Path, controller_manager: Path) -> None:
    """Kubernetes supports no kube-controller-manager that is newer than its API server."""
    serves, manages = _release(api_server), _release(controller_manager)
    if _minor(serves) != _minor(manages):
        _LOG.warning(
            "%s is %s but kube-controller-manager, which it lacks, was built as %s: Kubernetes "
            "does not promise that they work together",
            api_server,
            serves,
            manages,
        )


def _release(program: Path) -> str:
    said = subprocess.run(  # noqa: S603 - a program that is about to be started anyway
        [program, "--version"], capture_output=True, text=True, check=False
    )
    found = _RELEASE.search(said.stdout)
    if found is None:
        raise AssetsError(f"{program} --version says nothing of a release: {said.stdout.strip()!r}")
    return found[0]


def _minor(release: str) -> list[str]:
    return release.split(".")[:2]
