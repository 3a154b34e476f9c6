"""An identity as jobs and runs see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ocijobs.api.identity import IdentityDefaults, IdentityReference
from ocijobs.api.reasons import Reason
from ocijobs.reconcile.decision import Caller

DEFAULT_IDENTITY = "default"
"""Name of the OCIIdentity that serves what names none."""


NO_DEFAULTS = IdentityDefaults()


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityView:
    """Whether an identity can be used, and what it brings.

    Attributes:
        reference: the identity in question.
        region: region of its calls; None while its credentials were never read.
        version: names the credentials in memory; another version makes refused calls worth repeating.
        obstacle: why it can't be used now, as reason and message. Without an obstacle and without a region nothing
            is known of it yet, and what needs it waits without a word.
        gone_since: since when the credentials are neither in memory nor to be read.
        deleting: whether the identity is being deleted, so that nothing new may rest on it.
    """

    reference: IdentityReference
    region: str | None = None
    defaults: IdentityDefaults = NO_DEFAULTS
    version: str = ""
    obstacle: tuple[Reason, str] | None = None
    gone_since: datetime | None = None
    deleting: bool = False

    def caller(self, region: str | None = None) -> Caller | None:
        """Return as whom to call, in a recorded region or in its own; None while the identity can't be used."""
        if self.obstacle is not None or self.region is None:
            return None
        return Caller(identity=self.reference, region=region or self.region)
