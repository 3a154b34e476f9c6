"""Building an artifact: the driver, what it is to do, and the code, in one archive.

    ocijobs_driver.py    what OCI starts (JOB_RUN_ENTRYPOINT)
    ocijobs_job.json     what the driver is to do
    code/…               the files of the source

The archive is the same for the same inputs, whatever the machine: names in order, fixed times and modes, and no
compression, whose output differs between versions of zlib.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import PurePosixPath
from typing import Any

from ocijobs.api.job import OCIJobSpec
from ocijobs.api.runtime import PythonRuntime, ScriptRuntime
from ocijobs.reconcile.job.configuration import DRIVER_ENTRYPOINT

CODE_FOLDER = "code"
JOB_FILE = "ocijobs_job.json"
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip archive can hold."""

_SUFFIXES = {ScriptRuntime: (".py", ".sh"), PythonRuntime: (".py",)}


class SourceError(ValueError):
    """The source is no code that the runtime can run; the message names the field and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltArtifact:
    """An artifact, ready to be uploaded."""

    name: str
    content: bytes = field(repr=False)

    @property
    def sha256(self) -> str:
        """SHA-256 of the content, in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()


def sources_digest(files: Mapping[str, bytes]) -> str:
    """Return the digest of the source: of the files' names and contents, in hexadecimal."""
    total = hashlib.sha256()
    for name, content in sorted(files.items()):
        total.update(f"{len(name)}:{name}:{len(content)}:".encode())
        total.update(content)
    return total.hexdigest()


def build_artifact(job_name: str, spec: OCIJobSpec, files: Mapping[str, bytes]) -> BuiltArtifact:
    """Return the artifact of a job.

    Args:
        job_name: of the OCIJob, for the artifact's file name.
        spec: of the OCIJob.
        files: the source: path -> content.

    Raises:
        SourceError: if the source lacks what the runtime names.
    """
    entries = {
        DRIVER_ENTRYPOINT: _driver(),
        JOB_FILE: _json(_instructions(spec, files)),
        **{f"{CODE_FOLDER}/{name}": content for name, content in files.items()},
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(entries):
            info = zipfile.ZipInfo(name, date_time=_EPOCH)
            info.create_system = 3
            info.external_attr = 0o100644 << 16
            archive.writestr(info, entries[name])
    return BuiltArtifact(name=f"{job_name}.zip", content=buffer.getvalue())


def _driver() -> bytes:
    return resources.files("ocijobs.artifact").joinpath("drivers", DRIVER_ENTRYPOINT).read_bytes()


def _json(document: Any) -> bytes:
    return json.dumps(document, sort_keys=True, indent=1).encode()


def _instructions(spec: OCIJobSpec, files: Mapping[str, bytes]) -> dict[str, Any]:
    """Return what the driver is to do."""
    variant = spec.runtime.variant
    instructions: dict[str, Any] = {"entrypoint": _entrypoint(variant, files)}
    if isinstance(variant, PythonRuntime):
        field_name = "spec.runtime.python"
        instructions |= {
            "python": True,
            "entryFunction": variant.entry_function,
            "workingDir": _folder(variant.working_dir, files, f"{field_name}.workingDir"),
            "pythonPath": [
                _folder(path, files, f"{field_name}.pythonPath") for path in variant.python_path
            ],
        }
    if spec.outputs is not None:
        _check_outputs(spec.outputs.path, variant, files)
        instructions["outputs"] = {"path": spec.outputs.path, "uri": spec.outputs.uri}
    return instructions


def _entrypoint(variant: ScriptRuntime | PythonRuntime, files: Mapping[str, bytes]) -> str:
    """Return the file that is run: the one that is named, else the only one there is."""
    where = f"spec.runtime.{'python' if isinstance(variant, PythonRuntime) else 'script'}"
    if not files:
        raise SourceError(f"{where}.source: has no files")
    for name in sorted(files):
        if (parent := _file_above(name, files)) is not None:
            raise SourceError(f"{where}.source: {parent} is a file, and a folder of {name} too")
    named = variant.entrypoint
    if named is None and len(files) > 1:
        listed = ", ".join(sorted(files)[:10])
        raise SourceError(f"{where}.entrypoint: name the file that is run, one of {listed}")
    path = named or next(iter(files))
    if path not in files:
        listed = ", ".join(sorted(files)[:10])
        raise SourceError(f"{where}.entrypoint: the source has no file {path}; it has {listed}")
    suffixes = _SUFFIXES[type(variant)]
    if PurePosixPath(path).suffix not in suffixes:
        raise SourceError(f"{where}.entrypoint: {path} must end with {' or '.join(suffixes)}")
    return path


def _folder(path: str | None, files: Mapping[str, bytes], where: str) -> str | None:
    if path is not None and not any(name.startswith(f"{path}/") for name in files):
        raise SourceError(f"{where}: the source has no folder {path}")
    return path


def _check_outputs(
    path: str, variant: ScriptRuntime | PythonRuntime, files: Mapping[str, bytes]
) -> None:
    """Refuse a folder that the driver could not make."""
    base = variant.working_dir if isinstance(variant, PythonRuntime) else None
    full = f"{base}/{path}" if base else path
    taken = full if full in files else _file_above(full, files)
    if taken is not None:
        raise SourceError(
            f"spec.outputs.path: {path} can't be a folder: {taken} is a file of the source"
        )


def _file_above(path: str, files: Mapping[str, bytes]) -> str | None:
    """Return the file that stands where the path has a folder."""
    return next((str(p) for p in PurePosixPath(path).parents if str(p) in files), None)
