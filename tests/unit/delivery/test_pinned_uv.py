"""uv finds the packages where pip would, whichever way pip was told."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def pinned_uv() -> ModuleType:
    """hack/pinned_uv.py, a program beside the packages."""
    spec = importlib.util.spec_from_file_location("pinned_uv", ROOT / "hack" / "pinned_uv.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A directory with a pip that knows one index, by its environment."""
    pip = tmp_path / "pip"
    pip.write_text(
        f"#!{sys.executable}\n"
        "import os, sys\n"
        "assert sys.argv[1:] == ['config', 'list'], sys.argv\n"
        "print(':env:.index-url=' + repr(os.environ['PIP_INDEX_URL']))\n"
    )
    pip.chmod(0o755)
    return tmp_path


ENVIRONMENT = {"PIP_INDEX_URL": "https://mirror.example/simple"}


def test_a_pip_that_nobody_set_up_leaves_uv_to_its_own_default(pinned_uv: ModuleType) -> None:
    assert pinned_uv.index_options(":env:.disable-pip-version-check='1'\n") == []


def test_indexes_files_and_trust_are_passed_on(pinned_uv: ModuleType) -> None:
    """The listing is that of pip 23.2 for a file with two additional indexes, each on a line of its own."""
    listing = (
        "global.cert='/etc/ssl/corporate.pem'\n"
        "global.extra-index-url='https://b.example/s\\nhttps://c.example/s'\n"
        "global.find-links='/wheels'\n"
        "global.index-url='https://a.example/s'\n"
        "global.timeout='60'\n"
        "global.trusted-host='a.example'\n"
    )
    assert pinned_uv.index_options(listing) == [
        *("--default-index", "https://a.example/s"),
        *("--index", "https://b.example/s", "--index", "https://c.example/s"),
        *("--find-links", "/wheels"),
        *("--allow-insecure-host", "a.example"),
        *("--cert", "/etc/ssl/corporate.pem"),
        *("--index-strategy", "unsafe-best-match"),
    ]


def test_the_environment_is_stronger_than_install_and_that_than_global(
    pinned_uv: ModuleType,
) -> None:
    """In whichever order pip lists them: it sorts by name."""
    variable = ":env:.index-url='https://variable.example'\n"
    install = "install.index-url='https://install.example'\n"
    everywhere = "global.index-url='https://global.example'\n"
    chosen = [
        pinned_uv.index_options(listing)[1]
        for listing in (variable + everywhere + install, everywhere + install, everywhere)
    ]
    assert chosen == [
        "https://variable.example",
        "https://install.example",
        "https://global.example",
    ]


@pytest.mark.parametrize(("value", "said"), [("true", ["--no-index"]), ("0", [])])
def test_without_an_index_is_without_one_for_uv(
    value: str, said: list[str], pinned_uv: ModuleType
) -> None:
    assert pinned_uv.index_options(f"install.no-index={value!r}\n") == said


def test_settings_of_other_commands_of_pip_do_not_count(pinned_uv: ModuleType) -> None:
    assert pinned_uv.index_options("download.index-url='https://other.example'\n") == []


def test_the_options_go_to_what_fetches_packages(pinned_uv: ModuleType, programs: Path) -> None:
    uv = str(programs / "uv")
    synced = pinned_uv.command(programs, ["pip", "sync", "dev.txt"], ENVIRONMENT)
    assert synced == (uv, "pip", "sync", "dev.txt", "--default-index", ENVIRONMENT["PIP_INDEX_URL"])
    assert pinned_uv.command(programs, ["venv", ".venv"], ENVIRONMENT) == (uv, "venv", ".venv")


def test_who_has_set_up_uv_is_left_alone(pinned_uv: ModuleType, programs: Path) -> None:
    environment = {**ENVIRONMENT, "UV_DEFAULT_INDEX": "https://uv.example/simple"}
    words = pinned_uv.command(programs, ["pip", "sync", "dev.txt"], environment)
    assert words == (str(programs / "uv"), "pip", "sync", "dev.txt")
