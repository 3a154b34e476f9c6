"""Archives that are the same for the same files, on every machine.

Names are sorted, times and modes are fixed, and nothing is compressed, since versions of zlib compress differently.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

from ocijobs.artifact.files import Content, Files, copy, size_of

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip archive can store."""


def write_archive(path: Path, files: Files) -> None:
    """Write the files as a zip archive."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            _add(archive, name, files[name])


def _add(archive: zipfile.ZipFile, name: str, content: Content) -> None:
    info = zipfile.ZipInfo(name, date_time=_EPOCH)
    info.create_system = 3
    info.external_attr = 0o100644 << 16
    info.file_size = size_of(content)
    with archive.open(info, "w") as entry:
        copy(content, entry)
