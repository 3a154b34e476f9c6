"""The identity of an object's calls, and what becomes of its credentials."""

from __future__ import annotations

from datetime import datetime

from ocijobs.api.reasons import Reason
from ocijobs.reconcile.identity_view import IdentityView
from ocijobs.testing import make_identity_view


class SimulatedIdentity:
    """The OCIIdentity `default`: its credentials are good, refused, or gone."""

    def __init__(self) -> None:
        self._version = 1
        self.refused = False
        self.gone = False

    def renew(self) -> None:
        """Put other credentials in place, which OCI accepts."""
        self._version += 1
        self.heal()

    def heal(self) -> None:
        """Let the credentials be there, and be accepted."""
        self.refused = self.gone = False

    @staticmethod
    def unknown() -> IdentityView:
        """Return the identity as a process sees it that has not looked at it yet."""
        return make_identity_view(region=None, version="")

    def view(self, now: datetime, gone_since: datetime | None) -> IdentityView:
        """Return the identity as it is; `gone_since` is what the process knew of that."""
        version = f"credentials-{self._version}"
        if self.gone:
            obstacle = (Reason.WAITING_FOR_IDENTITY, "the Secret is gone")
            return make_identity_view(
                region=None, version="", obstacle=obstacle, gone_since=gone_since or now
            )
        if self.refused:
            obstacle = (Reason.CREDENTIALS_INVALID, "401")
            return make_identity_view(version=version, obstacle=obstacle)
        return make_identity_view(version=version)
