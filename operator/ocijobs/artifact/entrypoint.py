"""The file of a source that is run, and the check that the files can be in one folder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from ocijobs.artifact.files import Files, SourceError

_SHOWN = 10


def entrypoint_of(
    where: str, path: str | None, files: Files, candidates: Sequence[str], suffixes: tuple[str, ...]
) -> str:
    """Return the file that is run: the one that is named, else the only one there is.

    Args:
        where: path of the runtime in the manifest, for messages.
        path: the one that is named.
        files: of the source.
        candidates: those that may be meant where none is named.
        suffixes: what its name must end with one of.

    Raises:
        SourceError: if there is no such file, or several may be meant.
    """
    if not files:
        raise SourceError(f"{where}.source: has no files")
    if path is None:
        if len(candidates) > 1:
            raise SourceError(
                f"{where}.entrypoint: name the file that is run, one of {_some(candidates)}"
            )
        path = candidates[0]
    if path not in files:
        raise SourceError(f"{where}.entrypoint: the source has no file {path}{listed(files)}")
    check_suffix(where, path, suffixes)
    return path


def check_suffix(where: str, path: str, suffixes: tuple[str, ...]) -> None:
    """Refuse a file that the runtime can't run.

    Raises:
        SourceError: if its name ends with none of the suffixes.
    """
    if PurePosixPath(path).suffix not in suffixes:
        raise SourceError(f"{where}.entrypoint: {path} must end with {' or '.join(suffixes)}")


def check_names(where: str, files: Files) -> None:
    """Refuse files that can't be in one folder.

    Raises:
        SourceError: if one is a file and another's folder.
    """
    for name in sorted(files):
        if (parent := file_above(name, files)) is not None:
            raise SourceError(f"{where}.source: {parent} is a file, and a folder of {name} too")


def file_above(path: str, files: Files) -> str | None:
    """Return the file that stands where the path has a folder."""
    return next((str(p) for p in PurePosixPath(path).parents if str(p) in files), None)


def listed(files: Files) -> str:
    """Return what there is, as the end of a message."""
    return f"; it has {_some(sorted(files))}"


def _some(names: Iterable[str]) -> str:
    return ", ".join(list(names)[:_SHOWN])
