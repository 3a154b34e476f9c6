"""Archives of other people: what is in them becomes files of the code, and nothing leads out of it."""

import io
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocijobs.artifact.archives import files_of, files_under, in_folder
from ocijobs.artifact.bounds import Bounds
from ocijobs.artifact.files import Files, SourceError, copy

LIMIT = 10_000
BOUNDS = Bounds(total_bytes=LIMIT, files=50)


def read(files: Files) -> dict[str, bytes]:
    found = {}
    for name, content in files.items():
        buffer = io.BytesIO()
        copy(content, buffer)
        found[name] = buffer.getvalue()
    return found


def tar(path: Path, *members: tarfile.TarInfo, mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for member in members:
            archive.addfile(member, io.BytesIO(b"x" * member.size))
    return path


def member(name: str, size: int = 1, **fields: object) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size = size
    for field, value in fields.items():
        setattr(info, field, value)
    return info


@pytest.mark.parametrize(
    ("name", "mode"),
    [("a.tar", "w"), ("a.tar.gz", "w:gz"), ("A.TGZ", "w:gz"), ("a.tar.xz", "w:xz")],
)
def test_a_tar_is_unpacked_by_its_name(tmp_path: Path, name: str, mode: str) -> None:
    path = tar(tmp_path / "fetched", member("main.py", 2), member("lib/a.py"), mode=mode)
    into = tmp_path / "into"
    into.mkdir()
    assert read(files_of(path, name, into, BOUNDS)) == {"main.py": b"xx", "lib/a.py": b"x"}


def test_any_other_file_is_itself(tmp_path: Path) -> None:
    path = tmp_path / "fetched"
    path.write_bytes(b"print(1)")
    assert read(files_of(path, "train.py", tmp_path, BOUNDS)) == {"train.py": b"print(1)"}


@pytest.mark.parametrize("name", ["../out.py", "/etc/cron.d/x", "a/../../out.py"])
def test_no_member_leads_out_of_the_code(tmp_path: Path, name: str) -> None:
    into = tmp_path / "into"
    into.mkdir()
    with pytest.raises(SourceError, match="leads out of the code"):
        files_of(tar(tmp_path / "a", member(name)), "a.tar.gz", into, BOUNDS)
    with zipfile.ZipFile(tmp_path / "b", "w") as archive:
        archive.writestr(name, "x")
    with pytest.raises(SourceError, match="leads out of the code"):
        files_of(tmp_path / "b", "b.zip", into, BOUNDS)
    assert list(into.rglob("*.py")) == []


def test_no_link_leads_out_of_the_code(tmp_path: Path) -> None:
    into = tmp_path / "into"
    into.mkdir()
    link = member("key", 0, type=tarfile.SYMTYPE, linkname="/etc/passwd")
    with pytest.raises(SourceError):
        files_of(tar(tmp_path / "a", link), "a.tar.gz", into, BOUNDS)
    (into / "out").symlink_to(tmp_path)
    with pytest.raises(SourceError, match="leads out of the code"):
        files_under(into, BOUNDS)


def test_links_to_files_inside_are_those_files(tmp_path: Path) -> None:
    (tmp_path / "real.py").write_text("x")
    (tmp_path / "link.py").symlink_to("real.py")
    assert read(files_under(tmp_path, BOUNDS)) == {"real.py": b"x", "link.py": b"x"}
    (tmp_path / "broken").symlink_to("nothing")
    with pytest.raises(SourceError, match="broken is a link to nothing"):
        files_under(tmp_path, BOUNDS)


def test_devices_are_no_code(tmp_path: Path) -> None:
    device = member("null", 0, type=tarfile.CHRTYPE, devmajor=1, devminor=3)
    into = tmp_path / "into"
    into.mkdir()
    with pytest.raises(SourceError):
        files_of(tar(tmp_path / "a", device), "a.tar.gz", into, BOUNDS)


def test_what_is_larger_than_an_artifact_may_be_is_refused_before_it_is_unpacked(
    tmp_path: Path,
) -> None:
    into = tmp_path / "into"
    into.mkdir()
    with pytest.raises(SourceError, match="more than 10000 bytes"):
        files_of(tar(tmp_path / "a", member("big", LIMIT + 1)), "a.tar.gz", into, BOUNDS)
    with zipfile.ZipFile(tmp_path / "b", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("big", b"0" * 10_000_000)
    assert (tmp_path / "b").stat().st_size < LIMIT * 2
    with pytest.raises(SourceError, match="more than 10000 bytes"):
        files_of(tmp_path / "b", "b.zip", into, BOUNDS)
    assert [path for path in into.rglob("*") if path.is_file()] == []


@given(
    st.binary(max_size=300),
    st.sampled_from(["a.zip", "a.tar.gz", "a.tar", "a.tar.xz", "a.tar.bz2"]),
)
def test_what_is_no_archive_is_told_so(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str
) -> None:
    folder = tmp_path_factory.mktemp("broken")
    (folder / "fetched").write_bytes(content)
    (folder / "into").mkdir()
    try:
        found = files_of(folder / "fetched", name, folder / "into", BOUNDS)
    except SourceError as error:
        assert name in str(error)  # noqa: PT017 - both are right
    else:
        assert found == {}


def test_a_folder_of_it_is_named_from_there() -> None:
    files = {"src/main.py": b"1", "src/lib/a.py": b"2", "README": b"3", "srcs/x": b"4"}
    assert in_folder(files, "src", "commit x") == {"main.py": b"1", "lib/a.py": b"2"}
    assert in_folder(files, None, "commit x") == files
    with pytest.raises(SourceError, match="commit x has no folder other"):
        in_folder(files, "other", "commit x")


def test_git_keeps_its_own_files_to_itself(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text("secret")
    (tmp_path / "main.py").write_text("x")
    assert read(files_under(tmp_path, BOUNDS)) == {"main.py": b"x"}
