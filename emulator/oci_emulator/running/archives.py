"""Unpacking of artifacts: what an archive says never leads out of its directory."""

import stat
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

_MAXIMUM_ENTRIES = 100_000
_MAXIMUM_BYTES = 50 << 30


class ArchiveError(Exception):
    """An archive that can't be unpacked, or whose entries lead out of its directory."""


def unpack(archive: Path, name: str, directory: Path) -> None:
    """Unpack an archive into a directory that exists.

    ``archive``: the file, whatever it is called.
    ``name``: the name of the artifact, which says what kind of archive it is.

    Raises:
        ArchiveError: it isn't such an archive, is too large, or holds an absolute path, a path
            with ``..``, a link that leads out, or a device.
    """
    try:
        if name.lower().endswith(".zip"):
            _unpack_zip(archive, directory)
        else:
            _unpack_tar(archive, directory)
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, OSError, RuntimeError) as error:
        raise ArchiveError(f"{name} can't be unpacked: {error}") from error


def is_archive(name: str) -> bool:
    """Whether an artifact of this name is an archive."""
    return name.lower().endswith((".zip", ".tar.gz", ".tgz"))


def _unpack_zip(archive: Path, directory: Path) -> None:
    with zipfile.ZipFile(archive) as file:
        entries = file.infolist()
        _check_size(len(entries), sum(entry.file_size for entry in entries))
        for entry in entries:
            _check_path(entry.filename)
            mode = entry.external_attr >> 16
            if stat.S_ISLNK(mode):
                raise ArchiveError(f"{entry.filename!r} is a link, which a zip artifact can't have")
            target = Path(file.extract(entry, directory))
            if mode & 0o111 and not entry.is_dir():
                target.chmod(0o755)


def _unpack_tar(archive: Path, directory: Path) -> None:
    with tarfile.open(archive, "r:gz") as file:
        entries = file.getmembers()
        _check_size(len(entries), sum(entry.size for entry in entries))
        for entry in entries:
            _check_path(entry.name)
        file.extractall(directory, filter="data")


def _check_path(name: str) -> None:
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or (path.parts and ":" in path.parts[0]):
        raise ArchiveError(f"{name!r} leads out of the archive's directory")


def _check_size(entries: int, size: int) -> None:
    if entries > _MAXIMUM_ENTRIES or size > _MAXIMUM_BYTES:
        raise ArchiveError(f"{entries} entries of {size} bytes together are too many")


def entry_point(directory: Path, relative: str) -> Path:
    """The file in an unpacked archive with which execution begins.

    Raises:
        ArchiveError: there is no such file in the directory.
    """
    root = directory.resolve()
    path = (root / relative).resolve()
    if root not in path.parents or not path.is_file():
        raise ArchiveError(f"JOB_RUN_ENTRYPOINT {relative!r} is no file of the artifact")
    return path
