"""An OCIJob on Data Science, as oracle-ads has it."""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import Any, assert_never

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
from ocijobs.api.job.source import GitCode, Source
from ocijobs.api.job.spec import OCIJobSpec
from ocijobs.cli.ads_document import Part, remark_on_rest, tags_of, with_values
from ocijobs.cli.ads_source import located
from ocijobs.cli.document_keys import Spec, cleaned
from ocijobs.cli.environment import references_to_ads
from ocijobs.cli.manifests import InputError

_PLACE = "spec.infrastructure.dataScienceJob"


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
        "maximumRuntimeInMinutes": spec.maximum_runtime_in_minutes,
    }
    _remark_on_machines(machines, remarks)
    if spec.outputs is not None and isinstance(runtime.variant, ScriptRuntime):
        remarks.append("spec.outputs: ADS saves no outputs of a script; take runtime.python")
    return Part("dataScienceJob", _data_science(spec, machines)), Part(kind, {**keys, **common})


def _remark_on_machines(machines: DataScienceJobInfrastructure, remarks: list[str]) -> None:
    logging = machines.logging
    remark_on_rest(
        {
            f"{_PLACE}.capacityReservationId": machines.capacity_reservation_id,
            f"{_PLACE}.computeTarget": machines.compute_target,
            f"{_PLACE}.startupProbe": machines.startup_probe,
            f"{_PLACE}.jobNodeGroups": machines.job_node_groups,
            f"{_PLACE}.logging.logGroupName": logging.log_group_name if logging else None,
            f"{_PLACE}.logging.logName": logging.log_name if logging else None,
        },
        remarks,
    )


def _data_science(spec: OCIJobSpec, machines: DataScienceJobInfrastructure) -> Spec:
    size, logging = machines.job_shape_config_details, machines.logging
    return {
        "compartmentId": spec.compartment_id,
        "projectId": spec.project_id,
        "shapeName": machines.shape_name,
        "shapeConfigDetails": size.document() if size is not None else None,
        "blockStorageSize": machines.block_storage_size_in_gbs,
        "subnetId": machines.subnet_id,
        "logGroupId": logging.log_group_id if logging is not None else None,
        "logId": logging.log_id if logging is not None else None,
        "storageMount": [_mount(mount) for mount in machines.storage_mounts],
        **tags_of(spec),
    }


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
    conda = {"conda": runtime.conda.document()} if runtime.conda is not None else {}
    source: Spec = {}
    top = ""
    if runtime.source is not None:
        source, top = located(runtime.source, code, remarks)
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
    git = {"git": cleaned(_repository(torch.git))} if torch.git is not None else {}
    paths = _paths(torch, top)
    packages = torch.dependencies.pip_packages if torch.dependencies is not None else ()
    if packages:
        keys["dependencies"] = {**keys["dependencies"], "pipPackages": " ".join(packages)}
    return {**given, **git, **keys, **paths, "replicas": torch.replicas or 1}
