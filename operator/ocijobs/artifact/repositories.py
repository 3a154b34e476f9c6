"""Fetching one commit of a Git repository, with the program git.

Git is kept from everything that is not the repository: no configuration of the machine, no prompts, no other
protocols, no redirections, and the address that its host's name was found to have.
"""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from ocijobs.api.source import GitReference
from ocijobs.artifact.addresses import AllowedAddresses
from ocijobs.artifact.files import SourceMissingError, SourceUnreachableError

_MISSING = (
    "couldn't find remote ref",
    "not our ref",
    "Authentication failed",
    "could not read Username",
    "Permission denied",
    "Repository not found",
    "not found",
    "does not appear to be a git repository",
    "Host key verification failed",
)
"""What git says where waiting does not help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GitCredentials:
    """How a repository is read: by name and password, or by a key of ssh. Nothing of it is shown."""

    username: str = ""
    password: str = ""
    identity: bytes = b""
    known_hosts: bytes = b""

    def __repr__(self) -> str:
        return "GitCredentials()"


class Repositories:
    """Asks Git repositories for commits, and fetches them."""

    def __init__(self, allowed: AllowedAddresses, timeout_seconds: float) -> None:
        self._allowed, self._timeout = allowed, timeout_seconds

    async def commit(
        self, url: str, ref: GitReference | None, credentials: GitCredentials, folder: Path
    ) -> str:
        """Return the SHA of the commit that a reference names now.

        Raises:
            SourceMissingError: if there is none, or it may not be read.
            SourceUnreachableError: if the repository does not answer.
        """
        if ref is not None and ref.commit is not None:
            return ref.commit
        name, patterns = _patterns(ref)
        environment = await self._environment(url, credentials, folder)
        listed = await self._git(folder, environment, "ls-remote", "--quiet", "--", url, *patterns)
        pairs = (line.partition("\t") for line in listed.splitlines())
        found = {name: sha for sha, _, name in pairs}
        for pattern in patterns:
            if pattern in found:
                return found[pattern]
        raise SourceMissingError(f"repository {url} has no {name}")

    async def fetch(self, url: str, commit: str, credentials: GitCredentials, folder: Path) -> None:
        """Check a commit out into an empty folder.

        Raises:
            SourceMissingError: if there is no such commit, or it may not be read.
            SourceUnreachableError: if the repository does not answer.
        """
        environment = await self._environment(url, credentials, folder.parent)
        await self._git(folder, environment, "init", "--quiet")
        try:
            await self._git(folder, environment, "fetch", "--quiet", "--depth=1", "--", url, commit)
        except SourceMissingError:
            # Some servers give single commits to nobody: everything, then.
            everything = "+refs/*:refs/remotes/origin/*"
            await self._git(folder, environment, "fetch", "--quiet", "--", url, everything)
        try:
            await self._git(folder, environment, "checkout", "--quiet", "--detach", commit)
        except SourceUnreachableError as error:
            raise SourceMissingError(f"repository {url} has no commit {commit}") from error

    async def _environment(
        self, url: str, credentials: GitCredentials, folder: Path
    ) -> Mapping[str, str]:
        """Return the environment that git runs in: all of it."""
        settings = {
            "core.hooksPath": os.devnull,
            "http.followRedirects": "false",
            "protocol.allow": "never",
            "protocol.http.allow": "always",
            "protocol.https.allow": "always",
            "protocol.ssh.allow": "always",
        }
        host, port = _host(url)
        addresses = await self._allowed.addresses(host, port)
        if url.startswith(("http://", "https://")):
            settings["http.curloptResolve"] = (
                f"{host}:{port}:{','.join(map(_bracketed, addresses))}"
            )
        if credentials.password or credentials.username:
            pair = f"{credentials.username}:{credentials.password}".encode()
            token = base64.b64encode(pair).decode()
            settings["http.extraHeader"] = f"Authorization: Basic {token}"
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(folder),
            "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_CONFIG_COUNT": str(len(settings)),
            "GIT_SSH_COMMAND": _ssh_command(credentials, folder),
        }
        for variable in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY"):
            if variable in os.environ:
                environment[variable] = os.environ[variable]
        for index, (name, value) in enumerate(settings.items()):
            environment |= {f"GIT_CONFIG_KEY_{index}": name, f"GIT_CONFIG_VALUE_{index}": value}
        return environment

    async def _git(self, folder: Path, environment: Mapping[str, str], *words: str) -> str:
        try:
            process = await asyncio.create_subprocess_exec(
                "git",
                *words,
                cwd=folder,
                env=dict(environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
        except FileNotFoundError as error:
            raise SourceUnreachableError("the operator's image has no program git") from error
        try:
            async with asyncio.timeout(self._timeout):
                output, errors = await process.communicate()
        except TimeoutError as error:
            raise SourceUnreachableError(
                f"git {words[0]} took longer than {self._timeout:g} s"
            ) from error
        finally:
            if process.returncode is None:
                os.killpg(process.pid, 9)
                await process.wait()
        if process.returncode:
            _raise(words[0], errors.decode(errors="replace"))
        return output.decode(errors="replace")


def _raise(word: str, errors: str) -> None:
    lines = [line for line in errors.splitlines() if line.strip()]
    told = next((line for line in lines if line.startswith("fatal:")), lines[-1] if lines else "")
    message = f"git {word}: {told.removeprefix('fatal: ')}"
    if any(sign in errors for sign in _MISSING):
        raise SourceMissingError(message)
    raise SourceUnreachableError(message)


def _patterns(ref: GitReference | None) -> tuple[str, tuple[str, ...]]:
    """Return what the reference is called, and the names it may have, the first that exists being it."""
    if ref is not None and ref.branch is not None:
        return f"branch {ref.branch}", (f"refs/heads/{ref.branch}",)
    if ref is not None and ref.tag is not None:
        # An annotated tag is an object of its own; ^{} is its commit.
        return f"tag {ref.tag}", (f"refs/tags/{ref.tag}^{{}}", f"refs/tags/{ref.tag}")
    return "default branch", ("HEAD",)


def _host(url: str) -> tuple[str, int]:
    if "://" not in url:
        return url.partition(":")[0].rpartition("@")[2], 22
    parts = urlsplit(url)
    ports = {"http": 80, "https": 443, "ssh": 22}
    return parts.hostname or "", parts.port or ports[parts.scheme]


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _ssh_command(credentials: GitCredentials, folder: Path) -> str:
    """Return the command of ssh; the key lies in the folder, which is gone when the source is read."""
    key, known = folder / ".ssh-identity", folder / ".ssh-known-hosts"
    if credentials.identity:
        key.touch(mode=0o600)
        key.write_bytes(credentials.identity.rstrip() + b"\n")
    known.write_bytes(credentials.known_hosts)
    return (
        f"ssh -F none -i {key} -o IdentitiesOnly=yes -o BatchMode=yes "
        f"-o StrictHostKeyChecking=yes -o UserKnownHostsFile={known}"
    )
