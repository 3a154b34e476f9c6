"""What a run waits for before its launch, in order: the first gate that is closed is what its status tells.

docs/runs.md has this list as a table, which `make generate` writes.
"""

from __future__ import annotations

from datetime import datetime
from typing import assert_never

from ocijobs.api.run.status import OCIJobRunStatus
from ocijobs.api.shared.reasons import Reason
from ocijobs.reconcile.actions.objects import AddFinalizer
from ocijobs.reconcile.blocking import HELD, Blocker
from ocijobs.reconcile.decision import Decision
from ocijobs.reconcile.failure_rules import invalid_pattern
from ocijobs.reconcile.run.adoption import adopt_run
from ocijobs.reconcile.run.bound_job import (
    identity_usable,
    job_as_bound,
    job_looked_up,
    job_meant,
    job_ready,
    job_stays,
    job_there,
    sources_read,
    sweep_seen,
    turn_come,
)
from ocijobs.reconcile.run.gates import Closed, Draft, Gate, Launch, pass_gates
from ocijobs.reconcile.run.intent import blocked_by, drop, intend
from ocijobs.reconcile.run.launch import await_dependencies, request_built, settled, values_read
from ocijobs.reconcile.run.observation import RunObservation, active_deadline
from ocijobs.reconcile.run.queueing import admitted
from ocijobs.reconcile.run.status import suspended

Answer = Decision[OCIJobRunStatus] | Blocker


def not_suspended(draft: Draft) -> Decision[OCIJobRunStatus] | None:
    """A suspended run gives up an intent of which nothing is in OCI, and its deadline begins anew."""
    if not draft.o.run.spec.suspend:
        return None
    return Decision(status=suspended(draft.o, draft.now, submit=None, launch_time=None))


def in_time(draft: Draft) -> Blocker | None:
    """The deadline goes on between two attempts, too."""
    return too_late(draft.o, draft.now)


def too_late(o: RunObservation, now: datetime) -> Blocker | None:
    """Return that the deadline is over of a run that is not in OCI."""
    deadline = active_deadline(o)
    if deadline is None or now < deadline:
        return None
    return Blocker(
        reason=Reason.DEADLINE_EXCEEDED,
        message="spec.activeDeadlineSeconds is over, and no attempt is active",
        terminal=True,
    )


def policy_readable(draft: Draft) -> Blocker | None:
    """A pattern that can't be compiled would show at the first failure only."""
    problem = invalid_pattern(draft.o.run.spec)
    if problem is None:
        return None
    return Blocker(reason=Reason.INVALID_SPEC, message=problem, terminal=True)


def dependencies_met(draft: Draft) -> Decision[OCIJobRunStatus] | None:
    """Each dependency is recorded when it is met; before an intent, all are."""
    return await_dependencies(draft.o, draft.now) if draft.o.run.status.submit is None else None


def start_allowed(draft: Draft) -> Blocker | None:
    """After a restore, a run may be in OCI although its status does not say so."""
    o = draft.o
    held = o.held and o.run.status.submit is None
    return Blocker(reason=Reason.HELD, message=HELD) if held else None


def finalizer_set(draft: Draft) -> Decision[OCIJobRunStatus] | None:
    """From now on, the object does not go while something of the run may be in OCI."""
    if draft.o.run.metadata.has_finalizer:
        return None
    return Decision(status=draft.o.run.status, actions=(AddFinalizer(),))


def credentials_kept(draft: Draft) -> Decision[OCIJobRunStatus] | None:
    """Nor do the credentials that may have to end it."""
    copy = draft.o.identity.copy_first
    return Decision(status=draft.o.run.status, actions=(copy,)) if copy is not None else None


