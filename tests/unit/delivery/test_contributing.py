"""The page for contributors names files that exist, for each kind of change."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = ROOT / "operator/ocijobs"
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
CELLS = 3
CHANGES = frozenset(
    {
        "a field of a job on Data Science",
        "a field of a job on Data Flow",
        "a reason",
        "a metric",
        "a setting",
        "a source type",
        "a permission in the cluster",
        "a call to OCI",
        "a backend",
        "a command of `kubectl ocijobs`",
        "a law of the core",
    }
)


def section(title: str) -> str:
    """Return the text below a heading."""
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def rows() -> list[list[str]]:
    """Return the cells of each row that says where a change goes."""
    lines = [line for line in section("Where a change goes").splitlines() if line[:1] == "|"]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def paths(text: str) -> list[str]:
    """Return the files and folders that a text names."""
    return re.findall(r"`([.\w-]+(?:/[.\w-]+)*(?:/|\.(?:py|md|toml|yaml)))`", text)


def test_each_kind_of_change_has_its_row() -> None:
    assert CHANGES - {row[0] for row in rows()} == set()


@pytest.mark.parametrize("row", rows(), ids=[row[0] for row in rows()])
def test_a_row_names_files_that_exist(row: list[str]) -> None:
    assert len(row) == CELLS
    named = paths(row[1])
    assert named, "no file"
    for path in (*named, *paths(row[2])):
        anywhere = path == "pyproject.toml"
        assert anywhere or (PACKAGE / path).exists() or (ROOT / path).exists(), path


def test_the_tree_is_what_it_is() -> None:
    named = re.findall(r"^    ([a-z][\w/]+)", section("The tree"), re.MULTILINE)
    assert {"operator/ocijobs/", "tests/unit", "bench/"} <= set(named)
    assert [path for path in named if not (ROOT / path).is_dir()] == []


def test_its_commands_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"`make ([a-z-]+)", PAGE)):
        assert re.search(rf"^{target}(?: [a-z -]+)?:", makefile, re.MULTILINE), target
