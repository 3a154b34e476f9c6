"""The driver's instructions for a run, made of the spec and the files. What can't be done is refused here."""

from __future__ import annotations

from typing import Any, assert_never

from ocijobs.api.job.runtime import NotebookRuntime, PythonRuntime, Runtime, ScriptRuntime
from ocijobs.api.job.runtimes.container import ContainerRuntime
from ocijobs.api.job.runtimes.git import GitRuntime
from ocijobs.api.job.runtimes.spark import SparkRuntime
from ocijobs.api.job.runtimes.torch import PyTorchDistributedRuntime
from ocijobs.api.job.source import GitCode
from ocijobs.api.job.spec import Outputs
from ocijobs.artifact.entrypoint import (
    check_names,
    check_suffix,
    entrypoint_of,
    file_above,
    listed,
)
from ocijobs.artifact.files import Files, SourceError

_WITH_FILES = ScriptRuntime | PythonRuntime | NotebookRuntime
_SUFFIXES: dict[type[_WITH_FILES | GitRuntime], tuple[str, ...]] = {
    ScriptRuntime: (".py", ".sh"),
    PythonRuntime: (".py",),
    NotebookRuntime: (".ipynb",),
    GitRuntime: (".py", ".ipynb", ".sh"),
}


def instructions(runtime: Runtime | None, outputs: Outputs | None, files: Files) -> dict[str, Any]:
    """Return what the driver is to do.

    Raises:
        SourceError: if the source lacks what the runtime names.
    """
    told = _of_runtime(runtime, outputs, files) if runtime is not None else {}
    if outputs is not None:
        told["outputs"] = {"path": outputs.path, "uri": outputs.uri}
    return {name: value for name, value in told.items() if value not in (None, (), [], {})}


def _of_runtime(runtime: Runtime, outputs: Outputs | None, files: Files) -> dict[str, Any]:
    where, variant = f"spec.runtime.{runtime.name}", runtime.variant
    check_names(where, files)
    told: dict[str, Any] = {}
    match variant:
        case ScriptRuntime():
            told = {"entrypoint": _entrypoint(where, variant, files)}
        case PythonRuntime():
            told = {
                "python": True,
                "entrypoint": _entrypoint(where, variant, files),
                "entryFunction": variant.entry_function,
                **_folders(where, variant, files),
            }
        case NotebookRuntime():
            told = {
                "entrypoint": _entrypoint(where, variant, files),
                "excludeTags": list(variant.exclude_tags),
                "notebookEncoding": variant.notebook_encoding,
            }
        case GitRuntime():
            told = _git_runtime(where, variant)
        case PyTorchDistributedRuntime():
            told = _torch(where, variant, files)
        case ContainerRuntime() | SparkRuntime():
            pass
        case _:
            assert_never(variant)
    if outputs is not None and files:
        _check_outputs(outputs, str(told.get("workingDir") or ""), files)
    return told


def _git_runtime(where: str, runtime: GitRuntime) -> dict[str, Any]:
    check_suffix(where, runtime.entrypoint, _SUFFIXES[GitRuntime])
    if runtime.entry_function is not None and not runtime.entrypoint.endswith(".py"):
        raise SourceError(f"{where}.entryFunction: {runtime.entrypoint} is not a Python file")
    return {
        "python": True,
        "git": {**_git(runtime), "skipMetadataUpdate": runtime.skip_metadata_update},
        "codeDir": runtime.code_dir,
        "entrypoint": runtime.entrypoint,
        "entryFunction": runtime.entry_function,
        "workingDir": runtime.working_dir,
        "pythonPath": list(runtime.python_path),
    }


def _git(code: GitCode) -> dict[str, Any]:
    return {
        "url": code.url,
        "branch": code.branch,
        "commit": code.commit,
        "secretId": code.git_secret_id,
    }


def _torch(where: str, runtime: PyTorchDistributedRuntime, files: Files) -> dict[str, Any]:
    packages = runtime.dependencies
    requirements = packages.pip_requirements if packages is not None else None
    if runtime.git is None:
        if not files:
            raise SourceError(f"{where}.source: has no files")
        for field, path in (
            ("entrypoint", runtime.entrypoint),
            ("dependencies.pipRequirements", requirements),
        ):
            if path is not None and path not in files:
                raise SourceError(f"{where}.{field}: the source has no file {path}{listed(files)}")
        folders = _folders(where, runtime, files)
    else:
        folders = {"workingDir": runtime.working_dir, "pythonPath": list(runtime.python_path)}
    return {
        "entrypoint": runtime.entrypoint,
        "workingDir": folders["workingDir"],
        "git": _git(runtime.git) if runtime.git is not None else None,
        "inputs": dict(runtime.inputs or {}),
        "torch": {
            "command": runtime.command,
            "deepspeed": runtime.deepspeed,
            "pythonPath": folders["pythonPath"],
            "pipRequirements": requirements,
            "pipPackages": list(packages.pip_packages) if packages is not None else [],
        },
    }


def _entrypoint(where: str, variant: _WITH_FILES, files: Files) -> str:
    """Return the file that is run: the one that is named, else the only one there is."""
    candidates = _candidates(variant, files)
    return entrypoint_of(where, variant.entrypoint, files, candidates, _SUFFIXES[type(variant)])


def _candidates(variant: _WITH_FILES, files: Files) -> list[str]:
    """Return the files that may be meant: of a notebook's source the notebooks, else all."""
    notebooks = [name for name in files if name.endswith(".ipynb")]
    return (
        sorted(notebooks) if notebooks and isinstance(variant, NotebookRuntime) else sorted(files)
    )


def _folders(
    where: str, runtime: PythonRuntime | PyTorchDistributedRuntime, files: Files
) -> dict[str, Any]:
    return {
        "workingDir": _folder(runtime.working_dir, files, f"{where}.workingDir"),
        "pythonPath": [_folder(p, files, f"{where}.pythonPath") for p in runtime.python_path],
    }


def _folder(path: str | None, files: Files, where: str) -> str | None:
    if path is not None and not any(name.startswith(f"{path}/") for name in files):
        raise SourceError(f"{where}: the source has no folder {path}")
    return path


def _check_outputs(outputs: Outputs, base: str, files: Files) -> None:
    """Refuse a folder that the driver could not make."""
    full = f"{base}/{outputs.path}" if base else outputs.path
    taken = full if full in files else file_above(full, files)
    if taken is not None:
        raise SourceError(
            f"spec.outputs.path: {outputs.path} can't be a folder: {taken} is a file of the source"
        )
