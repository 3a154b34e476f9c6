"""Archives as sources: a fetched file is unpacked if its name is an archive's; otherwise it is one file of the code."""

from __future__ import annotations

import errno
import os
import tarfile
import zipfile
import zlib
from lzma import LZMAError
from pathlib import Path
from typing import IO, BinaryIO

from ocijobs.artifact.bounds import Bounds, check_name, check_tree, shown
from ocijobs.artifact.files import Content, Files, SourceError

_ZIP = (".zip",)
_TAR = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
_CHUNK = 1 << 20

_OF_THE_ARCHIVE = frozenset(
    {
        errno.EEXIST,
        errno.EILSEQ,
        errno.EINVAL,
        errno.EISDIR,
        errno.ELOOP,
        errno.ENAMETOOLONG,
        errno.ENOTDIR,
        errno.ENOTEMPTY,
    }
)
"""Error numbers that mean that a name can't be used, and not that the file system has failed."""


def files_of(fetched: Path, name: str, folder: Path, bounds: Bounds) -> Files:
    """Return the files of a fetched source. An archive is deleted afterwards, since disk is scarce.

    Args:
        fetched: where it lies.
        name: what it is called where it comes from.
        folder: an empty folder to unpack in.
        bounds: of all files together.

    Raises:
        SourceError: if it is a broken archive, has a name that can't be had, too many files, or is too large.
    """
    check_name(name)
    try:
        if name.lower().endswith(_ZIP):
            _unzip(fetched, folder, bounds)
        elif name.lower().endswith(_TAR):
            _untar(fetched, folder, bounds)
        else:
            return {name: fetched}
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, LZMAError) as error:
        raise SourceError(f"{name} is not a complete archive: {shown(str(error))}") from error
    except OSError as error:
        if error.errno is not None and error.errno not in _OF_THE_ARCHIVE:
            raise
        told = error.strerror or shown(str(error))
        raise SourceError(f"{name} can't be unpacked: {told}") from error
    except SourceError:
        raise
    except (RuntimeError, ValueError, LookupError) as error:
        raise SourceError(f"{name} can't be unpacked: {shown(str(error))}") from error
    fetched.unlink()
    return files_under(folder, bounds)


def files_under(folder: Path, bounds: Bounds) -> Files:
    """Return the files of a folder, without `.git`. Links are followed inside it.

    Raises:
        SourceError: if a link leads out of it or nowhere, or it is too large.
    """
    found: dict[str, Content] = {}
    total = count = 0
    root = folder.resolve()
    for path in _walk(folder):
        count += 1
        bounds.check_count(count)
        name = path.relative_to(folder).as_posix()
        if not (path.is_symlink() or path.is_file()):
            continue
        check_name(name)
        target = _followed(path, name, root)
        total += target.stat().st_size
        bounds.check_size(total)
        found[name] = target
    return dict(sorted(found.items()))


def _followed(path: Path, name: str, root: Path) -> Path:
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise SourceError(f"{name} is a link to nothing") from error
    if not target.is_relative_to(root):
        raise SourceError(f"{name} is a link that leads out of the code")
    if target.is_dir():
        raise SourceError(
            f"{name} is a link to a folder: links to files are followed, these are not"
        )
    return target


def _walk(folder: Path) -> list[Path]:
    """Return everything in a folder, except for Git's own files."""
    found: list[Path] = []
    for where, folders, files in os.walk(folder):
        folders[:] = [each for each in folders if each != ".git"]
        found += [Path(where, each) for each in (*folders, *files) if each != ".git"]
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


def _unzip(fetched: Path, folder: Path, bounds: Bounds) -> None:
    with zipfile.ZipFile(fetched) as archive:
        everything = archive.infolist()
        bounds.check_count(len(everything))
        members = [info for info in everything if not info.is_dir()]
        bounds.check_size(sum(info.file_size for info in members))
        for info in members:
            check_name(info.filename)
        check_tree(info.filename for info in members)
        total = 0
        for info in members:
            target = folder / info.filename
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(info) as source, target.open("wb") as file:
                total = _copy(source, file, total, bounds)


def _untar(fetched: Path, folder: Path, bounds: Bounds) -> None:
    total = 0
    with tarfile.open(fetched) as archive:
        for count, member in enumerate(archive, start=1):
            bounds.check_count(count)
            total += member.size
            bounds.check_size(total)
            check_name(member.name)
            archive.extract(member, folder, filter="data")


def _copy(source: IO[bytes], target: BinaryIO, total: int, bounds: Bounds) -> int:
    """Copy a member without trust in the size that the archive claims; return how many bytes there are so far."""
    while chunk := source.read(_CHUNK):
        total += len(chunk)
        bounds.check_size(total)
        target.write(chunk)
    return total
