"""Letting a deleted object go although what it owns in OCI can't be removed.

Nothing may hang in deletion for ever because a Secret went first: after `credentialsGoneSeconds` without credentials
that work, or at once with the annotation `ocijobs.io/abandon`, the object goes. What stays in OCI is noted in the
operator's own namespace first, and then named in an Event.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ocijobs.api.orphan import Leftovers, Orphan
from ocijobs.api.shared.metadata import ObjectMeta
from ocijobs.api.shared.names import ANNOTATION_ABANDON
from ocijobs.api.shared.reasons import Reason
from ocijobs.reconcile.actions.action import Action
from ocijobs.reconcile.actions.objects import ListOrphan, RemoveFinalizer
from ocijobs.reconcile.decision import Note
from ocijobs.reconcile.identity_view import IdentityView, Releasable
from ocijobs.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What is done to let an object go, and what is told of it."""

    actions: tuple[Action, ...]
    notes: tuple[Note, ...]


def release_at(metadata: ObjectMeta, identity: IdentityView, settings: Settings) -> datetime | None:
    """Return when a deleted object will be let go if nothing changes, or None if it will not be."""
    if not (metadata.deleting and metadata.has_finalizer) or identity.gone_since is None:
        return None
    return identity.gone_since + timedelta(seconds=settings.credentials_gone_seconds)


def release(
    owner: Releasable, now: datetime, settings: Settings, *, left: Leftovers
) -> Release | None:
    """Return how an object is let go that is being deleted, or None if it is not let go now.

    Args:
        owner: the object.
        now: the time.
        settings: for the time that credentials may be gone.
        left: what stays in OCI.
    """
    meta, identity = owner.metadata, owner.identity
    if meta.abandoned:
        why = f"as its annotation {ANNOTATION_ABANDON} asks"
    elif (due := release_at(meta, identity, settings)) is not None and now >= due:
        name = f"{identity.reference.kind} {identity.reference.name}"
        refused = f": {identity.obstacle[1]}" if identity.obstacle is not None else ""
        why = f"since the credentials of {name} are gone{refused}"
    else:
        return None
    note = Note(
        reason=Reason.ORPHANED,
        message=f"let go {why}; left in OCI: {left}",
    )
    if left.nothing:
        return Release(actions=(RemoveFinalizer(),), notes=(note,))
    orphan = Orphan(
        kind=owner.kind,
        namespace=meta.namespace,
        name=meta.name,
        uid=meta.uid,
        cluster_id=owner.cluster_id,
        identity=identity.reference.name,
        region=owner.region,
        compartment_id=owner.compartment_id,
        project_id=owner.project_id,
        cause=f"let go {why}",
        since=now,
        left=left,
    )
    return Release(actions=(ListOrphan(orphan=orphan), RemoveFinalizer()), notes=(note,))
