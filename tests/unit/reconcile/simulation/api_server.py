"""One object name in a simulated API server: resourceVersion, generation, finalizers, deletion, a new uid each time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from ocijobs.api.identity import OCIIdentity
from ocijobs.api.job.spec import OCIJob
from ocijobs.api.run.spec import OCIJobRun
from ocijobs.api.shared.metadata import ObjectMeta
from ocijobs.api.shared.model import Model
from ocijobs.api.shared.names import FINALIZER

ObjectT = TypeVar("ObjectT", OCIJob, OCIJobRun, OCIIdentity)


class ConflictError(Exception):
    """409: the object is not as the writer saw it."""


class ApiServer(Generic[ObjectT]):
    """Keeps the object of one name, as the API server does it for a custom resource with a status subresource."""

    def __init__(self) -> None:
        self.object: ObjectT | None = None
        self.created_at = datetime.min.replace(tzinfo=UTC)
        """When the newest object was created: its creationTimestamp has no fractions."""
        self.status_writes = 0
        self.finalizer_writes = 0
        self._versions = 0
        self._uids = 0

    @property
    def present(self) -> ObjectT:
        """The object, which must be there."""
        if self.object is None:
            raise LookupError("the object is gone")
        return self.object

    def create(self, template: ObjectT, at: datetime) -> None:
        """Create the object under a new uid; a status in the template is dropped."""
        if self.object is not None:
            return
        self._uids += 1
        self.created_at = at
        meta = ObjectMeta(
            name=template.metadata.name,
            namespace=template.metadata.namespace,
            uid=f"uid-{self._uids}",
            generation=1,
            labels=template.metadata.labels,
            owner_references=template.metadata.owner_references,
            creation_timestamp=at.replace(microsecond=0),
        )
        self._store(
            template.model_copy(update={"metadata": meta, "status": type(template.status)()})
        )

    def edit_spec(self, **changes: Any) -> None:
        """Change the spec, as far as the schema's rules allow it."""
        if self.object is None:
            return
        spec = self.object.spec.model_copy(update=changes)
        if spec != self.object.spec:
            self._change(generation=self.object.metadata.generation + 1, spec=spec)

    def edit_status(self, **changes: Any) -> None:
        """Change the status by hand; without changes, wipe it."""
        if self.object is None:
            return
        status = self.object.status
        self._change(status=status.model_copy(update=changes) if changes else type(status)())

    def annotate(self, name: str, value: str | None) -> None:
        """Set or remove an annotation."""
        if self.object is None:
            return
        annotations = {k: v for k, v in self.object.metadata.annotations.items() if k != name}
        self._change(annotations=annotations | ({} if value is None else {name: value}))

    def delete(self, at: datetime) -> None:
        """Delete the object: at once, or as soon as nothing holds it."""
        if self.object is None or self.object.metadata.deleting:
            return
        if not self.object.metadata.finalizers:
            self.object = None
            return
        generation = self.object.metadata.generation + 1
        self._change(deletion_timestamp=at.replace(microsecond=0), generation=generation)

    def write_status(self, seen: ObjectMeta, status: Model) -> None:
        """Replace the status of the object as it was seen.

        Raises:
            ConflictError: the object has changed since, or is another one.
        """
        self._demand(seen)
        self.status_writes += 1
        self._change(status=type(self.present.status).model_validate(status.document()))

    def patch_finalizer(self, seen: ObjectMeta, *, held: bool) -> None:
        """Set or remove our finalizer; an object that is being deleted goes with its last one.

        Raises:
            ConflictError: the object is another one, or a finalizer would be set while it is being deleted.
        """
        meta = self.object.metadata if self.object is not None else None
        if meta is None or meta.uid != seen.uid or (held and meta.deleting):
            raise ConflictError("finalizers")
        self.finalizer_writes += 1
        if meta.deleting and not held:
            self.object = None
            return
        self._change(finalizers=(FINALIZER,) if held else ())

    def _demand(self, seen: ObjectMeta) -> None:
        meta = self.object.metadata if self.object is not None else None
        if meta is None or (meta.uid, meta.resource_version) != (seen.uid, seen.resource_version):
            raise ConflictError("resourceVersion")

    def _change(self, **changes: Any) -> None:
        """Store the object with other spec or status, or other metadata."""
        parts = {name: changes.pop(name) for name in ("spec", "status") if name in changes}
        meta = self.present.metadata.model_copy(update=changes)
        self._store(self.present.model_copy(update={"metadata": meta, **parts}))

    def _store(self, changed: ObjectT) -> None:
        self._versions += 1
        meta = changed.metadata.model_copy(update={"resource_version": str(self._versions)})
        self.object = changed.model_copy(update={"metadata": meta})
