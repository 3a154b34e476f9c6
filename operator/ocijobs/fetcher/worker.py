"""The work of a child: it reads one request, gets the files, builds the artifact, and writes the answer.

A child is disposable. If it does not survive, the server reports that.
"""

from __future__ import annotations

import asyncio
import errno
import os
import resource
from pathlib import Path

from ocijobs.artifact.build import BuiltArtifact, build_artifact
from ocijobs.artifact.files import (
    Files,
    LimitReachedError,
    SourceError,
    SourceMissingError,
    SourceUnreachableError,
    sources_digest,
)
from ocijobs.fetcher.origins import Found, find
from ocijobs.fetcher.protocol import (
    FetchAnswer,
    FetchedArtifact,
    FetchRefusal,
    FetchRequest,
    Limits,
    RefusalKind,
)

ARTIFACT = "artifact"
"""Name of the artifact's file, in the child's folder."""

_SLACK_BYTES = 16 << 20
"""Factor by which Git's own data, or an archive with its names, may be larger than the files."""

_OPEN_FILES = 256

_REFUSALS: tuple[tuple[type[Exception], RefusalKind], ...] = (
    (SourceMissingError, RefusalKind.MISSING),
    (SourceUnreachableError, RefusalKind.UNREACHABLE),
    (SourceError, RefusalKind.INVALID),
    (LimitReachedError, RefusalKind.LIMIT),
)
"""Errors whose message says everything."""


def work(request: int, answer: int, folder: str) -> None:
    """Handle the request in one file, and write the answer into the other."""
    with os.fdopen(request, "rb") as file:
        asked = FetchRequest.model_validate_json(file.read())
    _limit(asked.limits)
    told = _answer(asked, Path(folder))
    with os.fdopen(answer, "wb") as file:
        file.write(told.model_dump_json(exclude_defaults=True).encode())


def _limit(limits: Limits) -> None:
    """Limit this process, and each process that it starts.

    The number of processes is not limited here: the kernel counts those of the user on the whole machine.
    """
    for kind, most, grace in (
        # At the first limit a signal of its own ends the process, which the server knows it by; later SIGKILL does.
        (resource.RLIMIT_CPU, limits.cpu_seconds, 1),
        (resource.RLIMIT_AS, limits.memory_bytes, 0),
        (resource.RLIMIT_FSIZE, limits.artifact_bytes + _SLACK_BYTES, 0),
        (resource.RLIMIT_NOFILE, _OPEN_FILES, 0),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        _, hard = resource.getrlimit(kind)
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        last = bound + grace if hard == resource.RLIM_INFINITY else min(bound + grace, hard)
        resource.setrlimit(kind, (bound, last))


def _answer(request: FetchRequest, folder: Path) -> FetchAnswer:
    runtime = request.runtime
    where = f"spec.runtime.{runtime.name if runtime is not None else '*'}.source"
    try:
        found = asyncio.run(_found(request, folder))
        if found.files is None:
            return FetchAnswer(commit=found.commit)
        return _built(request, found.commit, found.files, folder)
    except Exception as error:
        if (told := _refusal(error, request.limits)) is None:
            raise
        kind, message = told
        refusal = FetchRefusal(kind=kind, message=f"{where}: {message}"[:4096])
        return FetchAnswer(refusal=refusal)


def _refusal(error: Exception, limits: Limits) -> tuple[RefusalKind, str] | None:
    """Return the refusal for an error; None if the error is unknown."""
    for kind, meant in _REFUSALS:
        if isinstance(error, kind):
            return meant, str(error)
    match error:
        case TimeoutError():
            return RefusalKind.UNREACHABLE, (
                f"reading it takes longer than {limits.seconds:g} s, as long as it may (setting sourceTimeoutSeconds)"
            )
        case MemoryError():
            return RefusalKind.LIMIT, (
                f"reading it needs more than {limits.memory_bytes} bytes of memory (setting sourceMemoryBytes): make "
                "it smaller, or raise the limit"
            )
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):
            return RefusalKind.FULL, "the fetcher's disk is full"
        case OSError(errno=errno.EFBIG):
            return RefusalKind.INVALID, (
                f"it has more than {limits.artifact_bytes} bytes, the largest artifact that is allowed (setting "
                "artifactLimitBytes)"
            )
        case _:
            return None


async def _found(request: FetchRequest, folder: Path) -> Found:
    async with asyncio.timeout(request.limits.seconds):
        return await find(request.origin, request.limits, folder)


def _built(request: FetchRequest, commit: str, files: Files, folder: Path) -> FetchAnswer:
    digest = sources_digest(files)
    try:
        built = build_artifact(request.job_name, request, files, folder / ARTIFACT)
        _check_size(built, request.limits.artifact_bytes)
    except SourceError as error:
        # The field that is wrong is in the message.
        refusal = FetchRefusal(kind=RefusalKind.INVALID, message=str(error)[:4096])
        return FetchAnswer(commit=commit, digest=digest, refusal=refusal)
    return FetchAnswer(commit=commit, digest=digest, artifact=_told(built))


def _check_size(built: BuiltArtifact | None, limit: int) -> None:
    if built is not None and built.size > limit:
        raise SourceError(
            f"spec.runtime: the artifact has {built.size} bytes, and {limit} are allowed: keep data in Object Storage "
            "and only code in the source"
        )


def _told(built: BuiltArtifact | None) -> FetchedArtifact | None:
    if built is None:
        return None
    return FetchedArtifact(
        name=built.name, sha256=built.sha256, size=built.size, libraries=built.libraries
    )
