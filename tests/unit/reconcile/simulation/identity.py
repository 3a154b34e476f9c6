"""The identity of an object's calls, what becomes of its Secret, and what a process knows of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from ocijobs.api.identity import OCIIdentity
from ocijobs.backends.records import Refusal, RefusalKind
from ocijobs.reconcile.identity import view_identity
from ocijobs.reconcile.identity_view import IdentityView
from ocijobs.reconcile.known.identity import IdentityKnown, Key
from ocijobs.testing import (
    LOG_GROUP,
    REGION,
    START,
    make_identity,
    make_identity_view,
    make_metadata,
)

EPOCH = "1"
REFUSED = Refusal(kind=RefusalKind.CREDENTIALS, message="401")


class SimulatedIdentity:
    """The OCIIdentity `default`: OCI accepts its key or refuses it, its Secret is there or gone."""

    def __init__(self) -> None:
        self._version = 1
        self.refused = False
        self.gone = False
        self.deleting = False
        self._copied: Key | None = None

    def renew(self) -> None:
        """Put other credentials in place, which OCI accepts."""
        self._version += 1
        self.heal()

    def heal(self) -> None:
        """Let the credentials be there, and be accepted."""
        self.refused = self.gone = self.deleting = False

    @property
    def key(self) -> Key:
        """What the Secret holds, or held last."""
        return Key(version=f"credentials-{self._version}", region=REGION)

    @property
    def of_new_process(self) -> IdentityKnown:
        """What a process knows that has read the copies of credentials."""
        known = IdentityKnown()
        return known.copy_found(self._copied) if self._copied is not None else known

    def copy(self, known: IdentityKnown, now: datetime) -> IdentityKnown:
        """Copy the Secret, and return what a process knows that did so."""
        known = self.learnt(known, now)
        if self.gone:
            return known
        self._copied = self.key
        return known.copy_answered(self.key.version, None, at=now)

    def may_start(self, version: str) -> bool:
        """Whether the Secret is there, and is at that version."""
        return not self.gone and self.key.version == version

    def learnt(self, known: IdentityKnown, now: datetime) -> IdentityKnown:
        """Return what a process knows that reads the Secret and asks OCI about its key."""
        if self.gone:
            known = known.secret_missing("the Secret is gone", at=now, epoch=EPOCH)
        else:
            known = known.secret_read(self.key, at=now, epoch=EPOCH)
        key = known.credentials.key
        if key is None:
            return known
        # A key that was replaced is none that OCI takes.
        refused = self.refused or key != self.key
        known = known.verify_answered(key.version, REFUSED if refused else None, at=now)
        if refused or self.gone or self._copied in {None, key}:
            return known
        # The identity's own worker copies a key anew that OCI has accepted.
        self._copied = key
        return known.copy_answered(key.version, None, at=now)

    def view(self, known: IdentityKnown) -> IdentityView:
        """Return the identity as a run or a job of that process sees it."""
        view = view_identity(make_identity_view().reference, self._object(), known)
        return replace(view, defaults=view.defaults.model_copy(update={"log_group_id": LOG_GROUP}))

    def _object(self) -> OCIIdentity:
        deleted = START if self.deleting else None
        return make_identity(metadata=make_metadata("default", finalizer=True, deleted=deleted))
