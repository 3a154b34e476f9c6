"""Fetches one commit of a Git repository, with the program git.

Git may use nothing but the repository: no configuration of the machine, no prompts, no other protocols, no
redirections, and only the address to which its host's name was resolved.
"""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from ocijobs.api.job.source import GitReference
from ocijobs.artifact.addresses import AllowedAddresses
from ocijobs.artifact.bounds import Bounds, check_name
from ocijobs.artifact.files import SourceError, SourceMissingError, SourceUnreachableError
from ocijobs.artifact.git import Git

_FRUGAL = {
    "core.bigFileThreshold": "8m",
    "core.deltaBaseCacheLimit": "32m",
    "core.packedGitLimit": "64m",
    "core.packedGitWindowSize": "16m",
    # One file for what is fetched, so that the limit of a file's size is that of the fetch.
    "fetch.unpackLimit": "1",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "pack.threads": "1",
    "submodule.recurse": "false",
}
"""How git makes do with little memory, and stays within the process that it is counted in."""


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

    def __init__(self, allowed: AllowedAddresses, bounds: Bounds) -> None:
        self._allowed, self._bounds = allowed, bounds

    async def commit(
        self, url: str, ref: GitReference | None, credentials: GitCredentials, folder: Path
    ) -> str:
        """Return the SHA of the commit that a reference names now.

        Raises:
            SourceMissingError: if there is none, or it may not be read.
            SourceUnreachableError: if the repository does not answer.
            LimitReachedError: if git needs too much for it.
        """
        if ref is not None and ref.commit is not None:
            return ref.commit
        name, patterns = _patterns(ref)
        git = await self._git(url, credentials, folder)
        listed = await git.run("ls-remote", "--quiet", "--", url, *patterns)
        pairs = (line.partition("\t") for line in listed.splitlines())
        found = {name: sha for sha, _, name in pairs}
        for pattern in patterns:
            if pattern in found:
                return found[pattern]
        raise SourceMissingError(f"repository {url} has no {name}")

    async def fetch(
        self,
        url: str,
        commit: str,
        credentials: GitCredentials,
        folder: Path,
        path: str | None = None,
    ) -> None:
        """Check a commit out into an empty folder; what is Git's own is gone afterwards.

        Args:
            url: of the repository.
            commit: its SHA.
            credentials: for it.
            folder: to check out into; what git keeps beside it is private.
            path: folder that is the code; if all of the commit is too much, it alone is checked out.

        Raises:
            SourceMissingError: if there is no such commit, or it may not be read.
            SourceUnreachableError: if the repository does not answer.
            SourceError: if it is too much, or has a name that can't be had.
            LimitReachedError: if git needs too much for it.
        """
        git = await self._git(url, credentials, folder)
        await git.run("init", "--quiet")
        try:
            await git.run("fetch", "--quiet", "--depth=1", "--", url, commit)
        except SourceMissingError:
            # Some servers give single commits to nobody: everything, then.
            await git.run("fetch", "--quiet", "--", url, "+refs/*:refs/remotes/origin/*")
        try:
            await git.run("cat-file", "-e", f"{commit}^{{commit}}")
        except SourceUnreachableError as error:
            raise SourceMissingError(f"repository {url} has no commit {commit}") from error
        what: tuple[str, ...] = ("--detach", commit)
        try:
            await self._check(git, commit, None)
        except SourceError:
            if path is None:
                raise
            await self._check(git, commit, path)
            what = (commit, "--", path)
        await git.run("checkout", "--quiet", *what)
        shutil.rmtree(folder / ".git")

    async def _git(self, url: str, credentials: GitCredentials, folder: Path) -> Git:
        private = folder.parent
        environment = await self._environment(url, credentials, private)
        return Git(folder, environment, notes=private / "git-notes")

    async def _check(self, git: Git, commit: str, path: str | None) -> None:
        """Refuse a commit that is too much, before any of it is written."""
        under = ("--", f"{path}/") if path is not None else ()
        count = total = 0
        listing = git.entries("ls-tree", "-r", "-l", "-z", "--full-tree", commit, *under)
        async with aclosing(listing) as entries:
            async for entry in entries:
                told, _, name = entry.partition(b"\t")
                size = told.split()[-1]
                count, total = count + 1, total + (int(size) if size.isdigit() else 0)
                self._bounds.check_count(count)
                self._bounds.check_size(total)
                check_name(name.decode(errors="surrogateescape"))

    async def _environment(
        self, url: str, credentials: GitCredentials, folder: Path
    ) -> Mapping[str, str]:
        """Return the environment that git runs in: all of it."""
        settings = {
            **_FRUGAL,
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
