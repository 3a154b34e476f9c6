"""The recorded OCIIdentity of an object, whose key OCI accepts."""

from __future__ import annotations

from tests.support.recorded import Record
from tests.unit.reconcile.simulation.identity import SimulatedIdentity

from ocijobs.api.identity import OCIIdentity
from ocijobs.reconcile.identity import view_identity
from ocijobs.reconcile.identity_view import IdentityView
from ocijobs.reconcile.known.identity import IdentityKnown
from ocijobs.testing import make_identity, make_identity_view, make_metadata


class RecordedIdentity(SimulatedIdentity):
    """The identity with the defaults that it had."""

    def __init__(self, record: Record) -> None:
        super().__init__()
        document = record.other("OCIIdentity")
        self._recorded = (
            OCIIdentity.model_validate(document)
            if document is not None
            else make_identity(metadata=make_metadata("default", finalizer=True))
        )

    def view(self, known: IdentityKnown) -> IdentityView:
        """Return the identity as a run or a job of that process sees it."""
        return view_identity(make_identity_view().reference, self._object(), known)

    def _object(self) -> OCIIdentity:
        meta = self._recorded.metadata
        held = meta.model_copy(
            update={"finalizers": make_metadata("default", finalizer=True).finalizers}
        )
        return self._recorded.model_copy(
            update={"metadata": held.model_copy(update={"deletion_timestamp": None})}
        )
