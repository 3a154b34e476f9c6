"""A run in a queue of Kueue: it is launched when it is admitted, and gives its quota back when OCI runs nothing of it.

What Kueue expects of a job (pkg/controller/jobframework of Kueue 0.17): an evicted one is stopped first, and then gives
the reservation up in place, so that its Workload keeps its place in the queue and Kueue's own pauses between tries.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from ocijobs.api.kueue import ANNOTATION_REQUEST, Workload, WorkloadCondition
from ocijobs.api.run.binding import RunTemplate
from ocijobs.api.run.phase import Phase
from ocijobs.api.run.status import OCIJobRunStatus
from ocijobs.api.shared.conditions import Condition, ConditionStatus, ConditionType, find
from ocijobs.api.shared.names import FINALIZER
from ocijobs.api.shared.reasons import Reason
from ocijobs.backends.registry import backend_of
from ocijobs.reconcile.actions.action import Action
from ocijobs.reconcile.actions.calls import Operation
from ocijobs.reconcile.actions.objects import (
    Change,
    CreateWorkload,
    DeleteWorkload,
    FinishWorkload,
    PatchWorkload,
    RemoveFinalizer,
)
from ocijobs.reconcile.backoff import due_at
from ocijobs.reconcile.blocking import Blocker
from ocijobs.reconcile.decision import Decision
from ocijobs.reconcile.run.gates import Draft, Launch
from ocijobs.reconcile.run.observation import RunObservation
from ocijobs.reconcile.run.pod_sets import Request, request_of, workload_name, workload_of

_AT_ONCE = frozenset({"Preempted", "NodeFailures"})
"""Why Kueue evicted what it may admit again at once; otherwise it says itself when."""


def admitted(draft: Draft) -> Blocker | None:
    """The last of what a run waits for: quota is not taken for one that other things hinder."""
    o, launch = draft.o, draft.launch
    queue, workload = o.queue_name, o.queue.workload
    if queue is None or not isinstance(launch, Launch):
        return None
    template, job_id = launch.binding.template or RunTemplate(), launch.request.job_id
    request = request_of(o.run, queue, backend_of(job_id).pod_sets(template, o.run.spec))
    if workload is None:
        return _enter(o, request)
    if workload.metadata.annotations.get(ANNOTATION_REQUEST) != request.digest:
        # The label or the job's machines are others by now.
        leave = leave_queue(workload)
        return Blocker(action=leave[0] if leave else None)
    if workload.admitted:
        return None
    return Blocker(reason=Reason.WAITING_FOR_QUEUE, message=waiting(o))


def _enter(o: RunObservation, request: Request) -> Blocker:
    call = o.known.calls.get(Operation.QUEUE)
    refusal = call.refusal if call is not None and call.epoch == request.digest else None
    return Blocker(
        reason=Reason.WAITING_FOR_QUEUE if refusal else None,
        message=f"queue {request.queue}: {refusal.message}" if refusal else "",
        action=CreateWorkload(
            document=workload_of(o.run, request),
            priority_class=request.priority_class,
            epoch=request.digest,
        ),
        wake_at=due_at(call, epoch=request.digest, seed=o.run.metadata.uid, settings=o.settings),
    )


def waiting(o: RunObservation) -> str:
    """Return what a run waits for, in Kueue's words as far as there are any."""
    workload = o.queue.workload
    why = "waiting for Kueue to admit the run"
    if workload is not None and not workload.spec.active:
        why = f"Workload {workload.metadata.name} is deactivated (spec.active is false)"
    elif workload is not None:
        held = WorkloadCondition.QUOTA_RESERVED
        if workload.has(held):
            held = WorkloadCondition.ADMITTED
        said = workload.condition(held)
        why = said.message if said is not None and said.message else why
    return f"queue {o.queue_name}: {why}"


def admitted_with(o: RunObservation) -> str | None:
    """Return the Workload that an attempt is launched with."""
    return workload_name(o.run) if o.queue_name is not None else None


def sync_workload(
    o: RunObservation, decision: Decision[OCIJobRunStatus], now: datetime
) -> Decision[OCIJobRunStatus]:
    """Add to a decision what is to become of the run's Workload."""
    workload = o.queue.workload
    if workload is None or not o.queue.served or o.run.metadata.paused:
        return decision
    actions = _of_workload(o, workload, decision, now)
    return replace(decision, actions=(*actions, *decision.actions)) if actions else decision


