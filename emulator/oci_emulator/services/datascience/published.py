"""Published conda environments: packs in Object Storage, read with the rights of the run."""

import asyncio
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from oci_emulator.calls.call import Answer
from oci_emulator.calls.errors import ServiceError
from oci_emulator.calls.principal import Principal
from oci_emulator.principals.tokens import RUN_TYPE
from oci_emulator.running import archives
from oci_emulator.running.conda import CondaError
from oci_emulator.state.resources import Resource

Perform = Callable[..., Answer]
"""Carries out an operation of a service for a principal, as if it had been requested."""

_NAMED_BY = ("CONDA_ENV_NAMESPACE", "CONDA_ENV_BUCKET", "CONDA_ENV_OBJECT_NAME")


class PublishedPacks:
    """Provides published environments.

    Args:
        now: the emulator's time.
        region: the only one whose Object Storage is here.
    """

    def __init__(
        self, perform: Perform, *, now: Callable[[], float], tenancy: str, region: str
    ) -> None:
        self._perform = perform
        self._now = now
        self._tenancy = tenancy
        self._region = region

    async def provide(self, run: Resource, variables: Mapping[str, str], directory: Path) -> Path:
        """Unpack the environment that a run's variables name; its interpreter.

        ``directory``: where, if it is not there yet.

        Raises:
            CondaError: it can't be read or is no pack.
        """
        missing = [name for name in _NAMED_BY if not variables.get(name)]
        if missing:
            raise CondaError(f"a published conda environment needs {', '.join(missing)}")
        region = variables.get("CONDA_ENV_REGION") or self._region
        if region != self._region:
            raise CondaError(f"CONDA_ENV_REGION is {region}; this emulator is {self._region}")
        namespace, bucket, name = (variables[each] for each in _NAMED_BY)
        path = self._content(run, namespace, bucket, name)
        await asyncio.to_thread(_unpack, path, directory)
        python = directory / "bin" / "python"
        if not os.access(python, os.X_OK):
            raise CondaError(f"{name} is no conda environment: it has no bin/python")
        await _relocate(directory, name)
        return python

    def _content(self, run: Resource, namespace: str, bucket: str, name: str) -> Path:
        principal = Principal(
            kind="resource",
            id=run.id,
            tenancy=self._tenancy,
            compartment=run.compartment,
            resource_type=RUN_TYPE,
        )
        path = {"namespaceName": namespace, "bucketName": bucket, "objectName": name}
        try:
            answer: Any = self._perform(
                "objectstorage", "GetObject", principal, {}, self._now(), path=path
            )
        except ServiceError as error:
            raise CondaError(
                f"the published conda environment {name} in {bucket} can't be read: {error}"
            ) from error
        content: Path = answer.content.path
        return content


def _unpack(pack: Path, directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    archives.unpack(pack, "pack.tar.gz", directory)


async def _relocate(directory: Path, name: str) -> None:
    """Let a pack of conda-pack find itself in its new place."""
    program = directory / "bin" / "conda-unpack"
    if not program.exists():
        return
    process = await asyncio.create_subprocess_exec(
        str(directory / "bin" / "python"),
        str(program),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    if process.returncode:
        text = output.decode(errors="replace")[-500:]
        raise CondaError(f"conda-unpack of {name} failed: {text}")
