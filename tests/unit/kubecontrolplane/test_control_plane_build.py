"""Building pinned programs: what makes a cache key, what is stamped, what is told."""

import logging
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from kubecontrolplane.binaries import CHART_TOOLS, CONTROL_PLANE, SETS, Binary, BinarySet
from kubecontrolplane.build import Pins, cache_key, cache_root, ensure_built, link_stamps
from kubecontrolplane.errors import BuildError, ToolchainError
from kubecontrolplane.toolchain import Go, find_go, required_version

GO = Go(program="/go", version="go1.26.8", platform="linux/amd64")
TOOL = Binary(name="tool", package="example.org/tool/cmd/tool", module="example.org/tool")

InstallGo = Callable[[str], None]


class TestCacheRoot:
    def test_own_variable_comes_first(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("KUBECONTROLPLANE_CACHE", str(tmp_path / "own"))
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
        assert cache_root() == tmp_path / "own"

    def test_then_the_cache_directory_of_the_user(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("KUBECONTROLPLANE_CACHE", raising=False)
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        assert cache_root() == tmp_path / "kubecontrolplane"

    @pytest.mark.parametrize("value", ["", "relative/path"])
    def test_else_dot_cache_in_home(
        self, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("KUBECONTROLPLANE_CACHE", raising=False)
        monkeypatch.setenv("XDG_CACHE_HOME", value)
        monkeypatch.setenv("HOME", str(tmp_path))
        assert cache_root() == tmp_path / ".cache" / "kubecontrolplane"


class TestCacheKey:
    def test_same_ingredients_same_key(self, pins: Pins, two_tools: BinarySet) -> None:
        assert cache_key(two_tools, pins, GO) == cache_key(two_tools, pins, GO)

    @pytest.mark.parametrize("file", ["go.mod", "go.sum"])
    def test_another_pin_another_key(self, file: str, pins: Pins, two_tools: BinarySet) -> None:
        before = cache_key(two_tools, pins, GO)
        path = pins.directory / file
        path.write_text(path.read_text() + "// changed\n")
        assert cache_key(two_tools, pins, GO) != before

    @pytest.mark.parametrize(
        "other",
        [replace(GO, version="go1.26.9"), replace(GO, platform="linux/arm64")],
        ids=["version", "platform"],
    )
    def test_another_toolchain_another_key(
        self, other: Go, pins: Pins, two_tools: BinarySet
    ) -> None:
        assert cache_key(two_tools, pins, other) != cache_key(two_tools, pins, GO)

    def test_where_go_is_installed_does_not_matter(self, pins: Pins, two_tools: BinarySet) -> None:
        elsewhere = replace(GO, program="/opt/go/bin/go")
        assert cache_key(two_tools, pins, elsewhere) == cache_key(two_tools, pins, GO)

    def test_other_stamps_another_key(self, pins: Pins, two_tools: BinarySet) -> None:
        first, second = two_tools.binaries
        stamped = replace(
            two_tools, binaries=(replace(first, stamps={"main.version": "{version}"}), second)
        )
        assert cache_key(stamped, pins, GO) != cache_key(two_tools, pins, GO)


class TestStamps:
    def test_a_release_is_taken_apart(self) -> None:
        stamps = {
            "a.gitVersion": "{version}",
            "a.major": "{major}",
            "a.minor": "{minor}",
            "a.commit": "{sum}",
            "a.date": "{time}",
        }
        flags = link_stamps(
            replace(TOOL, stamps=stamps), version="v1.37.2", checksum="h1:x=", published="2026"
        )
        assert flags.split() == [
            "-s",
            "-w",
            "-X=a.commit=h1:x=",
            "-X=a.date=2026",
            "-X=a.gitVersion=v1.37.2",
            "-X=a.major=1",
            "-X=a.minor=37",
        ]

    def test_the_minor_version_before_a_release_has_a_plus(self) -> None:
        """As Kubernetes' own build marks it (hack/lib/version.sh)."""
        tool = replace(TOOL, stamps={"a.minor": "{minor}"})
        flags = link_stamps(tool, version="v1.38.0-beta.0", checksum="", published="")
        assert "-X=a.minor=38+" in flags.split()

    def test_a_version_that_is_no_release_is_refused(self) -> None:
        with pytest.raises(BuildError, match="not a release"):
            link_stamps(TOOL, version="master", checksum="", published="")


class TestPins:
    def test_version_and_checksum_are_read_from_the_files(self, pins: Pins) -> None:
        assert pins.version("example.org/tool") == "v1.37.2"
        assert pins.checksum("example.org/tool", "v1.37.2") == "h1:sources="

    def test_a_module_that_is_not_required_is_named(self, pins: Pins) -> None:
        with pytest.raises(BuildError, match=r"does not require example\.org/other"):
            pins.version("example.org/other")

    def test_a_missing_checksum_says_how_to_get_it(self, pins: Pins) -> None:
        with pytest.raises(BuildError, match="go mod tidy"):
            pins.checksum("example.org/tool", "v1.0.0")

    @pytest.mark.parametrize("name", sorted(SETS))
    def test_every_program_of_the_product_is_pinned_with_its_checksum(self, name: str) -> None:
        binary_set = SETS[name]
        pins = Pins.of(binary_set)
        for binary in binary_set.binaries:
            version = pins.version(binary.module)
            assert pins.checksum(binary.module, version).startswith("h1:")
            # `go mod tidy` writes a tool that is alone without a block.
            lines = pins.go_mod.read_text().splitlines()
            assert {f"\t{binary.package}", f"tool {binary.package}"} & set(lines), "no tool line"

    def test_all_modules_of_the_kubernetes_tree_have_one_version(self) -> None:
        pins = Pins.of(CONTROL_PLANE)
        release = pins.version("k8s.io/kubernetes")
        replaced = [line.split() for line in pins.go_mod.read_text().splitlines() if "=>" in line]
        assert len(replaced) > 30
        assert {(fields[0], fields[-1]) for fields in replaced} == {
            (fields[-2], release.replace("v1.", "v0.")) for fields in replaced
        }

    def test_the_chart_tools_have_the_modules_of_the_control_planes_release(self) -> None:
        """So Go finds compiled for the one what it needs for the other."""
        release = Pins.of(CONTROL_PLANE).version("k8s.io/apimachinery")
        pins = Pins.of(CHART_TOOLS)
        parts = re.findall(r"^\t(k8s\.io/\S+) v0\.\d+\.\d+ ", pins.go_mod.read_text(), re.MULTILINE)
        assert "k8s.io/client-go" in parts
        assert {part: pins.version(part) for part in parts} == dict.fromkeys(parts, release)


class TestToolchain:
    def test_without_go_the_error_says_what_to_install(
        self, pins: Pins, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", "")
        with pytest.raises(ToolchainError, match=r"install Go 1\.26\.0 or newer.*KUBEBUILDER"):
            find_go(pins.go_mod)

    def test_a_go_that_is_too_old_is_refused(self, pins: Pins, install_go: InstallGo) -> None:
        install_go("go1.25.11")
        with pytest.raises(ToolchainError, match=r"is go1\.25\.11, but .* needs Go 1\.26\.0"):
            find_go(pins.go_mod)

    @pytest.mark.parametrize(
        "version",
        ["go1.26.0", "go1.26.8", "go1.27rc1", "go2.0", "devel go1.27-2aa3c3b Mon Jan 5"],
    )
    def test_a_go_that_is_new_enough_is_taken(
        self, version: str, pins: Pins, install_go: InstallGo
    ) -> None:
        install_go(version)
        assert find_go(pins.go_mod).platform == "linux/amd64"

    def test_a_go_mod_without_a_go_line_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "go.mod"
        path.write_text("module example\n")
        with pytest.raises(ToolchainError, match="has no `go` line"):
            required_version(path)

    def test_what_go_says_of_a_failure_is_passed_on(
        self, pins: Pins, install_go: InstallGo
    ) -> None:
        install_go("go1.26.8")
        with pytest.raises(ToolchainError, match="fake go: mod frobnicate"):
            find_go(pins.go_mod).run(["mod", "frobnicate"], directory=pins.directory)


@pytest.fixture
def build(
    pins: Pins, cache: Path, install_go: InstallGo, two_tools: BinarySet
) -> Callable[..., Path]:
    """`ensure_built` for the two example programs, with a fake Go."""
    install_go("go1.26.8")
    return lambda names=None: ensure_built(two_tools, names)


class TestEnsureBuilt:
    def test_programs_appear_under_their_names(
        self, build: Callable[..., Path], cache: Path
    ) -> None:
        directory = build()
        assert directory.parent == cache / "tools"
        assert sorted(each.name for each in directory.iterdir()) == ["first", "second"]
        assert os.access(directory / "first", os.X_OK)

    def test_what_is_there_is_not_built_again(
        self, build: Callable[..., Path], build_journal: Path
    ) -> None:
        assert build() == build()
        assert len(build_journal.read_text().splitlines()) == 1

    def test_only_what_is_missing_is_built(
        self, build: Callable[..., Path], build_journal: Path
    ) -> None:
        build({"first"})
        build()
        assert build_journal.read_text().splitlines() == [
            "example.org/tool/cmd/first",
            "example.org/tool/cmd/second",
        ]

    def test_what_is_missing_is_built_by_one_run_of_go(
        self, build: Callable[..., Path], build_journal: Path
    ) -> None:
        build()
        assert build_journal.read_text().splitlines() == [
            "example.org/tool/cmd/first example.org/tool/cmd/second"
        ]

    def test_each_program_has_its_own_stamps(
        self, build: Callable[..., Path], two_tools: BinarySet
    ) -> None:
        command = (build() / "first").read_text().splitlines()[0]
        for each in two_tools.binaries:
            assert (
                f"-ldflags={each.package}=-s -w -X=example.org/tool.{each.name}=v1.37.2" in command
            )

    @pytest.mark.usefixtures("pins", "cache")
    def test_a_version_at_the_end_of_a_package_is_not_its_name(self, install_go: InstallGo) -> None:
        """As etcd's is: Go calls the program of go.etcd.io/etcd/server/v3 `server`."""
        install_go("go1.26.8")
        tool = replace(TOOL, name="daemon", package="example.org/tool/server/v3")
        directory = ensure_built(BinarySet(name="tools", directory=".", binaries=(tool,)))
        assert [each.name for each in directory.iterdir()] == ["daemon"]

    def test_progress_tells_what_is_built(
        self, build: Callable[..., Path], caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        build()
        start, end = caplog.messages
        assert start == "building first v1.37.2, second v1.37.2 (go1.26.8)"
        assert re.fullmatch(r"built in \d+ s", end)

    def test_settings_for_other_projects_do_not_reach_the_build(
        self, build: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("GOOS", "plan9")
        monkeypatch.setenv("GOFLAGS", "-race")
        monkeypatch.setenv("GOWORK", "/somewhere/go.work")
        command, environment = (build() / "first").read_text().splitlines()
        assert "-trimpath" in command.split()
        assert "'CGO_ENABLED': '0'" in environment
        assert "'GOTOOLCHAIN': 'local'" in environment
        assert "'GOWORK': 'off'" in environment
        assert "plan9" not in environment
        assert "-race" not in environment

    @pytest.mark.usefixtures("pins")
    def test_a_failed_build_leaves_nothing_and_says_why(
        self, cache: Path, install_go: InstallGo, two_tools: BinarySet
    ) -> None:
        install_go("go1.26.8")
        first, second = two_tools.binaries
        broken = replace(
            two_tools, binaries=(first, replace(second, package="example.org/tool/broken"))
        )
        with pytest.raises(BuildError, match=r"first, second: .*\n.*it does not compile"):
            ensure_built(broken)
        [directory] = [each for each in (cache / "tools").iterdir() if each.is_dir()]
        assert list(directory.iterdir()) == []

    @pytest.mark.usefixtures("cache")
    def test_two_builders_at_once_build_once(
        self, pins: Pins, install_go: InstallGo, build_journal: Path
    ) -> None:
        install_go("go1.26.8")
        program = (
            "import pathlib\n"
            "from kubecontrolplane.binaries import Binary, BinarySet\n"
            "from kubecontrolplane.build import Pins, ensure_built\n"
            f"Pins.of = classmethod(lambda cls, _: Pins(directory=pathlib.Path({str(pins.directory)!r})))\n"
            "tool = Binary(name='tool', package='example.org/tool', module='example.org/tool')\n"
            "print(ensure_built(BinarySet(name='tools', directory='.', binaries=(tool,))))\n"
        )
        builders = [
            subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
            for _ in range(4)
        ]
        printed = {builder.communicate()[0] for builder in builders}
        assert {builder.returncode for builder in builders} == {0}
        assert len(printed) == 1
        assert build_journal.read_text().split() == ["example.org/tool"]
