"""The driver as OCI starts it: an artifact unpacked into a folder, and a process whose environment is scrubbed."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ocijobs.artifact.build import build_artifact
from ocijobs.backends.data_science.workload import DRIVER_ENTRYPOINT
from ocijobs.testing import make_job

SECONDS = 30
"""Deadline of whatever a test awaits."""

BARE_PYTHON = (str(Path(sys.base_prefix) / "bin" / "python3"), "-I", "-S")
"""A Python with nothing but its standard library."""

CONDA = {"type": "service", "slug": "generalml_p311_cpu_x86_64_v1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a process ended."""

    code: int
    output: str
    errors: str


class DriverFolder:
    """An unpacked artifact, and processes of its driver."""

    def __init__(
        self,
        folder: Path,
        files: Mapping[str, str],
        *,
        script: Mapping[str, Any] | None = None,
        python: Mapping[str, Any] | None = None,
        runtime: Mapping[str, Any] | None = None,
        **spec: Any,
    ) -> None:
        self.folder = folder
        source = {"inline": dict(files)}
        if runtime is None:
            runtime = (
                {"script": {"source": source, **(script or {})}}
                if python is None
                else {"python": {"source": source, "conda": CONDA, **python}}
            )
        job = make_job(runtime=runtime, **spec)
        content = {path: text.encode() for path, text in files.items()}
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "artifact.zip"
        build_artifact("job", job.spec, content, path)
        with zipfile.ZipFile(path) as archive:
            archive.extractall(folder)
        path.unlink()

    @property
    def code(self) -> Path:
        """The folder of the user's code."""
        return self.folder / "code"

    def run(
        self,
        *args: str,
        python: tuple[str, ...] = BARE_PYTHON,
        environment: Mapping[str, str] | None = None,
    ) -> Ended:
        """Run the driver to its end."""
        with self.started(*args, python=python, environment=environment) as process:
            output, errors = process.communicate(timeout=SECONDS)
        return Ended(code=process.returncode, output=output, errors=errors)

    @contextmanager
    def started(
        self,
        *args: str,
        python: tuple[str, ...] = BARE_PYTHON,
        environment: Mapping[str, str] | None = None,
    ) -> Iterator["subprocess.Popen[str]"]:
        """Start the driver; it is asked to end if the test leaves it running, and with it the code."""
        with subprocess.Popen(
            [*python, str(self.folder / DRIVER_ENTRYPOINT), *args],
            cwd="/",
            env={"PATH": os.defpath, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.terminate()
                process.communicate(timeout=SECONDS)
