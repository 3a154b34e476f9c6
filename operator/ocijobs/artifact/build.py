"""Builds an artifact: one archive with the driver, its instructions and the code.

    ocijobs_driver.py    what OCI starts (JOB_RUN_ENTRYPOINT)
    ocijobs_….py         its modules
    ocijobs_job.json     the driver's instructions
    code/…               the files of the source

A container's artifact is only its source. For Spark, each member of the archive becomes an object in Object Storage:
see artifact/spark.py.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Protocol

from ocijobs.api.job.machines.data_flow import SparkLanguage
from ocijobs.api.job.runtime import Runtime
from ocijobs.api.job.runtimes.container import ContainerRuntime
from ocijobs.api.job.runtimes.spark import SparkRuntime
from ocijobs.api.job.spec import Outputs
from ocijobs.artifact.archive import write_archive
from ocijobs.artifact.entrypoint import check_names
from ocijobs.artifact.files import Content, Files, sha256_of
from ocijobs.artifact.instructions import instructions
from ocijobs.artifact.spark import spark_code

CODE_FOLDER = "code"
JOB_FILE = "ocijobs_job.json"


class Buildable(Protocol):
    """The parts of a job's spec that its artifact depends on."""

    @property
    def runtime(self) -> Runtime | None:
        """What runs; None if the code is what OCI has."""

    @property
    def outputs(self) -> Outputs | None:
        """Files that outlive the run."""

    @property
    def language(self) -> SparkLanguage | None:
        """Language of Spark code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltArtifact:
    """An artifact, ready to be uploaded.

    Attributes:
        name: its file name, by which OCI tells its type.
        path: where it lies.
        sha256: of its content, in hexadecimal.
        size: in bytes.
        libraries: of Spark, the members beside the one that is run, which is called `name`.
    """

    name: str
    path: Path
    sha256: str
    size: int
    libraries: tuple[str, ...] = ()


def build_artifact(
    job_name: str, spec: Buildable, files: Files, path: Path
) -> BuiltArtifact | None:
    """Build the artifact of a job; None if it has none, as a container without files, or a session of Spark.

    Args:
        job_name: of the OCIJob, for the artifact's file name.
        spec: what it is for.
        files: the source: path -> content.
        path: the file that is written.

    Raises:
        SourceError: if the source lacks what the runtime names.
    """
    if spec.runtime is None:
        return None
    if isinstance(spec.runtime.variant, SparkRuntime):
        return _spark(spec, spec.runtime.variant, files, path)
    if isinstance(spec.runtime.variant, ContainerRuntime):
        check_names("spec.runtime.container", files)
        entries = files
    else:
        told = json.dumps(
            instructions(spec.runtime, spec.outputs, files), sort_keys=True, indent=1
        ).encode()
        code = {f"{CODE_FOLDER}/{name}": content for name, content in files.items()}
        entries = {**_drivers(), JOB_FILE: told, **code}
    if not entries:
        return None
    write_archive(path, entries)
    return _built(f"{job_name}.zip", path)


def _built(name: str, path: Path, libraries: tuple[str, ...] = ()) -> BuiltArtifact:
    size = path.stat().st_size
    return BuiltArtifact(
        name=name, path=path, sha256=sha256_of(path), size=size, libraries=libraries
    )


def _spark(
    spec: Buildable, runtime: SparkRuntime, files: Files, path: Path
) -> BuiltArtifact | None:
    if runtime.source is None or spec.language is None:
        return None
    code = spark_code(runtime.entrypoint, spec.language, files, path.with_name("modules.zip"))
    write_archive(path, code.objects)
    return _built(
        code.entrypoint, path, tuple(sorted(n for n in code.objects if n != code.entrypoint))
    )


def _drivers() -> dict[str, Content]:
    folder = resources.files("ocijobs.artifact").joinpath("drivers")
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.name.endswith(".py")}
