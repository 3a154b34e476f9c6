"""Gets the files of a source from where the request says that they are."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from ocijobs.api.job.source import GitReference
from ocijobs.artifact.addresses import AllowedAddresses
from ocijobs.artifact.archives import files_of, files_under, in_folder
from ocijobs.artifact.bounds import Bounds, check_name, check_tree
from ocijobs.artifact.files import (
    Content,
    Files,
    SourceError,
    SourceUnreachableError,
    sha256_of,
)
from ocijobs.artifact.repositories import GitCredentials, Repositories
from ocijobs.artifact.web import Web
from ocijobs.fetcher.protocol import (
    GitCommit,
    GivenFiles,
    Limits,
    Origin,
    StoredObjects,
    WebFile,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What is there.

    Attributes:
        files: of the source; None if only the commit was asked for.
        commit: of a Git repository.
    """

    files: Files | None
    commit: str = ""


async def find(origin: Origin, limits: Limits, folder: Path) -> Found:
    """Get the files.

    Args:
        origin: where they are.
        limits: how much they may be.
        folder: an empty folder to work in.

    Raises:
        SourceMissingError: if there is no such source.
        SourceUnreachableError: if it can't be read now.
        SourceError: if it is wrong, or too much.
        LimitReachedError: if reading it needs too much.
    """
    bounds = Bounds(total_bytes=limits.artifact_bytes, files=limits.files)
    match origin:
        case GivenFiles(files=files):
            bounds.check_size(sum(map(len, files.values())))
            return Found(files=files)
        case WebFile():
            allowed = AllowedAddresses(limits.denied_networks)
            return Found(files=await _web(origin, Web(allowed), bounds, folder))
        case GitCommit():
            allowed = AllowedAddresses(limits.denied_networks)
            return await _git(origin, Repositories(allowed, bounds), bounds, folder)
        case StoredObjects():
            return Found(files=await _objects(origin, bounds, folder))


async def _web(origin: WebFile, web: Web, bounds: Bounds, folder: Path) -> Files:
    target, unpacked = folder / "fetched", folder / "unpacked"
    unpacked.mkdir()
    await web.fetch(origin.url, target, bounds=bounds, headers=origin.headers)
    found = sha256_of(target)
    if found != origin.sha256:
        if origin.moves_on:
            raise SourceUnreachableError(
                f"the content of {origin.url} does not have sha256:{origin.sha256}"
            )
        raise SourceError(
            f"{origin.url} has SHA-256 {found}, and http.sha256 wants {origin.sha256}"
        )
    files = files_of(target, origin.name, unpacked, bounds)
    return in_folder(files, origin.path, f"artifact {origin.url}")


async def _git(
    origin: GitCommit, repositories: Repositories, bounds: Bounds, folder: Path
) -> Found:
    credentials = GitCredentials(
        username=origin.username,
        password=origin.password,
        identity=origin.identity,
        known_hosts=origin.known_hosts,
    )
    work = folder / "fetched"
    work.mkdir()
    if origin.commit is None:
        named = origin.branch is not None or origin.tag is not None
        ref = GitReference(branch=origin.branch, tag=origin.tag) if named else None
        commit = await repositories.commit(origin.url, ref, credentials, work)
        return Found(files=None, commit=commit)
    await repositories.fetch(origin.url, origin.commit, credentials, work, origin.path)
    files = in_folder(files_under(work, bounds), origin.path, f"commit {origin.commit}")
    return Found(files=files, commit=origin.commit)


async def _objects(origin: StoredObjects, bounds: Bounds, folder: Path) -> Files:
    trust = None
    if origin.trust is not None:
        trust = ssl.create_default_context(cadata=origin.trust)
    # The address is that of the operator's settings, which no user has written.
    web = Web(None, trust)
    fetched: dict[str, Content] = {}
    (folder / "fetched").mkdir()
    bounds.check_count(len(origin.objects))
    total = 0
    for index, each in enumerate(origin.objects):
        check_name(each.name)
        target = folder / "fetched" / str(index)
        total = await web.fetch(
            each.url, target, bounds=bounds, headers=each.headers, already=total
        )
        fetched[each.name] = target
    if not origin.unpack:
        check_tree(fetched)
        return fetched
    unpacked = folder / "unpacked"
    unpacked.mkdir()
    [(name, path)] = fetched.items()
    return files_of(Path(str(path)), name, unpacked, bounds)
