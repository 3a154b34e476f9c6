"""Each dependency has a line in docs/dependencies.md that says why."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PROJECTS = ("pyproject.toml", "emulator/pyproject.toml", "cluster/pyproject.toml")


def _declared() -> set[str]:
    lines = [
        line
        for line in (ROOT / "requirements" / "dev.in").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    for path in PROJECTS:
        project = tomllib.loads((ROOT / path).read_text())["project"]
        lines += project["dependencies"]
        lines += [
            line for extra in project.get("optional-dependencies", {}).values() for line in extra
        ]
    names = (re.match(r"[A-Za-z0-9_.-]+", line) for line in lines)
    return {name[0] for name in names if name is not None}


def _explained() -> set[str]:
    text = (ROOT / "docs" / "dependencies.md").read_text()
    rows = re.findall(r"^\| ([^|]+) \| [^|]+ \|$", text, re.MULTILINE)
    return {name.strip() for row in rows for name in row.split(",")} - {"package", "---"}


@pytest.mark.parametrize("name", sorted(_declared()))
def test_a_dependency_is_explained(name: str) -> None:
    assert name in _explained()


def test_no_line_is_left_of_a_dependency_that_has_gone() -> None:
    assert _explained() - _declared() == set()
