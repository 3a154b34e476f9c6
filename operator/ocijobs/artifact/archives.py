"""Archives as sources: what was fetched is unpacked if its name says so, and is one file of the code otherwise."""

from __future__ import annotations

import tarfile
import zipfile
import zlib
from lzma import LZMAError
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO

from ocijobs.artifact.files import Content, Files, SourceError

_ZIP = (".zip",)
_TAR = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
_CHUNK = 1 << 20


def files_of(fetched: Path, name: str, folder: Path, limit: int) -> Files:
    """Return the files of what was fetched.

    Args:
        fetched: where it lies.
        name: what it is called where it comes from.
        folder: an empty folder to unpack in.
        limit: bytes of all files together.

    Raises:
        SourceError: if it is a broken archive, has a name that leads out of the code, or is too large.
    """
    try:
        if name.lower().endswith(_ZIP):
            return _unzipped(fetched, folder, limit)
        if name.lower().endswith(_TAR):
            return _untarred(fetched, folder, limit)
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, LZMAError) as error:
        raise SourceError(f"{name} is no whole archive: {error}") from error
    except (RuntimeError, NotImplementedError) as error:
        raise SourceError(f"{name} can't be unpacked: {error}") from error
    return {name: fetched}


def files_under(folder: Path, limit: int) -> Files:
    """Return the files of a folder, without `.git`. Links are followed inside it.

    Raises:
        SourceError: if a link leads out of it or nowhere, or it is too large.
    """
    found: dict[str, Content] = {}
    total = 0
    root = folder.resolve()
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if ".git" in name.parts or not (path.is_symlink() or path.is_file()):
            continue
        target = path.resolve()
        if not target.is_relative_to(root):
            raise SourceError(f"{name} is a link that leads out of the code")
        if target.is_dir():
            raise SourceError(
                f"{name} is a link to a folder: links to files are followed, these are not"
            )
        if not target.is_file():
            raise SourceError(f"{name} is a link to nothing")
        total += target.stat().st_size
        check_size(total, limit)
        found[name.as_posix()] = target
    return found


def in_folder(files: Files, path: str | None, what: str) -> Files:
    """Return the files under a folder, named from there.

    Raises:
        SourceError: if there are none.
    """
    if path is None:
        return files
    prefix = f"{path}/"
    inside = {
        name.removeprefix(prefix): content
        for name, content in files.items()
        if name.startswith(prefix)
    }
    if not inside:
        raise SourceError(f"{what} has no folder {path}")
    return inside


def check_size(size: int, limit: int) -> None:
    """Refuse what is too large for an artifact.

    Raises:
        SourceError: saying what the limit is.
    """
    if size > limit:
        raise SourceError(
            f"it has more than {limit} bytes, the largest artifact that is allowed: keep data in "
            "Object Storage and only code in the source"
        )


def _unzipped(fetched: Path, folder: Path, limit: int) -> Files:
    with zipfile.ZipFile(fetched) as archive:
        members = [info for info in archive.infolist() if not info.is_dir()]
        check_size(sum(info.file_size for info in members), limit)
        for info in members:
            target = _inside(folder, info.filename)
            with archive.open(info) as source, target.open("wb") as file:
                _copy(source, file, limit)
    return files_under(folder, limit)


def _untarred(fetched: Path, folder: Path, limit: int) -> Files:
    total = 0
    with tarfile.open(fetched) as archive:
        for member in archive:
            total += member.size
            check_size(total, limit)
            _inside(folder, member.name)
            archive.extract(member, folder, filter="data")
    return files_under(folder, limit)


def _inside(folder: Path, name: str) -> Path:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise SourceError(f"the archive's member {name} leads out of it")
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


def _copy(source: IO[bytes], target: BinaryIO, limit: int) -> None:
    """Copy, and trust no size that an archive claims."""
    total = 0
    while chunk := source.read(_CHUNK):
        total += len(chunk)
        check_size(total, limit)
        target.write(chunk)
