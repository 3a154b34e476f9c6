"""Archives are unpacked into their directory, and nowhere else."""

import io
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from oci_emulator.running.archives import ArchiveError, entry_point, is_archive, unpack


def zipped(directory: Path, entries: dict[str, bytes], modes: dict[str, int] | None = None) -> Path:
    path = directory / "artifact"
    with zipfile.ZipFile(path, "w") as file:
        for name, content in entries.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (modes or {}).get(name, 0o644) << 16
            file.writestr(info, content)
    return path


def tarred(directory: Path, *entries: tarfile.TarInfo) -> Path:
    path = directory / "artifact"
    with tarfile.open(path, "w:gz") as file:
        for entry in entries:
            content = b"print(1)"
            entry.size = len(content) if entry.isfile() else 0
            file.addfile(entry, io.BytesIO(content) if entry.isfile() else None)
    return path


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = target
    return info


@pytest.fixture
def place(tmp_path: Path) -> Path:
    place = tmp_path / "place"
    place.mkdir()
    return place


def test_zip_archives_keep_what_can_be_executed(tmp_path: Path, place: Path) -> None:
    archive = zipped(
        tmp_path,
        {"code/main.py": b"print(1)", "code/tool": b"x", "code/": b""},
        {"code/tool": 0o755},
    )
    unpack(archive, "code.zip", place)
    assert (place / "code/main.py").read_bytes() == b"print(1)"
    assert (place / "code/tool").stat().st_mode & stat.S_IXUSR
    assert not (place / "code/main.py").stat().st_mode & stat.S_IXUSR


def test_tar_archives_may_have_links_inside(tmp_path: Path, place: Path) -> None:
    archive = tarred(
        tmp_path, member("code/main.py"), member("code/link", tarfile.SYMTYPE, "main.py")
    )
    unpack(archive, "code.tar.gz", place)
    assert (place / "code/link").read_bytes() == b"print(1)"


@pytest.mark.parametrize(
    "name", ["../evil", "/absolute/evil", "a/../../evil", "..\\evil", "C:\\evil"]
)
def test_zip_paths_that_lead_out_are_refused(tmp_path: Path, place: Path, name: str) -> None:
    with pytest.raises(ArchiveError, match="leads out"):
        unpack(zipped(tmp_path, {name: b"x"}), "a.zip", place)
    assert list(tmp_path.rglob("evil")) == []


def test_zip_links_are_refused(tmp_path: Path, place: Path) -> None:
    archive = zipped(tmp_path, {"link": b"/etc/passwd"}, {"link": stat.S_IFLNK | 0o777})
    with pytest.raises(ArchiveError, match="is a link"):
        unpack(archive, "a.zip", place)


@pytest.mark.parametrize(
    "entry",
    [
        member("../evil"),
        member("/absolute/evil"),
        member("link", tarfile.SYMTYPE, "/etc/passwd"),
        member("link", tarfile.SYMTYPE, "../../evil"),
        member("link", tarfile.LNKTYPE, "../evil"),
        member("device", tarfile.CHRTYPE),
        member("pipe", tarfile.FIFOTYPE),
    ],
    ids=lambda entry: f"{entry.name} {entry.type!r} {entry.linkname}",
)
def test_tar_entries_that_lead_out_are_refused(
    tmp_path: Path, place: Path, entry: tarfile.TarInfo
) -> None:
    with pytest.raises(ArchiveError):
        unpack(tarred(tmp_path, entry), "a.tar.gz", place)
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz"])
@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04"])
def test_what_is_no_archive_is_refused(
    tmp_path: Path, place: Path, name: str, content: bytes
) -> None:
    path = tmp_path / "artifact"
    path.write_bytes(content)
    with pytest.raises(ArchiveError, match=f"{name} can't be unpacked"):
        unpack(path, name, place)


@pytest.mark.parametrize(
    ("name", "archive"), [("a.zip", True), ("A.TAR.GZ", True), ("a.py", False), ("zip", False)]
)
def test_the_name_tells_what_is_an_archive(name: str, *, archive: bool) -> None:
    assert is_archive(name) is archive


def test_the_entry_point_is_a_file_of_the_archive(tmp_path: Path, place: Path) -> None:
    (place / "code").mkdir()
    (place / "code/main.py").touch()
    (tmp_path / "outside.py").touch()
    (place / "link.py").symlink_to(tmp_path / "outside.py")
    assert entry_point(place, "code/main.py") == (place / "code/main.py").resolve()
    for wrong in ("main.py", "code", "../outside.py", str(tmp_path / "outside.py"), "link.py"):
        with pytest.raises(ArchiveError, match="is no file of the artifact"):
            entry_point(place, wrong)
