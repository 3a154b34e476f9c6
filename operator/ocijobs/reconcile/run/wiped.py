"""A run that is not wanted any more, and whose status somebody has wiped: what it may have in OCI is looked for.

One that is wanted needs none of this: its next intent begins with a search (`reconcile/once.py`).
"""

from __future__ import annotations

from datetime import datetime

from ocijobs.api.run.phase import Phase
from ocijobs.api.run.status import OCIJobRunStatus
from ocijobs.api.shared.reasons import Reason
from ocijobs.backends.records import RunRecord
from ocijobs.reconcile.decision import Decision
from ocijobs.reconcile.run.attempts import attempt_number
from ocijobs.reconcile.run.gate import drop, hindered, intend
from ocijobs.reconcile.run.launch_gates import prepare
from ocijobs.reconcile.run.observation import RunObservation
from ocijobs.reconcile.run.status import reflect, write_status
from ocijobs.reconcile.run.submission import search
from ocijobs.reconcile.run.verdict import Kept, attempts_after
from ocijobs.reconcile.serving import Hindrance


def perhaps_launched(o: RunObservation) -> bool:
    """Whether something of a run that is not wanted may be in OCI, although its status has no intent.

    A finalizer comes just before the first intent; so without a status it was set a moment ago, or the status is gone.
    """
    known, status = o.known, o.run.status
    if o.wanted or not o.run.metadata.has_finalizer or known.fresh or o.run.spec.adopt is not None:
        return False
    empty = status.phase is None or known.found_empty
    return empty and known.unlaunched != attempt_number(status)


def look_first(o: RunObservation, now: datetime) -> Decision[OCIJobRunStatus]:
    """Look for the attempt that may be in OCI: what is found is followed and ended as any other.

    Where it can't be looked for, since the job or the credentials are gone, the run is given up: most were never
    launched.
    """
    launch = prepare(o, now)
    if isinstance(launch, Hindrance):
        return hindered(o, now, launch) if launch.reason is None else drop(o, now)
    intended = intend(o, now, launch, incarnation=0)
    if o.known.record is not None:
        return Decision(status=intended)
    submit = intended.submit
    if submit is None or o.known.evidence.of(submit.token).empty_at:
        return drop(o, now)
    return search(o, submit, now)


def another_may_follow(o: RunObservation) -> bool:
    """Whether an attempt that has ended was found where the status was wiped: the next one may be there, too."""
    known = o.known
    searched = known.evidence.searches > 0
    return not o.wanted and known.found_empty and searched and not known.seen_live


def record_and_look_on(
    o: RunObservation, record: RunRecord, now: datetime
) -> Decision[OCIJobRunStatus]:
    """Write an attempt down that has ended, so that the next one is looked for."""
    recorded = o.run.status.changed(**reflect(o, record))
    status = write_status(
        o,
        now,
        phase=Phase.PENDING,
        reason=Reason.SEARCHING,
        message="an attempt was found that has ended; whether another one followed is looked up",
        **attempts_after(recorded, Kept()),
    )
    return Decision(status=status)
