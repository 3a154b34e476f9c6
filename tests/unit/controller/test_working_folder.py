"""A folder for one process: what the dead left is removed, and what the living have is not."""

import subprocess
import sys
from pathlib import Path

import pytest

from ocijobs.working_folder import working_folder

HOLD = """
import sys
from pathlib import Path
from ocijobs.working_folder import working_folder
with working_folder(Path(sys.argv[1])) as folder:
    (folder / "artifact").write_text("x")
    print(folder, flush=True)
    sys.stdin.read()
"""


def folders(place: Path) -> set[Path]:
    return {each for each in place.iterdir() if each.is_dir()}


def test_a_killed_process_s_folder_goes_and_a_living_one_s_stays(tmp_path: Path) -> None:
    held = []
    for _ in range(2):
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        held.append((process, Path(process.stdout.readline().strip())))
    (dying, left), (living, kept) = held
    assert folders(tmp_path) == {left, kept}
    dying.kill()
    dying.communicate()
    assert left.exists()
    with working_folder(tmp_path) as mine:
        assert folders(tmp_path) == {kept, mine}
        assert (kept / "artifact").read_text() == "x"
    living.communicate()
    assert folders(tmp_path) == set()


def test_a_folder_is_nobody_else_s_to_look_into(tmp_path: Path) -> None:
    with working_folder(tmp_path / "new" / "place") as folder:
        assert folder.stat().st_mode & 0o077 == 0
        assert folder.parent.stat().st_mode & 0o077 == 0


def test_a_place_of_another_user_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.getuid", lambda: tmp_path.stat().st_uid + 1)
    with (
        pytest.raises(PermissionError, match="belongs to another user"),
        working_folder(tmp_path),
    ):
        pass
