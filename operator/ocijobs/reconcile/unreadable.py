"""An object that can't be read as its kind: it is told so, and everything else of its status stays as it is."""

from __future__ import annotations

from datetime import datetime

from pydantic import TypeAdapter, ValidationError

from ocijobs.api.shared.conditions import Condition
from ocijobs.api.shared.reasons import Reason
from ocijobs.reconcile.standing import Headline, Standing, conditions

_CONDITIONS = TypeAdapter(tuple[Condition, ...])


def unreadable_status(
    former: dict[str, object], *, problem: str, generation: int, now: datetime
) -> dict[str, object] | None:
    """Return the status document, or None if it says so already."""
    try:
        before = _CONDITIONS.validate_python(former.get("conditions", ()))
    except ValidationError:
        before = ()
    headline = Headline(
        standing=Standing.STALLED,
        reason=Reason.INVALID_SPEC,
        message=f"the operator can't read this object: {problem}",
    )
    after = conditions(before, headline, generation=generation, now=now)
    if after == before:
        return None
    return {
        **former,
        "observedGeneration": generation,
        "conditions": [condition.document() for condition in after],
    }
