"""The glossary names modules that exist, and words that the code uses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = ROOT / "operator/ocijobs"
CELLS = 4


def rows() -> list[list[str]]:
    """Return the cells of each row that explains a word."""
    lines = (ROOT / "docs/glossary.md").read_text(encoding="utf-8").splitlines()
    table = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in lines if line[:1] == "|"
    ]
    return [row for row in table if row[0] not in {"word", "---"}]


ROWS = rows()

WORDS = frozenset(
    [
        "abandon",
        "action",
        "adoption",
        "attempt",
        "backend",
        "binding",
        "busy",
        "caller",
        "decision",
        "drift",
        "epoch",
        "evidence",
        "fence",
        "firing",
        "gate",
        "held",
        "incarnation",
        "intent",
        "launcher",
        "nursery",
        "observation",
        "orphan",
        "quarantine",
        "record",
        "refusal",
        "revision",
        "round",
        "serves",
        "settled",
        "standing",
        "stopping",
        "term",
        "token",
        "turn",
        "verdict",
        "version",
    ]
) | {"let go", "owner tag"}
"""What pages and code take for known."""


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_a_word_has_a_meaning_and_a_module_that_exists_and_uses_it(row: list[str]) -> None:
    assert len(row) == CELLS
    word, meaning, _, module = row
    assert meaning.endswith((".", ".)"))
    found = re.fullmatch(r"`([a-z_/]+\.py)`", module)
    assert found is not None, module
    code = found[1] + (PACKAGE / found[1]).read_text(encoding="utf-8").lower()
    stems = [stem.strip().split()[-1][:5] for stem in word.split(",")]
    assert any(stem in code for stem in stems), f"{found[1]} has no {word}"


def test_no_word_is_explained_twice() -> None:
    words = [row[0] for row in ROWS]
    assert len(words) == len(set(words))


def test_each_word_that_is_taken_for_known_is_explained() -> None:
    assert WORDS - {word.strip() for row in ROWS for word in row[0].split(",")} == set()


def test_words_are_in_order() -> None:
    text = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
    for section in text.split("\n## ")[1:]:
        words = re.findall(r"^\| ([a-z][^|]*?) \|", section, re.MULTILINE)[1:]
        assert words == sorted(words, key=str.lower)


@pytest.mark.parametrize("page", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_pages_for_people_who_read_code_lead_to_it(page: str) -> None:
    assert "glossary.md" in (ROOT / page).read_text(encoding="utf-8")
