"""Moves the control plane to another release of Kubernetes."""

import json
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from kubecontrolplane.binaries import ETCD, KUBERNETES
from kubecontrolplane.build import Pins
from kubecontrolplane.errors import ToolchainError
from kubecontrolplane.toolchain import Go, find_go

# Kubernetes releases v1.Y.Z; the modules that it develops in its tree are published as v0.Y.Z.
_RELEASE: Final = re.compile(r"v1(?P<rest>\.\d+\.\d+(?:-[0-9A-Za-z.]+)?)")
# Kubernetes requires etcd's client only; etcd releases its server under the same version.
_ETCD_CLIENT: Final = "go.etcd.io/etcd/client/v3"


def repin(pins: Pins, release: str) -> None:
    """Rewrite go.mod and go.sum for a release; its tool lines and comments stay.

    All versions are chosen anew, from what that release of Kubernetes itself requires. Nothing is
    written unless everything was found.

    Args:
        pins: the control plane's, in a source tree.
        release: such as v1.37.2.

    Raises:
        ToolchainError: the release or one of its modules is not published, or needs another Go.
    """
    if _RELEASE.fullmatch(release) is None:
        raise ToolchainError(f"{release!r} is not a release of Kubernetes, such as v1.37.2")
    go = find_go(pins.go_mod)
    with tempfile.TemporaryDirectory(prefix="kubecontrolplane-repin-") as temporary:
        directory = Path(temporary)
        upstream_mod = _download(go, release, directory)
        go = find_go(upstream_mod)
        upstream = _read(go, upstream_mod)
        shutil.copy(pins.go_mod, directory)
        go_mod = directory / "go.mod"
        go.run(["mod", "edit", *edits(_read(go, go_mod), upstream, release)], directory=directory)
        go.run(["mod", "tidy"], directory=directory)
        for name in ("go.mod", "go.sum"):
            shutil.copyfile(directory / name, pins.directory / name)


def edits(current: Mapping[str, Any], upstream: Mapping[str, Any], release: str) -> list[str]:
    """The arguments of `go mod edit` that turn a go.mod into one for another release.

    Args:
        current: the go.mod to change, as `go mod edit -json` shows it.
        upstream: the release's own.
        release: such as v1.37.2.

    Raises:
        ToolchainError: the release doesn't require etcd.
    """
    twins = [
        each["Old"]["Path"]
        for each in upstream.get("Replace") or []
        if each["New"]["Path"].startswith("./staging/")
    ]
    replaced = [each["Old"]["Path"] for each in current.get("Replace") or []]
    flags = [f"-dropreplace={path}" for path in replaced if path not in twins]
    flags += [f"-droprequire={each['Path']}" for each in current.get("Require") or []]
    flags.append(f"-go={upstream['Go']}")
    flags += [f"-godebug={each['Key']}={each['Value']}" for each in upstream.get("Godebug") or []]
    version = "v0" + release.removeprefix("v1")
    flags += [f"-replace={path}={path}@{version}" for path in twins]
    versions = {each["Path"]: each["Version"] for each in upstream["Require"]}
    if _ETCD_CLIENT not in versions:
        raise ToolchainError(f"Kubernetes {release} requires no {_ETCD_CLIENT}: which etcd is its?")
    return [
        *flags,
        f"-require={KUBERNETES}@{release}",
        f"-require={ETCD}@{versions[_ETCD_CLIENT]}",
    ]


def _download(go: Go, release: str, directory: Path) -> Path:
    """The go.mod of a release."""
    wanted = f"{KUBERNETES}@{release}"
    answer: dict[str, str] = json.loads(
        go.run(["mod", "download", "-json", wanted], directory=directory)
    )
    return Path(answer["GoMod"])


def _read(go: Go, go_mod: Path) -> Mapping[str, Any]:
    document: Mapping[str, Any] = json.loads(
        go.run(["mod", "edit", "-json", str(go_mod)], directory=go_mod.parent)
    )
    return document
