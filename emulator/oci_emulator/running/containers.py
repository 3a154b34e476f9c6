"""Containers of runs: commands of podman, or of an engine that takes the same ones."""

import asyncio
import os
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

DEFAULT = "podman"
_HOME = "/home/datascience"
_OF_THE_IMAGE = frozenset({"PATH", "HOME", "LANG", "USER", "SHELL", "TMPDIR"})
"""What a container has of its image, and not of the machine."""
_OF_THE_ENGINE = ("PATH", "HOME", "XDG_RUNTIME_DIR", "CONTAINERS_CONF")


class ContainerError(Exception):
    """A container can't be run; the message says why."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A container engine.

    Attributes:
        command: the program, with options that come before its own commands.
        options: of its command ``run``.
    """

    command: tuple[str, ...]
    options: tuple[str, ...] = ()

    @classmethod
    def of(cls, text: str, options: str = "") -> "Engine":
        """The engine that a setting names, such as ``podman --runtime runc``."""
        return cls(tuple(shlex.split(text)), tuple(shlex.split(options)))

    async def check(self, image: str) -> None:
        """Check that there is the engine, and the image: none is pulled.

        Raises:
            ContainerError: one is missing.
        """
        if shutil.which(self.command[0]) is None:
            raise ContainerError(f"containers need {self.command[0]}, which is not installed here")
        process = await asyncio.create_subprocess_exec(
            *self.command,
            *("image", "exists", image),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            env=self.environment({}),
        )
        if await process.wait():
            raise ContainerError(
                f"the image {image} is none of {self.command[0]}'s images here, and none is pulled"
            )

    def run(
        self,
        image: str,
        *,
        name: str,
        entrypoint: Sequence[str],
        arguments: Sequence[str],
        variables: Mapping[str, str],
        home: Path,
        mounts: Sequence[Path],
    ) -> list[str]:
        """The command that runs a container in the foreground.

        ``variables``: of the container; their values are taken from the command's environment.
        ``home``: what is /home/datascience inside.
        ``mounts``: what is at the same place inside.
        """
        given = [name for name in variables if name not in _OF_THE_IMAGE]
        return [
            *self.command,
            *("run", "--rm", "--name", name, "--network", "host", "--pull", "never"),
            *("--http-proxy=false", "--workdir", _HOME, "--env", f"HOME={_HOME}"),
            *self.options,
            *(part for name in given for part in ("--env", name)),
            *("--volume", f"{home}:{_HOME}"),
            *(part for mount in mounts for part in ("--volume", f"{mount}:{mount}")),
            # podman takes several words of an entry point as JSON; the rest are arguments.
            *(("--entrypoint", entrypoint[0]) if entrypoint else ()),
            image,
            *entrypoint[1:],
            *arguments,
        ]

    def remove(self, name: str) -> list[str]:
        """The command that ends and removes a container, if it is there."""
        return [*self.command, "rm", "--force", "--ignore", "--time", "0", name]

    def environment(self, variables: Mapping[str, str]) -> dict[str, str]:
        """The environment of a command: the engine's own, and the values for the container."""
        own = {name: os.environ[name] for name in _OF_THE_ENGINE if name in os.environ}
        return {**variables, **own}
