"""Manifests as YAML of oracle-ads, as far as ADS can say the same."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ocijobs.api.container_runtime import ContainerRuntime
from ocijobs.api.git_runtime import GitCode, GitRuntime
from ocijobs.api.job import OCIJob, OCIJobSpec
from ocijobs.api.runtime import NotebookRuntime, PythonRuntime, ScriptRuntime
from ocijobs.api.source import Source
from ocijobs.api.storage_mount import FileStorageMount, ObjectStorageMount, StorageMount
from ocijobs.api.torch_runtime import PyTorchDistributedRuntime
from ocijobs.cli.environment import references_to_ads
from ocijobs.cli.manifests import Document, InputError

Spec = dict[str, Any]


def exported(document: Document, code: Path, remarks: list[str]) -> Document:
    """Return the job of ADS of an OCIJob.

    Args:
        document: the manifest.
        code: folder that inline files are written to.
        remarks: what ADS can't say, and so is lost.

    Raises:
        InputError: if it is no OCIJob that the operator takes, or has no runtime.
    """
    meta = {"creationTimestamp": "1970-01-01T00:00:00Z", **document.get("metadata", {})}
    try:
        job = OCIJob.model_validate({**document, "metadata": meta, "status": {}})
    except ValidationError as error:
        raise InputError(f"OCIJob {meta.get('name')}: {error}") from error
    if job.spec.runtime is None:
        raise InputError(f"OCIJob {meta.get('name')}: spec.runtime: is missing, and ADS needs one")
    name = job.metadata.name
    kind, runtime = _runtime(job.spec, code / name, name, remarks)
    _remark_on_rest(job.spec, remarks)
    return {
        "kind": "job",
        "spec": {
            "name": references_to_ads(job.spec.display_name or name),
            "infrastructure": {
                "kind": "infrastructure",
                "type": "dataScienceJob",
                "spec": _data_science(job.spec),
            },
            "runtime": {
                "kind": "runtime",
                "type": kind,
                "spec": _clean({**runtime, **_common(job.spec, remarks)}),
            },
        },
    }


def _clean(spec: Mapping[str, Any]) -> Spec:
    return {key: value for key, value in spec.items() if value not in (None, [], {}, False)}


def _data_science(spec: OCIJobSpec) -> Spec:
    given = spec.infrastructure.data_science_job
    size, logging = given.job_shape_config_details, given.logging
    return _clean(
        {
            "compartmentId": spec.compartment_id,
            "projectId": spec.project_id,
            "shapeName": given.shape_name,
            "shapeConfigDetails": size.document() if size is not None else None,
            "blockStorageSize": given.block_storage_size_in_gbs,
            "subnetId": given.subnet_id,
            "logGroupId": logging.log_group_id if logging is not None else None,
            "logId": logging.log_id if logging is not None else None,
            "storageMount": [_mount(mount) for mount in given.storage_mounts],
            "freeformTags": dict(spec.freeform_tags or {}),
            "definedTags": {name: dict(tags) for name, tags in (spec.defined_tags or {}).items()},
        }
    )


def _mount(mount: StorageMount) -> Spec:
    src = mount.src
    match mount.object_storage or mount.file_storage:
        case ObjectStorageMount(namespace=namespace, bucket=bucket, prefix=prefix):
            src = f"oci://{bucket}@{namespace}/{prefix or ''}"
        case FileStorageMount(mount_target_id=target, export_id=export):
            src = f"{target}:{export}"
    path = mount.destination_path
    dest = mount.destination_directory_name
    return {"src": src, "dest": dest if path is None else f"{path.rstrip('/')}/{dest}"}


def _common(spec: OCIJobSpec, remarks: list[str]) -> Spec:
    variables = []
    for variable in spec.env:
        if variable.value is None:
            remarks.append(
                f"spec.env[{variable.name}].valueFrom: ADS has no references; set a value"
            )
            continue
        variables.append({"name": variable.name, "value": references_to_ads(variable.value)})
    return {
        "env": variables,
        "args": [references_to_ads(arg) for arg in spec.args],
        "maximumRuntimeInMinutes": spec.maximum_runtime_in_minutes,
    }


def _outputs(spec: OCIJobSpec, *, folder: bool = True) -> Spec:
    if spec.outputs is None:
        return {}
    place = {"outputDir": spec.outputs.path} if folder else {}
    return {**place, "outputUri": references_to_ads(spec.outputs.uri)}


def _runtime(spec: OCIJobSpec, code: Path, name: str, remarks: list[str]) -> tuple[str, Spec]:
    runtime = spec.runtime
    if runtime is None:
        raise AssertionError  # pragma: no cover - it was looked at before
    conda = {"conda": runtime.conda.document()} if runtime.conda is not None else {}
    source: Spec = {}
    top = ""
    if runtime.source is not None:
        source, top = _source(runtime.source, code, name, remarks)
    match runtime.variant:
        case ScriptRuntime() as script:
            folder = _is_folder(runtime.source)
            inside = posixpath.join(top, script.entrypoint or "") if folder else None
            return "script", {**conda, **source, "entrypoint": inside}
        case PythonRuntime() as python:
            paths = _paths(python, top)
            function = {"entryFunction": python.entry_function}
            return "python", {**conda, **source, **paths, **function, **_outputs(spec)}
        case NotebookRuntime() as notebook:
            keys = _keys(notebook, "entrypoint", "excludeTags", "notebookEncoding")
            uri = {"notebookPathURI": source.pop("scriptPathURI", None)}
            return "notebook", {**conda, **uri, **keys, **_outputs(spec, folder=False)}
        case GitRuntime() as git:
            return "gitPython", {**_git(git), **conda, **_outputs(spec)}
        case ContainerRuntime() as container:
            keys = _keys(
                container,
                *("image", "imageDigest", "imageSignatureId", "entrypoint", "cmd", "replicas"),
            )
            return "container", {**keys, **source}
        case PyTorchDistributedRuntime() as torch:
            return "pyTorchDistributed", {
                **_torch(torch, {**conda, **source}, top),
                **_outputs(spec),
            }


def _is_folder(source: Source | None) -> bool:
    """Whether a source is more than the one file that is run."""
    return source is None or source.inline is None or len(source.inline) > 1


def _top(uri: str) -> str:
    """Return the folder that ADS puts remote code in: its own name; a single file has none."""
    name = uri.rstrip("/").rpartition("/")[2]
    return "" if name.endswith((".py", ".sh", ".ipynb")) else name.partition(".")[0]


def _paths(runtime: PythonRuntime | PyTorchDistributedRuntime, top: str) -> Spec:
    """Return entrypoint and folders as ADS has them: from the working directory."""
    working = runtime.working_dir or "."
    entrypoint = posixpath.relpath(runtime.entrypoint, working) if runtime.entrypoint else None
    folder = posixpath.normpath(posixpath.join(top, working))
    return {
        "entrypoint": entrypoint,
        "workingDir": folder if folder != "." else None,
        "pythonPath": [posixpath.relpath(path, working) for path in runtime.python_path],
    }


def _keys(variant: Any, *names: str) -> Spec:
    document = variant.document()
    return {name: document.get(name) for name in names}


def _repository(code: GitCode) -> Spec:
    return _keys(code, "url", "branch", "commit", "gitSecretId")


def _git(git: GitRuntime) -> Spec:
    """Return the keys of gitPython: what is in codeDir here is named from the repository's root there."""
    root = git.code_dir or "."
    working = posixpath.normpath(posixpath.join(root, git.working_dir or "."))

    def below(path: str) -> str:
        return posixpath.relpath(posixpath.join(root, path), working)

    return {
        **_repository(git),
        "entrypoint": posixpath.normpath(posixpath.join(root, git.entrypoint)),
        "entryFunction": git.entry_function,
        "workingDir": working if working != "." else None,
        "pythonPath": [below(path) for path in git.python_path],
        "skipMetadataUpdate": git.skip_metadata_update,
    }


