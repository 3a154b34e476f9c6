"""A job of oracle-ads on Data Science, as a manifest has it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ocijobs.cli.ads_document import Part
from ocijobs.cli.ads_keys import INFRASTRUCTURES, REPOSITORY, to_fields
from ocijobs.cli.ads_keys import RUNTIMES as KEYS
from ocijobs.cli.ads_source import source_of
from ocijobs.cli.document_keys import Spec, cleaned, mapping, words
from ocijobs.cli.environment import references_from_ads, variables_from_ads

_DEFAULT_OUTPUT = "outputs"


def on_data_science(infrastructure: Spec, runtime: Part, folder: Path, remarks: list[str]) -> Spec:
    """Return what the spec of an OCIJob says of infrastructure and runtime."""
    given = runtime.spec
    mounts = [_mount(item) for item in infrastructure.get("storageMount") or ()]
    described: Spec = {
        "infrastructure": {"dataScienceJob": cleaned({"storageMounts": mounts})},
        "runtime": RUNTIMES[runtime.type](given, folder, remarks),
        "env": variables_from_ads(given.get("env")),
        "args": [references_from_ads(item) for item in words(given.get("args"))],
        "outputs": _outputs(given, remarks),
    }
    to_fields(INFRASTRUCTURES["dataScienceJob"], infrastructure, described)
    to_fields(KEYS[runtime.type], given, described)
    return described


def _mount(mount: Mapping[str, Any]) -> Spec:
    directory, _, name = str(mount["dest"]).rstrip("/").rpartition("/")
    path = {"destinationPath": directory or "/"} if "/" in str(mount["dest"]) else {}
    return {"src": mount["src"], "destinationDirectoryName": name, **path}


def _script(spec: Spec, folder: Path, remarks: list[str]) -> Spec:
    code = source_of(spec, folder, remarks)
    entrypoint = _inside(spec, spec.get("entrypoint"))
    return {"script": cleaned({**code, "entrypoint": entrypoint})}


def _python(spec: Spec, folder: Path, remarks: list[str]) -> Spec:
    code = source_of(spec, folder, remarks)
    return {"python": cleaned({**code, **_paths(spec)})}


def _paths(spec: Mapping[str, Any]) -> Spec:
    """Return entrypoint and folders from the root of the code: ADS has them from the working directory."""
    working = str(spec.get("workingDir") or "").strip("/")
    python_path = spec.get("pythonPath") or ()
    if isinstance(python_path, str):
        python_path = python_path.split(":")

    def below(path: Any) -> str | None:
        return _inside(spec, posixpath.normpath(posixpath.join(working, str(path))))

    entrypoint = spec.get("entrypoint")
    folders = [found for path in python_path if (found := below(path))]
    return {
        "entrypoint": below(entrypoint) if entrypoint else None,
        "workingDir": _inside(spec, working),
        "pythonPath": [path for path in folders if path != "."],
    }


def _inside(spec: Mapping[str, Any], path: Any) -> str | None:
    """Return a path in the code: ADS has the folder's own name before it, remote sources have not."""
    text = str(path or "")
    uri = str(spec.get("scriptPathURI") or "").rstrip("/")
    if "://" in uri:
        top = uri.rpartition("/")[2].partition(".")[0]
        text = "" if text == top else text.removeprefix(f"{top}/")
    return text.strip("/") or None


def _notebook(spec: Spec, folder: Path, remarks: list[str]) -> Spec:
    uri = spec.get("notebookPathURI") or spec.get("source")
    return {"notebook": source_of({"scriptPathURI": uri}, folder, remarks, top=False)}


def _git(spec: Spec, folder: Path, remarks: list[str]) -> Spec:
    del folder
    if spec.get("codeDir"):
        remarks.append("spec.runtime.spec.codeDir: left out: a run clones into a folder of its own")
    _remark_on_commit(spec.get("commit"), remarks)
    # Of a repository, ADS has the entrypoint from its root, and only folders from the working directory.
    return {"git": cleaned({**_paths(spec), "entrypoint": spec.get("entrypoint")})}


def _remark_on_commit(commit: Any, remarks: list[str]) -> None:
    if commit and not re.fullmatch("[0-9a-f]{40}|[0-9a-f]{64}", str(commit)):
        remarks.append(f"commit: {commit} is not a full SHA; give the full one")


def _container(spec: Spec, folder: Path, remarks: list[str]) -> Spec:
    code = source_of(spec, folder, remarks) if spec.get("scriptPathURI") else {}
    described = {
        # A text is a list with commas, as in ADS.
        "entrypoint": _listed(spec.get("entrypoint")),
        "cmd": _listed(spec.get("cmd")),
        **code,
    }
    return {"container": cleaned(described)}


def _listed(given: Any) -> list[str]:
    return given.split(",") if isinstance(given, str) else [str(item) for item in given or ()]


def _torch(spec: Spec, folder: Path, remarks: list[str]) -> Spec:
    repository = mapping(spec, "git")
    code = (
        {"git": cleaned({key: repository.get(key) for key in REPOSITORY})}
        if repository
        else source_of(spec, folder, remarks)
    )
    _remark_on_commit(repository.get("commit"), remarks)
    dependencies = mapping(spec, "dependencies")
    if isinstance(packages := dependencies.get("pipPackages"), str):
        dependencies["pipPackages"] = packages.split()
    keys = {"replicas": spec.get("replicas"), "dependencies": dependencies, **_paths(spec)}
    if spec.get("command"):
        del keys["entrypoint"]
    return {"pyTorchDistributed": cleaned({**code, **keys})}


RUNTIMES: dict[str, Callable[[Spec, Path, list[str]], Spec]] = {
    "script": _script,
    "python": _python,
    "notebook": _notebook,
    "gitPython": _git,
    "container": _container,
    "pyTorchDistributed": _torch,
}
"""What makes a runtime of a manifest, by the type in ADS."""


def _outputs(spec: Mapping[str, Any], remarks: list[str]) -> Spec | None:
    uri = spec.get("outputUri") or spec.get("outputURI")
    if not uri:
        return None
    folder = str(spec.get("outputDir") or _DEFAULT_OUTPUT)
    if folder.startswith("/"):
        remarks.append(f"outputDir: {folder} is absolute; outputs.path is a folder of the code")
        folder = folder.strip("/")
    path = {"path": folder} if folder != _DEFAULT_OUTPUT else {}
    return {**path, "uri": references_from_ads(str(uri))}
