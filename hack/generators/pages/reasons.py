"""reasons.md: every reason, with what it means and what to do."""

from __future__ import annotations

from generators.files import REFERENCE, File
from generators.markdown import link, page, table, text
from ocijobs.api.shared.reasons import EXPLANATIONS, Reason
from ocijobs.reconcile.blocking import STALLING_REASONS

_INTRODUCTION = """\
A reason says in one word why a condition has its status, and why an Event was posted; the message beside it has the
details. `kubectl get -o wide` shows the reason of `Ready`. Reasons are part of the API: scripts and alerts may
match them."""


def files() -> tuple[File, ...]:
    """Return the page."""
    index = table(
        ("Reason", "Event", "Meaning"),
        (
            (
                link(reason.value, reason.value),
                explanation.event or "none",
                text(_first_sentence(explanation.meaning)),
            )
            for reason, explanation in EXPLANATIONS.items()
        ),
    )
    source = "operator/ocijobs/api/shared/reasons.py"
    sections = (_section(reason) for reason in EXPLANATIONS)
    body = page("Reasons", source, _INTRODUCTION, index, *sections)
    return (File(path=REFERENCE / "reasons.md", text=body),)


def _section(reason: Reason) -> str:
    explanation = EXPLANATIONS[reason]
    remedy = explanation.remedy
    parts = [f"## {reason.value}", explanation.meaning, f"**What to do:** {_decapitalized(remedy)}"]
    if reason in STALLING_REASONS:
        setting = link("refusalStalledSeconds", "Refusals", "settings.md")
        parts.append(f"If it lasts for {setting}, the object is `Stalled` as well.")
    return "\n\n".join(parts)


def _first_sentence(prose: str) -> str:
    """Return the prose up to its first full stop, colon or semicolon."""
    ends = [prose.find(mark) for mark in (". ", ": ", "; ") if mark in prose]
    return prose[: min(ends)] + "." if ends else prose


def _decapitalized(prose: str) -> str:
    return prose[0].lower() + prose[1:]
