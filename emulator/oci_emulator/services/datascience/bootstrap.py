"""The bootstrap of a job run: its directory, artifact, environment and credentials."""

import asyncio
import json
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from oci_emulator.certificates import keys
from oci_emulator.principals.tokens import TokenService
from oci_emulator.running import archives, conda, environment
from oci_emulator.running.archives import ArchiveError
from oci_emulator.running.conda import CondaEnvironments, CondaError
from oci_emulator.running.containers import ContainerError, Engine
from oci_emulator.running.environment import Directories, Network
from oci_emulator.services.datascience.artifacts import Artifact, artifact_of
from oci_emulator.services.datascience.checks import is_reserved
from oci_emulator.services.datascience.configuration import Effective
from oci_emulator.services.datascience.node_groups import Node
from oci_emulator.services.datascience.progression import JOB
from oci_emulator.services.datascience.published import PublishedPacks
from oci_emulator.services.foundation import Foundation
from oci_emulator.state.resources import Resource

_RUNTIME_FILE = "jobruntime.yaml"
_TOKEN_SPARE_SECONDS = 3600
_PRINCIPAL = "principal"


class BootstrapError(Exception):
    """The run can't come to execute its artifact; the message is for its lifecycleDetails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """All that is needed to start the process of a node.

    Attributes:
        after: a command that removes what the process leaves outside of its group.
    """

    node: Node
    command: list[str]
    directory: Path
    variables: dict[str, str] = field(repr=False)
    after: tuple[str, ...] = ()


class Bootstrap:
    """Prepares runs.

    Args:
        directory: where the directories of runs are.
        network: what runs reach the services through.
    """

    def __init__(
        self,
        foundation: Foundation,
        *,
        tokens: TokenService,
        environments: CondaEnvironments,
        published: PublishedPacks,
        engine: Engine,
        directory: Path,
        network: Network,
    ) -> None:
        self._foundation = foundation
        self._tokens = tokens
        self._environments = environments
        self._published = published
        self._engine = engine
        self._directory = directory
        self._network = network

    def directory_of(self, run_id: str) -> Path:
        """The directory of a run; it may not exist yet."""
        return self._directory / run_id.rpartition(".")[2]

    def revoke(self, run_id: str) -> None:
        """Remove a run's credentials: its machines are gone."""
        base = self.directory_of(run_id)
        for principal in (base / _PRINCIPAL, *base.glob(f"*/{_PRINCIPAL}")):
            remove(principal)

    def close(self) -> None:
        """End what is being built."""
        self._environments.close()

    async def prepare(self, run: Resource, nodes: Sequence[Node]) -> Sequence[Prepared]:
        """Prepare a run to be started, on all of its nodes.

        Raises:
            BootstrapError: it can't be.
        """
        # An emulator that was killed may have left a part of it.
        await asyncio.to_thread(remove, self.directory_of(run.id))
        return [await self._prepare(run, node) for node in nodes]

    async def _prepare(self, run: Resource, node: Node) -> Prepared:
        settings = node.group.settings
        job = self._foundation.resources.get(JOB, run.body["jobId"])
        artifact = artifact_of(job) if job else None
        directories = self._directories(run.id, node)
        if job is not None and settings.container:
            return await self._prepare_container(run, job, node, artifact)
        if job is None or artifact is None:
            raise BootstrapError("the job has no artifact.")
        try:
            path = await asyncio.to_thread(self._place, artifact, directories)
            user = {**_runtime_file(directories.unpacked), **settings.environment}
            if archives.is_archive(artifact.name):
                path = _entry_point(directories.unpacked, user)
            python = await self._python(run, user, directories)
        except (ArchiveError, CondaError) as error:
            raise BootstrapError(f"{error}.") from error
        await self._issue_token(run, settings, directories)
        variables = environment.of_run(
            directories=directories,
            python=python,
            network=self._network,
            region=self._foundation.tenancy.region,
            service={
                **self._service_variables(run, job, artifact),
                **_node_variables(node, directories),
            },
            user={name: value for name, value in user.items() if not is_reserved(name)},
        )
        command = _command(path, python) + _arguments(settings.arguments)
        is_archive = archives.is_archive(artifact.name)
        return Prepared(
            node=node,
            command=command,
            directory=directories.unpacked if is_archive else directories.home,
            variables=variables,
        )

    async def _python(
        self, run: Resource, variables: Mapping[str, str], directories: Directories
    ) -> Path:
        """The interpreter of the environment that a run's variables name."""
        if variables.get("CONDA_ENV_TYPE") == "published":
            return await self._published.provide(run, variables, directories.conda)
        return await self._environments.provide(_pack(variables))

    async def _prepare_container(
        self, run: Resource, job: Resource, node: Node, artifact: Artifact | None
    ) -> Prepared:
        """Prepare a container; an artifact lies in its home as it is."""
        settings = node.group.settings
        image = settings.container["image"]
        try:
            await self._engine.check(image)
        except ContainerError as error:
            raise BootstrapError(f"{error}.") from error
        directories = self._directories(run.id, node)
        directories.make()
        if artifact is not None:
            content = self._foundation.content.path(artifact.content)
            await asyncio.to_thread(shutil.copyfile, content, directories.home / artifact.name)
        await self._issue_token(run, settings, directories)
        user = settings.environment
        variables = environment.of_run(
            directories=directories,
            python=Path("/usr/bin/python3"),
            network=self._network,
            region=self._foundation.tenancy.region,
            service={
                **self._service_variables(run, job, artifact),
                **_node_variables(node, directories),
            },
            user={name: value for name, value in user.items() if not is_reserved(name)},
        )
        name = f"{run.id.rpartition('.')[2]}-{node.rank}"
        command = self._engine.run(
            image,
            name=name,
            entrypoint=settings.container.get("entrypoint", ()),
            arguments=[*settings.container.get("cmd", ()), *_arguments(settings.arguments)],
            variables=variables,
            home=directories.home,
            mounts=[directories.principal.parent, self._network.authority],
        )
        return Prepared(
            node=node,
            command=command,
            directory=directories.home,
            variables=self._engine.environment(variables),
            after=tuple(self._engine.remove(name)),
        )

    def _directories(self, run_id: str, node: Node) -> Directories:
        base = self.directory_of(run_id)
        if node.group.name:
            base /= f"node-{node.rank}"
        return Directories(home=base / "home", temporary=base / "tmp", principal=base / _PRINCIPAL)

    def _place(self, artifact: Artifact, directories: Directories) -> Path:
        """Put the artifact into a node's fresh home, unpacked if it is an archive."""
        directories.make()
        content = self._foundation.content.path(artifact.content)
        if archives.is_archive(artifact.name):
            archives.unpack(content, artifact.name, directories.unpacked)
            return directories.unpacked
        path = directories.home / artifact.name
        shutil.copyfile(content, path)
        return path

    async def _issue_token(
        self, run: Resource, settings: Effective, directories: Directories
    ) -> None:
        lifetime = settings.maximum_minutes * 60 + _TOKEN_SPARE_SECONDS
        session = await asyncio.to_thread(self._tokens.issue, run.id, run.compartment, lifetime)
        keys.write_private(directories.token, session.token)
        keys.write_private(directories.key, session.private_key)

    def _service_variables(
        self, run: Resource, job: Resource, artifact: Artifact | None
    ) -> dict[str, str]:
        project = self._foundation.resources.get("project", run.body["projectId"])
        return {
            "TENANCY_OCID": self._foundation.tenancy.id,
            "PROJECT_OCID": run.body["projectId"],
            "PROJECT_COMPARTMENT_OCID": project.compartment if project else job.compartment,
            "JOB_OCID": job.id,
            "JOB_COMPARTMENT_OCID": job.compartment,
            "JOB_ARTIFACT_FILE_NAME": artifact.name if artifact else "",
            "JOB_RUN_OCID": run.id,
            "JOB_RUN_COMPARTMENT_OCID": run.compartment,
        }


