"""An identity as jobs and runs see it: as whom they call OCI, and what may be let go without it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ocijobs.api.identity import IdentityDefaults
from ocijobs.api.shared.metadata import IdentityReference, ObjectMeta
from ocijobs.api.shared.reasons import Reason
from ocijobs.reconcile.actions.calls import Caller, Launcher
from ocijobs.reconcile.actions.identities import CopyCredentials

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
        no_start: why nothing new may be started as it, as reason and message, although what there is can be followed
            and ended: its Secret is gone, or it is being deleted.
        asked: whether OCI was asked about these very credentials; what starts waits for that without a word.
        copied: whether a copy of its credentials is kept for deletion: nothing is created before.
        gone_since: since when nothing can be ended as it, and nobody is about to mend that.
    """

    reference: IdentityReference
    region: str | None = None
    defaults: IdentityDefaults = NO_DEFAULTS
    version: str = ""
    obstacle: tuple[Reason, str] | None = None
    no_start: tuple[Reason, str] | None = None
    asked: bool = True
    copied: bool = True
    gone_since: datetime | None = None

    def caller(self, region: str | None = None) -> Caller | None:
        """Return as whom to follow and to end, in a recorded region or its own; None while it can't be used."""
        if self.obstacle is not None or self.region is None:
            return None
        return Caller(identity=self.reference, region=region or self.region)

    def launcher(self, region: str | None = None) -> Launcher | None:
        """Return as whom to create something in OCI; None where nothing may be started."""
        caller = self.caller(region)
        if caller is None or self.no_start is not None or not self.asked:
            return None
        return Launcher(identity=caller.identity, region=caller.region, version=self.version)

    @property
    def copy_first(self) -> CopyCredentials | None:
        """What is to be done before anything is created as it, or taken over."""
        return None if self.copied else CopyCredentials(identity=self.reference)

    @property
    def blocks_start(self) -> tuple[Reason, str] | None:
        """Why nothing can be started now; None as well while nothing is known of the identity yet."""
        return self.obstacle or self.no_start


@dataclass(frozen=True, slots=True, kw_only=True)
class Releasable:
    """An object that may be let go: what it is, whose calls would end what it owns, and where that is."""

    kind: str
    metadata: ObjectMeta
    identity: IdentityView
    cluster_id: str
    region: str | None
    compartment_id: str | None
    project_id: str | None = None
