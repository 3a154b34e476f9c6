"""Building an artifact: the driver, what it is to do, and the code, in one archive.

    ocijobs_driver.py    what OCI starts (JOB_RUN_ENTRYPOINT)
    ocijobs_….py         its modules
    ocijobs_job.json     what the driver is to do
    code/…               the files of the source

A container's artifact is its source alone. The archive is the same for the same inputs, whatever the machine: names in
order, fixed times and modes, and no compression, whose output differs between versions of zlib.
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from ocijobs.api.container_runtime import ContainerRuntime
from ocijobs.api.job import OCIJobSpec
from ocijobs.artifact.files import Content, Files, copy, sha256_of, size_of
from ocijobs.artifact.instructions import check_names, instructions

CODE_FOLDER = "code"
JOB_FILE = "ocijobs_job.json"
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip archive can hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltArtifact:
    """An artifact, ready to be uploaded.

    Attributes:
        name: its file name, by which OCI tells its type.
        path: where it lies.
        sha256: of its content, in hexadecimal.
        size: in bytes.
    """

    name: str
    path: Path
    sha256: str
    size: int


def build_artifact(
    job_name: str, spec: OCIJobSpec, files: Files, path: Path
) -> BuiltArtifact | None:
    """Build the artifact of a job; None if it has none, as a container without files.

    Args:
        job_name: of the OCIJob, for the artifact's file name.
        spec: of the OCIJob.
        files: the source: path -> content.
        path: the file that is written.

    Raises:
        SourceError: if the source lacks what the runtime names.
    """
    if spec.runtime is None:
        return None
    if isinstance(spec.runtime.variant, ContainerRuntime):
        check_names("spec.runtime.container", files)
        entries = files
    else:
        told = json.dumps(instructions(spec, files), sort_keys=True, indent=1).encode()
        code = {f"{CODE_FOLDER}/{name}": content for name, content in files.items()}
        entries = {**_drivers(), JOB_FILE: told, **code}
    if not entries:
        return None
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(entries):
            _add(archive, name, entries[name])
    return BuiltArtifact(
        name=f"{job_name}.zip", path=path, sha256=sha256_of(path), size=path.stat().st_size
    )


def _add(archive: zipfile.ZipFile, name: str, content: Content) -> None:
    info = zipfile.ZipInfo(name, date_time=_EPOCH)
    info.create_system = 3
    info.external_attr = 0o100644 << 16
    info.file_size = size_of(content)
    with archive.open(info, "w") as entry:
        copy(content, entry)


def _drivers() -> dict[str, Content]:
    folder = resources.files("ocijobs.artifact").joinpath("drivers")
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.name.endswith(".py")}
