"""What comes of looking at a spec, where it is no plan: something to ask for first, or something in the way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from ocijobs.api.shared.reasons import Reason
from ocijobs.reconcile.actions.action import Action


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """There is no plan yet: this is to be asked for first."""

    action: Action


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """Why there is no plan now: `invalid` is what only an edit of the spec or of the sources can mend."""

    reason: Reason
    message: str
    invalid: bool = False
    action: Action | None = None
    wake_at: datetime | None = None

    @classmethod
    def of_spec(cls, message: str) -> Self:
        """Return the obstacle of a spec that OCI would refuse."""
        return cls(reason=Reason.INVALID_SPEC, message=message, invalid=True)