def _torch(torch: PyTorchDistributedRuntime, given: Spec, top: str) -> Spec:
    keys = _keys(torch, "inputs", "dependencies", "deepspeed", "command")
    git = {"git": _clean(_repository(torch.git))} if torch.git is not None else {}
    paths = _paths(torch, top)
    packages = torch.dependencies.pip_packages if torch.dependencies is not None else ()
    if packages:
        keys["dependencies"] = {**keys["dependencies"], "pipPackages": " ".join(packages)}
    return {**given, **git, **keys, **paths, "replicas": torch.replicas or 1}


def _source(source: Source, code: Path, name: str, remarks: list[str]) -> tuple[Spec, str]:
    """Return where the code is, and the folder that ADS has it in, if its paths don't begin with that anyway."""
    for uri in (
        source.object_storage.uri if source.object_storage is not None else None,
        source.http.url if source.http is not None else None,
    ):
        if uri is not None:
            return {"scriptPathURI": uri}, _top(uri)
    if source.inline is None:
        kind = next(iter(source.document()))
        remarks.append(
            f"source.{kind}: ADS has no such source: put the code of OCIJob {name} into {code}"
        )
        return {"scriptPathURI": str(code)}, name
    for path, text in source.inline.items():
        file = code / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    tops = {path.partition("/")[0] for path in source.inline}
    if len(tops) == 1:
        # One file, or a folder that the paths name already, as ADS has it.
        return {"scriptPathURI": str(code / tops.pop())}, ""
    return {"scriptPathURI": str(code)}, name


_BEYOND_ADS: tuple[tuple[str, Callable[[OCIJobSpec], Any]], ...] = (
    ("spec.identityRef", lambda s: s.identity_ref),
    ("spec.description", lambda s: s.description),
    ("spec.adopt", lambda s: s.adopt),
    ("spec.results", lambda s: s.results),
    ("spec.maxActiveRuns", lambda s: s.max_active_runs),
    (
        "spec.infrastructure.dataScienceJob.capacityReservationId",
        lambda s: s.infrastructure.data_science_job.capacity_reservation_id,
    ),
    (
        "spec.infrastructure.dataScienceJob.computeTarget",
        lambda s: s.infrastructure.data_science_job.compute_target,
    ),
    (
        "spec.infrastructure.dataScienceJob.startupProbe",
        lambda s: s.infrastructure.data_science_job.startup_probe,
    ),
    (
        "spec.infrastructure.dataScienceJob.jobNodeGroups",
        lambda s: s.infrastructure.data_science_job.job_node_groups,
    ),
    (
        "spec.infrastructure.dataScienceJob.logging.logGroupName",
        lambda s: getattr(s.infrastructure.data_science_job.logging, "log_group_name", None),
    ),
    (
        "spec.infrastructure.dataScienceJob.logging.logName",
        lambda s: getattr(s.infrastructure.data_science_job.logging, "log_name", None),
    ),
)


def _remark_on_rest(spec: OCIJobSpec, remarks: list[str]) -> None:
    remarks.extend(f"{path}: ADS can't say this; left out" for path, of in _BEYOND_ADS if of(spec))
    if spec.outputs is not None and isinstance(
        spec.runtime.variant if spec.runtime else None, ScriptRuntime
    ):
        remarks.append("spec.outputs: ADS saves no outputs of a script; take runtime.python")
