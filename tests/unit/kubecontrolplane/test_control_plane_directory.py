"""A directory is ours or it is not touched; what is written in it is whole and private."""

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from kubecontrolplane.cluster import down, find, status, up
from kubecontrolplane.errors import DirectoryError
from kubecontrolplane.files import locked, write_private
from kubecontrolplane.layout import Layout
from kubecontrolplane.state import State


def never() -> None:
    pytest.fail("nobody else holds the lock")


class TestLayout:
    @pytest.mark.parametrize("use", [up, down], ids=["up", "down"])
    def test_a_directory_with_others_files_is_refused(self, use: object, tmp_path: Path) -> None:
        (tmp_path / "thesis.tex").write_text("years of work")
        assert callable(use)
        with pytest.raises(
            DirectoryError, match=r"not empty \(thesis\.tex, .*kubecontrolplane did not"
        ):
            use(tmp_path)
        assert [each.name for each in tmp_path.iterdir()] == ["thesis.tex"]

    @pytest.mark.parametrize("made", [(), ("pki",), ("kubecontrolplane.json", "pki")])
    def test_what_another_process_is_just_making_is_ours(
        self, made: tuple[str, ...], tmp_path: Path
    ) -> None:
        """Two workers of pytest start the one control plane of their run."""
        layout = Layout(tmp_path)
        for name in (layout.lock.name, ".kubecontrolplane.json.x", *made):
            (tmp_path / name).touch()
        layout.check()

    def test_with_the_lock_it_is_known_whose_the_rest_is(self, tmp_path: Path) -> None:
        layout = Layout(tmp_path)
        layout.lock.touch()
        (tmp_path / "thesis.tex").write_text("years of work")
        with pytest.raises(DirectoryError, match=r"not empty \(thesis\.tex"):
            layout.check(locked=True)

    def test_a_file_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "file"
        path.touch()
        with pytest.raises(DirectoryError, match="is not a directory"):
            up(path)

    @pytest.mark.parametrize("use", [find, status], ids=["find", "status"])
    def test_where_there_is_nothing_the_error_says_how_to_start(
        self, use: object, tmp_path: Path
    ) -> None:
        assert callable(use)
        with pytest.raises(
            DirectoryError, match=r"no control plane in .*kubecontrolplane up --dir"
        ):
            use(tmp_path)

    def test_ending_nothing_is_fine_and_makes_nothing(self, tmp_path: Path) -> None:
        assert not down(tmp_path / "never", delete=True)
        assert not (tmp_path / "never").exists()

    def test_a_relative_directory_is_meant_from_here(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert Layout.of("x").kubeconfig == tmp_path / "x" / "kubeconfig"

    def test_deleting_spares_files_that_are_not_ours(self, tmp_path: Path) -> None:
        layout = Layout(tmp_path)
        State(ports={}, binaries={}).save(layout.state)
        layout.create()
        (layout.etcd / "member").mkdir()
        (tmp_path / "notes.txt").write_text("mine")
        assert not down(tmp_path, delete=True)
        assert [each.name for each in tmp_path.iterdir()] == ["notes.txt"]

    def test_deleting_removes_an_empty_directory(self, tmp_path: Path) -> None:
        layout = Layout(tmp_path / "cluster")
        layout.root.mkdir()
        State(ports={}, binaries={}).save(layout.state)
        layout.create()
        down(layout.root, delete=True)
        assert not layout.root.exists()


class TestState:
    def test_it_survives_on_disk(self, tmp_path: Path) -> None:
        state = State(ports={"etcd": 1}, binaries={"etcd": "/bin/etcd"}, audit=True)
        state.save(tmp_path / "state")
        assert State.load(tmp_path / "state") == state

    def test_there_is_none_at_first(self, tmp_path: Path) -> None:
        assert State.load(tmp_path / "state") == State(ports={}, binaries={})

    def test_another_port_replaces_only_that_one(self) -> None:
        state = State(ports={"etcd": 1, "kube-apiserver": 2}, binaries={})
        assert state.with_port("etcd", 3).ports == {"etcd": 3, "kube-apiserver": 2}

    @pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": 1}', "{"])
    def test_a_broken_file_says_what_to_do(self, content: str, tmp_path: Path) -> None:
        path = tmp_path / "state"
        path.write_text(content)
        with pytest.raises(DirectoryError, match=r"can't be read .*--fresh"):
            State.load(path)

    def test_a_file_of_a_later_version_is_not_guessed_at(self, tmp_path: Path) -> None:
        path = tmp_path / "state"
        path.write_text(json.dumps({"format": 2, "ports": {}, "binaries": {}, "audit": False}))
        with pytest.raises(DirectoryError, match="another version"):
            State.load(path)


class TestFiles:
    def test_only_the_owner_can_read(self, tmp_path: Path) -> None:
        write_private(tmp_path / "key", b"secret")
        assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600

    def test_a_failure_leaves_the_old_file_alone(self, tmp_path: Path) -> None:
        target = tmp_path / "taken"
        target.mkdir()
        with pytest.raises(OSError, match="directory"):
            write_private(target, b"new")
        assert [each.name for each in tmp_path.iterdir()] == ["taken"]

    def test_a_lock_makes_its_directory(self, tmp_path: Path) -> None:
        with locked(tmp_path / "a" / "b" / "lock", on_wait=never):
            assert (tmp_path / "a" / "b" / "lock").exists()

    def test_a_lock_is_free_after_use(self, tmp_path: Path) -> None:
        for _ in range(2):
            with locked(tmp_path / "lock", on_wait=never):
                pass

    def test_whoever_waits_is_told_and_gets_a_lock_that_was_removed(self, tmp_path: Path) -> None:
        """The holder deletes everything, the lock too; who waited still excludes all others."""
        lock = tmp_path / "directory" / "lock"
        program = (
            "import sys; from pathlib import Path; from kubecontrolplane.files import locked\n"
            f"path = Path({str(lock)!r})\n"
            "with locked(path, on_wait=lambda: print('waiting', flush=True)):\n"
            "    print(path.exists(), flush=True)\n"
        )
        with locked(lock, on_wait=never):
            waiter = subprocess.Popen(
                [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True
            )
            assert waiter.stdout is not None
            assert waiter.stdout.readline() == "waiting\n"
            lock.unlink()
            lock.parent.rmdir()
        said, _ = waiter.communicate()
        assert said.splitlines()[-1] == "True"
        assert waiter.returncode == 0