def _node_variables(node: Node, directories: Directories) -> dict[str, str]:
    """What tells a node of its place among the others, who are listed in a file."""
    if not node.group.name:
        return {"FQDN": "localhost"}
    nodes = [
        {"Rank": each.rank, "IPAddress": each.address, "NodeGroup": each.group.name}
        for each in node.siblings
    ]
    directories.nodes.write_text(json.dumps(nodes), encoding="utf-8")
    return {
        "FQDN": node.address,
        "NODE_RANK": str(node.rank),
        "INITIAL_CLUSTER_SIZE": str(len(nodes)),
        "CLUSTER_NODES_METADATA_FILE": str(directories.nodes),
    }


def remove(directory: Path) -> None:
    """Remove a directory and all in it, if it exists."""
    shutil.rmtree(directory, ignore_errors=True)


def _pack(variables: Mapping[str, str]) -> conda.Pack:
    """The environment of the service that a run's variables name, or the bare one."""
    kind = variables.get("CONDA_ENV_TYPE", "")
    if not kind:
        return conda.BARE
    if kind == "service":
        return conda.pack_of(variables.get("CONDA_ENV_SLUG", ""))
    raise CondaError(f"CONDA_ENV_TYPE must be service or published, not {kind!r}")


def _runtime_file(directory: Path) -> dict[str, str]:
    """The variables of the runtime YAML at the root of an archive, if it has one."""
    path = directory / _RUNTIME_FILE
    if not path.is_file():
        return {}
    import yaml  # noqa: PLC0415  # when it is first needed: many emulators never do

    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BootstrapError(f"{_RUNTIME_FILE} can't be read: {error}.") from error
    if not isinstance(document, dict):
        raise BootstrapError(f"{_RUNTIME_FILE} must be a map of variables to values.")
    return {str(name): str(value) for name, value in document.items()}


def _entry_point(directory: Path, variables: Mapping[str, str]) -> Path:
    entry = variables.get("JOB_RUN_ENTRYPOINT", "")
    if not entry:
        raise BootstrapError("an archive needs JOB_RUN_ENTRYPOINT, the path of its main file.")
    return archives.entry_point(directory, entry)


def _command(path: Path, python: Path) -> list[str]:
    """How a file is executed; output of Python comes unbuffered, as it is logged line by line."""
    match path.suffix.lower():
        case ".py":
            return [str(python), "-u", str(path)]
        case ".sh":
            return ["/bin/bash", str(path)]
    raise BootstrapError(
        f"{path.name} can't be executed: this emulator runs .py and .sh files, and .zip and"
        " .tar.gz archives of them."
    )


def _arguments(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise BootstrapError(f"commandLineArguments can't be split: {error}.") from error