PREPARING: tuple[Gate[Blocker], ...] = (
    Gate(
        name="settled",
        open_when="the run is 2 s old, so that the rest of the same apply has arrived, and the pause after a "
        "failed attempt is over",
        check=settled,
    ),
    Gate(
        name="sweep seen",
        open_when="for a run of a sweep: the sweep has bound to the OCIJob",
        check=sweep_seen,
    ),
    Gate(
        name="job there",
        open_when="the OCIJob exists; if it was deleted after the first attempt, the run fails",
        check=job_there,
        reasons=(Reason.WAITING_FOR_JOB, Reason.JOB_DELETED, Reason.INVALID_SPEC),
    ),
    Gate(
        name="job meant",
        open_when="with `jobTemplate`: the OCIJob with the run's name belongs to the run",
        check=job_meant,
        reasons=(Reason.NAME_TAKEN,),
    ),
    Gate(
        name="job stays",
        open_when="the OCIJob is not being deleted",
        check=job_stays,
        reasons=(Reason.JOB_DELETED,),
    ),
    Gate(
        name="job as bound",
        open_when="the OCIJob is the one that the run is bound to; if another one has its name, the run fails",
        check=job_as_bound,
        reasons=(Reason.JOB_DELETED,),
    ),
    Gate(
        name="job ready",
        open_when="before a first attempt: the OCIJob is Ready for its current generation",
        check=job_ready,
        reasons=(Reason.WAITING_FOR_JOB,),
    ),
    Gate(
        name="turn",
        open_when="fewer runs of the OCIJob are active than its `maxActiveRuns`, the oldest run first",
        check=turn_come,
        reasons=(Reason.MAX_ACTIVE_RUNS,),
    ),
    Gate(
        name="sources read",
        open_when="before a first attempt: the sources of the OCIJob were read after the run was created",
        check=sources_read,
    ),
    Gate(
        name="identity",
        open_when="the OCIIdentity can be used to start something",
        check=identity_usable,
        reasons=(Reason.WAITING_FOR_IDENTITY, Reason.CREDENTIALS_INVALID),
    ),
    Gate(
        name="job looked up",
        open_when="with `jobId`: the OCI job was looked up in OCI",
        check=job_looked_up,
        reasons=(Reason.NOT_AUTHORIZED_OR_NOT_FOUND, Reason.INVALID_SPEC),
        refusals=True,
    ),
    Gate(
        name="values",
        open_when="every Secret and ConfigMap that a variable names exists",
        check=values_read,
        reasons=(Reason.WAITING_FOR_VALUE,),
    ),
    Gate(
        name="request",
        open_when="OCI can do what the run requests; if it can't, the run fails",
        check=request_built,
        reasons=(Reason.WAITING_FOR_JOB, Reason.INVALID_SPEC),
    ),
)
"""What makes the launch, and is asked again where its request is made again after a crash.

The same objects make the same request, so its digest says whether they are the same.
"""

GATES: tuple[Gate[Answer], ...] = (
    Gate(
        name="not suspended",
        open_when="`suspend` is false; until then the phase is Suspended",
        check=not_suspended,
        reasons=(Reason.SUSPENDED,),
    ),
    Gate(
        name="in time",
        open_when="`activeDeadlineSeconds` is not over; if it is, the run fails",
        check=in_time,
        reasons=(Reason.DEADLINE_EXCEEDED,),
    ),
    Gate(
        name="policy readable",
        open_when="each pattern in `failurePolicy` is a regular expression; if one is not, the run fails",
        check=policy_readable,
        reasons=(Reason.INVALID_SPEC,),
    ),
    Gate(
        name="dependencies",
        open_when="what `dependsOn` and `resultRef` name has ended as required; if it can't any more, the run fails",
        check=dependencies_met,
        reasons=(
            Reason.WAITING_FOR_DEPENDENCY,
            Reason.DEPENDENCY_FAILED,
            Reason.RESULT_MISSING,
            Reason.INVALID_SPEC,
            Reason.PENDING,
        ),
    ),
    Gate(
        name="start allowed",
        open_when="with the setting `holdNew`, after a restore: the annotation `ocijobs.io/allow-start` is set",
        check=start_allowed,
        reasons=(Reason.HELD,),
    ),
    *PREPARING,
    Gate(
        name="finalizer",
        open_when="the object has the finalizer, which keeps the object while something of it may be in OCI",
        check=finalizer_set,
    ),
    Gate(
        name="queue",
        open_when="for a run in a queue: Kueue has admitted the run",
        check=admitted,
        reasons=(Reason.WAITING_FOR_QUEUE,),
    ),
    Gate(
        name="credentials copied",
        open_when="there is a copy of the credentials, to end the run when the Secret is gone",
        check=credentials_kept,
    ),
)
"""All that comes before the first intent of an attempt."""


def prepare(o: RunObservation, now: datetime) -> Launch | Blocker:
    """Return the launch of the run as things are, or the first thing that hinders it."""
    passed = pass_gates(Draft(o=o, now=now), PREPARING)
    return passed.answer if isinstance(passed, Closed) else passed.launch


def await_launch(o: RunObservation, now: datetime) -> Decision[OCIJobRunStatus]:
    """Decide about a run of which nothing is in OCI, and of which no call may be under way."""
    adoption = o.run.spec.adopt
    if adoption is not None and not o.run.metadata.deleting:
        return adopt_run(o, adoption, now)
    if not o.wanted:
        return drop(o, now)
    passed = pass_gates(Draft(o=o, now=now), GATES)
    answer = passed.answer if isinstance(passed, Closed) else passed.launch
    match answer:
        case Decision():
            return answer
        case Blocker():
            return blocked_by(o, now, answer)
        case Launch():
            incarnation = _next_incarnation(o)
            return Decision(status=intend(o, now, answer, incarnation=incarnation))
        case _:
            assert_never(answer)


def _next_incarnation(o: RunObservation) -> int:
    """Return the incarnation of the next intent: one more than that of an intent that was given up."""
    submit = o.run.status.submit
    return 0 if submit is None else submit.incarnation + 1
