"""Which objects use which identity, and identities in the form that their users need."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ocijobs.api import kinds
from ocijobs.api.identity import IdentityDefaults, OCIIdentity
from ocijobs.api.job.spec import OCIJob
from ocijobs.api.run.spec import OCIJobRun
from ocijobs.api.shared.metadata import IdentityReference, ObjectKey
from ocijobs.api.sweep.spec import OCIJobSweep
from ocijobs.clock import Clock
from ocijobs.controller.entry import Entry
from ocijobs.controller.memory import Memory
from ocijobs.controller.store import Store
from ocijobs.reconcile.identity import IdentityObservation, view_identity
from ocijobs.reconcile.identity_view import DEFAULT_IDENTITY, IdentityView
from ocijobs.settings import Settings


class Identities:
    """Observes identities, without any IO."""

    def __init__(self, store: Store, memory: Memory, clock: Clock, settings: Settings) -> None:
        self._store, self._memory, self._clock = store, memory, clock
        self._settings = settings

    def observation(self, identity: OCIIdentity) -> IdentityObservation:
        """Return the observation of an identity."""
        key = ObjectKey(kinds.IDENTITY, identity.metadata.namespace, identity.metadata.name)
        return IdentityObservation(
            identity=identity,
            users=tuple(str(user) for user in self.users_of(key) if self._has_finalizer(user)),
            known=self._memory.identity(key),
            settings=self._settings,
        )

    def view(self, namespace: str, reference: IdentityReference) -> IdentityView:
        """Return an identity in the form that objects which refer to it need."""
        key = ObjectKey(reference.kind, namespace, reference.name)
        entry = self._store.get(key)
        identity = entry.resource if entry is not None else None
        known = self._memory.identity(key)
        absent_since = (known.absent_since or self._clock.now()) if entry is None else None
        if known.absent_since != absent_since:
            self._memory.learn_identity(key, lambda k: replace(k, absent_since=absent_since))
            known = self._memory.identity(key)
        view = view_identity(
            reference, identity if isinstance(identity, OCIIdentity) else None, known
        )
        return replace(view, defaults=self._with_operator_defaults(view.defaults))

    def _with_operator_defaults(self, defaults: IdentityDefaults) -> IdentityDefaults:
        """Return the identity's defaults, completed by the operator's."""
        given = {
            name: getattr(defaults, name) or getattr(self._settings, f"default_{name}")
            for name in IdentityDefaults.model_fields
        }
        return defaults.model_copy(update=given)

    def users_of(self, identity: ObjectKey) -> Iterable[ObjectKey]:
        """Yield the jobs, sweeps and runs of the namespace that use an identity."""
        for kind in (kinds.JOB, kinds.SWEEP, kinds.RUN):
            for entry in self._store.of_kind(kind, identity.namespace):
                used = self._used_by(entry)
                if used is not None and used.name == identity.name:
                    yield entry.key

    def _used_by(self, entry: Entry) -> IdentityReference | None:
        """Return the identity that an object uses. A sweep that is bound and a run that is over use none."""
        match entry.resource:
            case OCIJob() as job:
                return identity_of_job(job)
            case OCIJobSweep() as sweep if sweep.status.binding is None:
                found = self._store.job(entry.key.namespace, sweep.spec.job_ref.name)
                return identity_of_job(found) if found is not None else None
            case OCIJobRun() as run if run.metadata.has_finalizer or not run.status.ended:
                return identity_of_run(
                    run, self._store.job(entry.key.namespace, run.job_name or "")
                )
            case _:
                return None

    def needed(self, identity: ObjectKey) -> bool:
        """Whether something that uses an identity may be in OCI."""
        return any(self._has_finalizer(user) for user in self.users_of(identity))

    def _has_finalizer(self, user: ObjectKey) -> bool:
        """Whether something of the user is in OCI, so that the identity is needed to end it."""
        entry = self._store.get(user)
        return entry is not None and entry.metadata.has_finalizer


def identity_of_job(job: OCIJob) -> IdentityReference:
    """Return the identity of a job: the one that it was made with, else the one that it names, else the default."""
    return job.status.identity or job.spec.identity_ref or IdentityReference(name=DEFAULT_IDENTITY)


def identity_of_run(run: OCIJobRun, job: OCIJob | None) -> IdentityReference:
    """Return the identity of a run: the one of its launch, else its job's."""
    if run.status.submit is not None:
        return run.status.submit.identity
    binding = run.status.binding
    if binding is not None and binding.identity is not None and run.status.attempts:
        return binding.identity
    if run.spec.job_id is not None:
        return run.spec.identity_ref or IdentityReference(name=DEFAULT_IDENTITY)
    return identity_of_job(job) if job is not None else IdentityReference(name=DEFAULT_IDENTITY)
