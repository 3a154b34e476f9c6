"""YAML of oracle-ads as manifests.

The keys are those that `ads.jobs.Job.from_yaml` takes (oracle-ads 2.16); docs/reference/ads.md has the table.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
import shlex
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ocijobs.cli.environment import references_from_ads, variables_from_ads
from ocijobs.cli.manifests import Document, InputError, manifest, object_name

Spec = dict[str, Any]
_INLINE_LIMIT = 524288
_DEFAULT_OUTPUT = "outputs"


def imported(document: Document, folder: Path, remarks: list[str]) -> Document:
    """Return the OCIJob of a job of ADS.

    Args:
        document: the job.
        folder: what relative paths of code are relative to.
        remarks: what people should know, such as keys that have no meaning here.

    Raises:
        InputError: if it is no job, or of a type that there is not.
    """
    if document.get("kind") != "job":
        raise InputError(f"kind: is {document.get('kind')!r}, and `job` is wanted")
    spec = document.get("spec") or {}
    infrastructure = _part(spec, "infrastructure", ("dataScienceJob",))
    runtime_type, runtime = _part(spec, "runtime", tuple(_RUNTIMES))
    name = spec.get("name") or "job"
    data_science = infrastructure[1]
    described: Spec = {
        "compartmentId": data_science.get("compartmentId"),
        "projectId": data_science.get("projectId"),
        "displayName": references_from_ads(str(name)) if object_name(name) != name else None,
        "freeformTags": {**_map(data_science, "freeformTags"), **_map(runtime, "freeformTags")},
        "definedTags": {**_map(data_science, "definedTags"), **_map(runtime, "definedTags")},
        "infrastructure": {"dataScienceJob": _data_science(data_science)},
        "runtime": _RUNTIMES[runtime_type](runtime, folder, remarks),
        "env": variables_from_ads(runtime.get("env")),
        "args": [references_from_ads(str(item)) for item in _words(runtime.get("args"))],
        "maximumRuntimeInMinutes": runtime.get("maximumRuntimeInMinutes"),
        "outputs": _outputs(runtime, remarks),
    }
    ocid = spec.get("id") or data_science.get("id")
    if ocid:
        remarks.append(f"spec.id: {ocid}: set spec.adopt.ocid to keep that OCI job")
    return manifest("OCIJob", object_name(name), described)


def _part(spec: Mapping[str, Any], name: str, types: tuple[str, ...]) -> tuple[str, Spec]:
    part = spec.get(name)
    if not isinstance(part, Mapping):
        raise InputError(f"spec.{name}: is missing")
    kind = part.get("type")
    if kind not in types:
        raise InputError(f"spec.{name}.type: {kind!r} is none of {', '.join(types)}")
    return str(kind), dict(part.get("spec") or {})


def _map(spec: Mapping[str, Any], key: str) -> Spec:
    return dict(spec.get(key) or {})


def _words(given: Any) -> list[Any]:
    return shlex.split(given) if isinstance(given, str) else list(given or ())


def _data_science(spec: Mapping[str, Any]) -> Spec:
    logging = {key: spec[key] for key in ("logGroupId", "logId") if spec.get(key)}
    described = {
        "shapeName": spec.get("shapeName"),
        "jobShapeConfigDetails": _map(spec, "shapeConfigDetails"),
        "blockStorageSizeInGBs": spec.get("blockStorageSize"),
        "subnetId": spec.get("subnetId"),
        "storageMounts": [_mount(item) for item in spec.get("storageMount") or ()],
        "logging": logging,
    }
    return {key: value for key, value in described.items() if value not in (None, [], {})}


def _mount(mount: Mapping[str, Any]) -> Spec:
    directory, _, name = str(mount["dest"]).rstrip("/").rpartition("/")
    path = {"destinationPath": directory or "/"} if "/" in str(mount["dest"]) else {}
    return {"src": mount["src"], "destinationDirectoryName": name, **path}


def _script(spec: Spec, folder: Path, remarks: list[str]) -> Spec:
    code = _code(spec, folder, remarks)
    entrypoint = _inside(spec, spec.get("entrypoint"))
    return {"script": _clean({**_conda(spec), **code, "entrypoint": entrypoint})}


def _python(spec: Spec, folder: Path, remarks: list[str]) -> Spec:
    code = _code(spec, folder, remarks)
    keys = {**_keys(spec, "entryFunction"), **_paths(spec)}
    return {"python": _clean({**_conda(spec), **code, **keys})}


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
    code = _code({"scriptPathURI": uri}, folder, remarks, top=False)
    keys = _keys(spec, "entrypoint", "excludeTags", "notebookEncoding")
    return {"notebook": _clean({**_conda(spec), **code, **keys})}


def _git(spec: Spec, folder: Path, remarks: list[str]) -> Spec:
    del folder
    if spec.get("codeDir"):
        remarks.append("spec.runtime.spec.codeDir: left out: a run clones into a folder of its own")
    # Of a repository, ADS has the entrypoint from its root, and only folders from the working directory.
    keys = {**_keys(spec, "entryFunction", "skipMetadataUpdate"), **_paths(spec)}
    keys["entrypoint"] = spec.get("entrypoint")
    return {"git": _clean({**_repository(spec, remarks), **_conda(spec), **keys})}


def _repository(spec: Mapping[str, Any], remarks: list[str]) -> Spec:
    commit = spec.get("commit")
    if commit and not re.fullmatch("[0-9a-f]{40}|[0-9a-f]{64}", str(commit)):
        remarks.append(f"commit: {commit} is not a full SHA; give the full one")
    return {**_keys(spec, "url", "branch", "commit"), "gitSecretId": spec.get("gitSecretId")}


def _container(spec: Spec, folder: Path, remarks: list[str]) -> Spec:
    code = _code(spec, folder, remarks) if spec.get("scriptPathURI") else {}
    described = {
        **_keys(spec, "image", "imageDigest", "imageSignatureId", "replicas"),
        # A text is a list with commas, as in ADS.
        "entrypoint": _listed(spec.get("entrypoint")),
        "cmd": _listed(spec.get("cmd")),
        **code,
    }
    return {"container": _clean(described)}


def _listed(given: Any) -> list[str]:
    return given.split(",") if isinstance(given, str) else [str(item) for item in given or ()]


def _torch(spec: Spec, folder: Path, remarks: list[str]) -> Spec:
    repository = spec.get("git")
    code = (
        {"git": _clean(_repository(repository, remarks))}
        if repository
        else _code(spec, folder, remarks)
    )
    command = spec.get("command")
    keys = {**_keys(spec, "replicas", "inputs", "dependencies", "deepspeed"), **_paths(spec)}
    start = {"command": command, "entrypoint": None} if command else {}
    packages = (keys.get("dependencies") or {}).get("pipPackages")
    if isinstance(packages, str):
        keys["dependencies"] = {**keys["dependencies"], "pipPackages": packages.split()}
    return {"pyTorchDistributed": _clean({**_conda(spec), **code, **keys, **start})}


_RUNTIMES: dict[str, Callable[[Spec, Path, list[str]], Spec]] = {
    "script": _script,
    "python": _python,
    "notebook": _notebook,
    "gitPython": _git,
    "container": _container,
    "pyTorchDistributed": _torch,
}


def _keys(spec: Mapping[str, Any], *names: str) -> Spec:
    return {name: spec.get(name) for name in names}


def _clean(spec: Spec) -> Spec:
    return {key: value for key, value in spec.items() if value not in (None, [], {}, False)}


def _conda(spec: Mapping[str, Any]) -> Spec:
    return {"conda": _map(spec, "conda")}


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


def _code(spec: Mapping[str, Any], folder: Path, remarks: list[str], *, top: bool = True) -> Spec:
    """Return the source; `top` keeps the name of a local folder before its files' names, as ADS does."""
    uri = spec.get("scriptPathURI")
    if not uri:
        raise InputError("spec.runtime.spec: names no code (scriptPathURI)")
    text = str(uri)
    if text.startswith("oci://"):
        return {"source": {"objectStorage": {"uri": text}}}
    if text.startswith(("http://", "https://")):
        return {"source": {"http": {"url": text, "sha256": _sha256(text)}}}
    return {"source": _local(folder / text.removeprefix("file://"), remarks, top=top)}


def _sha256(url: str) -> str:
    try:
        with urllib.request.urlopen(url) as answer:  # noqa: S310 - the scheme was looked at
            return hashlib.file_digest(answer, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{url}: can't be fetched, and its SHA-256 is needed: {error}") from error


def _local(path: Path, remarks: list[str], *, top: bool) -> Spec:
    files = {path.name: path}
    if path.is_dir():
        files = {
            each.relative_to(path.parent if top else path).as_posix(): each
            for each in sorted(path.rglob("*"))
            if each.is_file()
        }
    if not path.exists() or not files:
        raise InputError(f"{path}: there is no such code")
    try:
        texts = {name: each.read_text(encoding="utf-8") for name, each in files.items()}
    except UnicodeDecodeError:
        texts = {}
    if not texts or sum(map(len, texts.values())) > _INLINE_LIMIT:
        remarks.append(
            f"{path}: is too large for a manifest, or no text: put it into Object Storage or a Git "
            "repository, and name that as the source"
        )
        return {"objectStorage": {"uri": f"oci://BUCKET@NAMESPACE/{path.name}"}}
    return {"inline": texts}
