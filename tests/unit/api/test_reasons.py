"""Every reason is said somewhere, and explained."""

from __future__ import annotations

from pathlib import Path

import pytest

from ocijobs.api.shared.reasons import EXPLANATIONS, Reason, reason_named

ROOT = Path(__file__).parents[3]
SOURCES = "\n".join(
    path.read_text()
    for path in sorted((ROOT / "operator/ocijobs").rglob("*.py"))
    if path.name != "reasons.py"
)
PAGE = (ROOT / "docs/reference/reasons.md").read_text()


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_is_used_and_has_its_page(reason: Reason) -> None:
    assert f"Reason.{reason.name}" in SOURCES
    explanation = EXPLANATIONS[reason]
    assert explanation.meaning.endswith(".")
    assert explanation.remedy.endswith(".")
    assert f"{reason.value}\n" in PAGE


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_is_one_word_as_metav1_wants_it(reason: Reason) -> None:
    assert reason.value.isascii()
    assert reason.value.isalnum()
    assert reason.value[0].isupper()
    assert reason_named(reason.value) is reason


def test_a_reason_that_another_version_wrote_reads_as_pending() -> None:
    assert reason_named("FromTheFuture") is Reason.PENDING
