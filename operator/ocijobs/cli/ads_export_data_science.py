"""An OCIJob on Data Science, as oracle-ads has it."""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import assert_never

from ocijobs.api.job.infrastructure import DataScienceJobInfrastructure
from ocijobs.api.job.machines.storage_mount import (
    FileStorageMount,
    ObjectStorageMount,
    StorageMount,
)
from ocijobs.api.job.runtime import NotebookRuntime, PythonRuntime, Runtime, ScriptRuntime
from ocijobs.api.job.runtimes.container import ContainerRuntime
from ocijobs.api.job.runtimes.git import GitRuntime
from ocijobs.api.job.runtimes.spark import SparkRuntime
from ocijobs.api.job.runtimes.torch import PyTorchDistributedRuntime
from ocijobs.api.job.source import Source
from ocijobs.api.job.spec import OCIJobSpec
from ocijobs.cli.ads_document import Part, parts_of_job, with_values
from ocijobs.cli.ads_source import located
from ocijobs.cli.document_keys import Spec
from ocijobs.cli.environment import references_to_ads
from ocijobs.cli.manifests import InputError


def to_data_science(
    spec: OCIJobSpec,
    machines: DataScienceJobInfrastructure,
    runtime: Runtime,
    code: Path,
    remarks: list[str],
) -> tuple[Part, Part]:
    """Return infrastructure and runtime of ADS; inline files are written to the folder `code`.

    Raises:
        InputError: if the runtime is not one of Data Science.
    """
    kind, keys = _runtime(spec, runtime, code, remarks)
    variables = with_values(spec.env, remarks)
    common = {
        "env": [{"name": v.name, "value": references_to_ads(v.value or "")} for v in variables],
        "args": [references_to_ads(arg) for arg in spec.args],
    }
    mounts = [_mount(mount) for mount in machines.storage_mounts]
    parts = parts_of_job(
        spec,
        Part("dataScienceJob", {"storageMount": mounts}),
        Part(kind, {**keys, **common}),
        remarks,
        said_otherwise=["outputs"],
    )
    if spec.outputs is not None and isinstance(runtime.variant, ScriptRuntime):
        remarks.append("spec.outputs: ADS saves no outputs of a script; take runtime.python")
    return parts


def _mount(mount: StorageMount) -> Spec:
    src = mount.src
    match mount.object_storage or mount.file_storage:
        case ObjectStorageMount(namespace=namespace, bucket=bucket, prefix=prefix):
            src = f"oci://{bucket}@{namespace}/{prefix or ''}"
        case FileStorageMount(mount_target_id=target, export_id=export):
            src = f"{target}:{export}"
        case None:
            pass
        case other:
            assert_never(other)
    path = mount.destination_path
    dest = mount.destination_directory_name
    return {"src": src, "dest": dest if path is None else f"{path.rstrip('/')}/{dest}"}


def _outputs(spec: OCIJobSpec, *, folder: bool = True) -> Spec:
    if spec.outputs is None:
        return {}
    place = {"outputDir": spec.outputs.path} if folder else {}
    return {**place, "outputUri": references_to_ads(spec.outputs.uri)}


def _runtime(
    spec: OCIJobSpec, runtime: Runtime, code: Path, remarks: list[str]
) -> tuple[str, Spec]:
    source: Spec = {}
    top = ""
    if runtime.source is not None:
        source, top = located(runtime.source, code, remarks)
    match runtime.variant:
        case ScriptRuntime() as script:
            folder = _is_folder(runtime.source)
            inside = posixpath.join(top, script.entrypoint or "") if folder else None
            return "script", {**source, "entrypoint": inside}
        case PythonRuntime() as python:
            return "python", {**source, **_paths(python, top), **_outputs(spec)}
        case NotebookRuntime():
            uri = {"notebookPathURI": source.pop("scriptPathURI", None)}
            return "notebook", {**uri, **_outputs(spec, folder=False)}
        case GitRuntime() as git:
            return "gitPython", {**_git(git), **_outputs(spec)}
        case ContainerRuntime() as container:
            words = {"entrypoint": container.entrypoint, "cmd": container.cmd}
            return "container", {**source, **{k: list(v) for k, v in words.items() if v}}
        case PyTorchDistributedRuntime() as torch:
            return "pyTorchDistributed", {**source, **_torch(torch, top), **_outputs(spec)}
        case SparkRuntime():
            raise InputError(f"OCIJob {code.name}: runtime.spark runs on infrastructure.dataFlow")
        case other:
            assert_never(other)


def _is_folder(source: Source | None) -> bool:
    """Whether a source is more than the one file that is run."""
    return source is None or source.inline is None or len(source.inline) > 1


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


def _git(git: GitRuntime) -> Spec:
    """Return the keys of gitPython: what is in codeDir here is named from the repository's root there."""
    root = git.code_dir or "."
    working = posixpath.normpath(posixpath.join(root, git.working_dir or "."))

    def below(path: str) -> str:
        return posixpath.relpath(posixpath.join(root, path), working)

    return {
        "entrypoint": posixpath.normpath(posixpath.join(root, git.entrypoint)),
        "workingDir": working if working != "." else None,
        "pythonPath": [below(path) for path in git.python_path],
    }


def _torch(torch: PyTorchDistributedRuntime, top: str) -> Spec:
    dependencies = torch.dependencies.document() if torch.dependencies is not None else {}
    if torch.dependencies is not None and torch.dependencies.pip_packages:
        dependencies["pipPackages"] = " ".join(torch.dependencies.pip_packages)
    return {
        **_paths(torch, top),
        "git": torch.git.document() if torch.git is not None else None,
        "dependencies": dependencies,
        "replicas": torch.replicas or 1,
    }
