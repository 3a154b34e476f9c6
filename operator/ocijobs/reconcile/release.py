"""Letting a deleted object go although what it owns in OCI can't be removed.

Nothing may hang in deletion for ever because a Secret went first: after `credentialsGoneSeconds` without credentials,
or at once with the annotation `ocijobs.io/abandon`, the object goes. What stays in OCI is named in an Event.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from ocijobs.api.metadata import ObjectMeta
from ocijobs.api.names import ANNOTATION_ABANDON
from ocijobs.api.reasons import Reason
from ocijobs.reconcile.decision import Note, NoteType
from ocijobs.reconcile.identity_view import IdentityView
from ocijobs.settings import Settings


def release_at(metadata: ObjectMeta, identity: IdentityView, settings: Settings) -> datetime | None:
    """Return when a deleted object will be let go if nothing changes, or None if it will not be."""
    if not (metadata.deleting and metadata.has_finalizer) or identity.gone_since is None:
        return None
    return identity.gone_since + timedelta(seconds=settings.credentials_gone_seconds)


def release_without_credentials(
    metadata: ObjectMeta,
    identity: IdentityView,
    now: datetime,
    settings: Settings,
    *,
    left: tuple[str, ...],
) -> tuple[Note, ...] | None:
    """Return the Event for an object that is let go now, or None if it is not.

    Args:
        metadata: of the object, which is being deleted.
        identity: of the calls that would remove what it owns.
        now: the time.
        settings: for the time that credentials may be gone.
        left: what stays in OCI, in words, OCIDs included.
    """
    if metadata.abandoned:
        why = f"as its annotation {ANNOTATION_ABANDON} asks"
    elif (due := release_at(metadata, identity, settings)) is not None and now >= due:
        why = (
            f"since the credentials of {identity.reference.kind} {identity.reference.name} are gone"
        )
    else:
        return None
    message = f"let go {why}; left in OCI: {', '.join(left) or 'nothing'}"
    return (Note(type=NoteType.WARNING, reason=Reason.RELEASED, message=message),)