def _of_workload(
    o: RunObservation, workload: Workload, decision: Decision[OCIJobRunStatus], now: datetime
) -> tuple[Action, ...]:
    status = o.run.status
    if status.ended:
        return _finish(status, workload, now)
    if o.run.metadata.deleting and RemoveFinalizer() in decision.actions:
        return leave_queue(workload)
    if status.submit is not None:
        return ()
    if not o.wanted or o.run.spec.suspend or o.queue_name is None:
        return leave_queue(workload)
    return _while_queued(workload, now)


def _while_queued(workload: Workload, now: datetime) -> tuple[Action, ...]:
    """Return what a Workload needs whose run is in the queue, and has nothing in OCI."""
    if workload.metadata.deleting:
        return _let_go(workload)
    reserved = workload.has(WorkloadCondition.QUOTA_RESERVED)
    if reserved and workload.has(WorkloadCondition.EVICTED):
        return (_give_back(workload, now),)
    return ()


def leave_queue(workload: Workload) -> tuple[Action, ...]:
    """Return what takes a Workload out of its queue, with the quota that it has."""
    meta = workload.metadata
    deletion = () if meta.deleting else (DeleteWorkload(name=meta.name, uid=meta.uid),)
    return (*_let_go(workload), *deletion)


def _let_go(workload: Workload) -> tuple[PatchWorkload, ...]:
    meta = workload.metadata
    if not meta.has_finalizer:
        return ()
    path = f"/metadata/finalizers/{meta.finalizers.index(FINALIZER)}"
    changes: tuple[Change, ...] = (
        {"op": "test", "path": "/metadata/uid", "value": meta.uid},
        {"op": "test", "path": path, "value": FINALIZER},
        {"op": "remove", "path": path},
    )
    return (PatchWorkload(name=meta.name, changes=changes),)


def _finish(status: OCIJobRunStatus, workload: Workload, now: datetime) -> tuple[Action, ...]:
    """Declare finished what has ended: Kueue then counts it no longer."""
    meta = workload.metadata
    if workload.has(WorkloadCondition.FINISHED) or meta.deleting:
        return _let_go(workload)
    ready = find(status.conditions, ConditionType.READY)
    condition = Condition(
        type=WorkloadCondition.FINISHED,
        status=ConditionStatus.TRUE,
        observed_generation=meta.generation,
        last_transition_time=now,
        reason="Succeeded" if status.phase is Phase.SUCCEEDED else "Failed",
        message=ready.message if ready is not None else "",
    )
    finished = FinishWorkload(name=meta.name, condition=_document(condition))
    return (finished, *_let_go(workload))


def _give_back(workload: Workload, now: datetime) -> PatchWorkload:
    """Give the reservation of an evicted Workload up, as Kueue does for its own jobs."""
    evicted = workload.condition(WorkloadCondition.EVICTED)
    reason, message = (evicted.reason, evicted.message) if evicted is not None else ("Pending", "")
    said = (
        (WorkloadCondition.QUOTA_RESERVED, False, "Pending", message),
        (WorkloadCondition.ADMITTED, False, "NoReservation", "The workload has no reservation"),
        (WorkloadCondition.REQUEUED, reason in _AT_ONCE, reason, message),
    )
    meta = workload.metadata
    changes: list[Change] = [
        {"op": "test", "path": "/metadata/uid", "value": meta.uid},
        {"op": "test", "path": "/metadata/resourceVersion", "value": meta.resource_version},
    ]
    if workload.status.admission is not None:
        changes.append({"op": "remove", "path": "/status/admission"})
    for kind, true, why, words in said:
        condition = Condition(
            type=kind,
            status=ConditionStatus.TRUE if true else ConditionStatus.FALSE,
            observed_generation=meta.generation,
            last_transition_time=now,
            reason=why,
            message=words,
        )
        changes.append(_set(workload, condition))
    return PatchWorkload(name=meta.name, changes=tuple(changes), status=True)


def _set(workload: Workload, condition: Condition) -> Change:
    """Return the change that sets a condition, which keeps its time while its status stays."""
    for index, former in enumerate(workload.status.conditions):
        if former.type == condition.type:
            if former.status is condition.status:
                time = former.last_transition_time
                condition = condition.model_copy(update={"last_transition_time": time})
            path = f"/status/conditions/{index}"
            return {"op": "replace", "path": path, "value": _document(condition)}
    return {"op": "add", "path": "/status/conditions/-", "value": _document(condition)}


def _document(condition: Condition) -> dict[str, object]:
    return {"message": "", **condition.document()}
