"""The page that follows one decision names files, messages, actions, reasons and gates that exist."""

from __future__ import annotations

import ast
import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest

from ocijobs.api.run.phase import Phase
from ocijobs.api.shared.reasons import Reason
from ocijobs.reconcile.run.prelaunch import GATES

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = ROOT / "operator/ocijobs"
PAGE = (ROOT / "docs/one-decision.md").read_text(encoding="utf-8")
LINES: list[dict[str, Any]] = [
    json.loads(line) for line in PAGE.splitlines() if line.startswith('{"time"')
]
OF_EVERY_LINE = frozenset({"time", "level", "logger", "message"})


def paths() -> list[str]:
    """Return the files and folders that the page names."""
    return sorted(set(re.findall(r"`((?:[a-z_]+/)+(?:[a-z_]+\.py)?)`", PAGE)))


def module(logger: str) -> Path:
    """Return the file of the logger of a line."""
    return ROOT / "operator" / f"{logger.replace('.', '/')}.py"


def messages(path: Path, level: str) -> list[re.Pattern[str]]:
    """Return what a module logs at a level, as patterns: `%s` is any text."""
    calls = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
    return [
        re.compile(re.escape(str(first.value)).replace("%s", ".+"))
        for call in calls
        if isinstance(call.func, ast.Attribute) and call.func.attr == level.lower()
        for first in call.args[:1]
        if isinstance(first, ast.Constant)
    ]


def source(*folders: str) -> str:
    """Return the code of some folders, as one text."""
    files = (file for folder in folders for file in sorted((PACKAGE / folder).rglob("*.py")))
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


@pytest.mark.parametrize("path", paths())
def test_its_paths_exist(path: str) -> None:
    assert (PACKAGE / path).exists() or (ROOT / path).exists()


def test_it_has_enough_to_be_held() -> None:
    assert len(paths()) > 20
    assert len(LINES) > 15
    assert {"CreateRun", "AddFinalizer"} <= {
        name for line in LINES for name in line.get("actions", ())
    }


@pytest.mark.parametrize("line", LINES, ids=lambda line: f"{line['time']} {line['message'][:30]}")
def test_its_lines_are_what_the_code_logs(line: dict[str, Any]) -> None:
    assert line["level"] in logging.getLevelNamesMapping()
    told = messages(module(line["logger"]), line["level"])
    assert any(pattern.fullmatch(line["message"]) for pattern in told), told
    code = source("controller", "cloud")
    for key in line.keys() - OF_EVERY_LINE:
        assert f"{key}=" in code or f'"{key}"' in code, key
    actions = source("reconcile/actions")
    for name in line.get("actions", ()):
        assert f"\nclass {name}" in actions
    if "reason" in line:
        assert line["reason"] in set(Reason)
    if "phase" in line:
        assert line["phase"] in set(Phase)
    if "operation" in line:
        assert f'"{line["operation"]}"' in source("cloud")


def test_its_gates_are_asked_in_this_order() -> None:
    names = [gate.name for gate in GATES]
    named = [name for name in re.findall(r"gate `([a-z ]+)`", PAGE) if name in names]
    assert named == ["settled", "job ready"]
    assert names.index("settled") < names.index("job ready")


@pytest.mark.parametrize("page", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_pages_for_people_who_change_code_lead_to_it(page: str) -> None:
    assert "one-decision.md" in (ROOT / page).read_text(encoding="utf-8")
