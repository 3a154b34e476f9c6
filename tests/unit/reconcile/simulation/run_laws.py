"""What must hold in every history of a run, checked as it happens. Each violation names the law."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timedelta

from tests.unit.reconcile.simulation.laws import (
    conditions_are_the_tables,
    demand,
    token_is_remembered,
)
from tests.unit.reconcile.simulation.oci_runs import SimulatedRun
from tests.unit.reconcile.simulation.run_world import RunWorld
from tests.unit.reconcile.simulation.spark_laws import SparkLaws

from ocijobs.api.kueue import WorkloadCondition
from ocijobs.api.orphan import Orphan
from ocijobs.api.run.phase import Phase, StopReason
from ocijobs.api.run.status import OCIJobRunStatus
from ocijobs.api.shared.conditions import ConditionType
from ocijobs.api.shared.metadata import ObjectMeta
from ocijobs.api.shared.reasons import Reason
from ocijobs.backends.records import RunState
from ocijobs.backends.requests import RunCreation
from ocijobs.reconcile.actions.action import Action, answers_later
from ocijobs.reconcile.actions.objects import (
    AddFinalizer,
    DeleteObject,
    DeleteWorkload,
    FinishWorkload,
    ListOrphan,
    PatchWorkload,
    RemoveFinalizer,
)
from ocijobs.reconcile.actions.runs import (
    CreateRun,
    DeleteRun,
    LookUpRun,
    ReadUtilisation,
    SearchLogs,
)
from ocijobs.reconcile.decision import Decision, Note
from ocijobs.reconcile.known.run import RunKnown, attempt_number
from ocijobs.reconcile.run.observation import RunObservation
from ocijobs.reconcile.standing import RUN_STANDINGS, of_generation

_LOOKS: dict[type, int] = {SearchLogs: 1, ReadUtilisation: 3}
"""How often a process looks for what comes late; of runs of Data Flow nothing does."""

_WRITES = 4
"""Status writes of a plain life: with the intent, accepted, running, the end."""

_LATE_WRITES = 2
"""Of what comes late: lines, utilisation."""

_WRITES_OF_ATTEMPT = 4
_WRITES_OF_OCCASION = 2
"""Writes that a further attempt, or anything that happens to a run, may add."""


class RunLaws:
    """Watches a run: what is decided, called and written."""

    def __init__(self, world: RunWorld) -> None:
        self._world = world
        self._bodies: dict[str, RunCreation] = {}
        self._late_looks: Counter[tuple[str, type]] = Counter()
        self._writes: Counter[str] = Counter()
        self._spark = SparkLaws(world)
        self.occasions = 0
        self.given_up: set[str] = set()
        self.listed: dict[str, Orphan] = {}

    def restarted(self) -> None:
        """Allow what every process may do once."""
        self._late_looks.clear()

    def on_decision(self, decision: Decision[OCIJobRunStatus], now: datetime) -> None:
        """A decision keeps secrets, and does not ask to be made again at once."""
        self._keeps_secrets(repr(decision.actions), "repr of an action")
        self._keeps_secrets(repr(decision.notes), "a note")
        if decision.wake_at is not None and all(map(answers_later, decision.actions)):
            demand(decision.wake_at > now, "what has nothing to do now wakes in the future")

    def on_launch(
        self, o: RunObservation, decision: Decision[OCIJobRunStatus], now: datetime
    ) -> None:
        """Nothing is begun or created too early, that a queue does not admit, or that the run is not bound to."""
        self._spark.on_launch(o, decision)
        queue, before, after = o.queue, o.run.status, decision.status
        if after.submit is not None and before.submit is None:
            settle = timedelta(seconds=o.settings.launch_settle_seconds)
            # The children of a sweep need not: the sweep did.
            settled = o.of_sweep or now >= self._world.api.created_at + settle
            demand(settled, "no run is launched before it has had time to settle")
        if not (queue.served and self._world.circumstances.queued):
            return
        workload = queue.workload
        kept = workload is not None and workload.spec.active and not workload.metadata.deleting
        admitted = (
            kept
            and workload is not None
            and workload.has(WorkloadCondition.ADMITTED)
            and not workload.has(WorkloadCondition.EVICTED)
        )
        if after.submit is not None and before.submit is None:
            demand(admitted, "no intent without admission")
            demand(after.workload, "an intent tells what it was admitted with")
        # What was begun before Kueue came is not held by it.
        if before.workload is not None and any(isinstance(a, CreateRun) for a in decision.actions):
            demand(admitted, "nothing is created in OCI without admission")

    def on_given_back(self, uid: str) -> None:
        """Quota is free again."""
        live = any(run.live for run in self._world.oci.of(uid))
        demand(not live or uid in self.given_up, "quota is kept while OCI runs anything of it")

    def on_write(
        self,
        uid: str,
        former: OCIJobRunStatus,
        after: OCIJobRunStatus,
        known: RunKnown,
        now: datetime,
    ) -> None:
        """A status follows from its former one."""
        self._keeps_secrets(json.dumps(after.document()), "a status")
        ended = former.phase is not None and former.phase.terminal
        demand(after.phase is not None, "a status has a phase")
        demand(not ended or after.phase is former.phase, "a terminal phase is never left")
        demand(not ended or _only_late(former, after), "an end is written once")
        self._is_one_of_few(uid, after)
        self._conditions_are_the_tables(after)
        same_attempt = attempt_number(after) == attempt_number(former)
        if not same_attempt:
            self._another_attempt(former, after)
        elif former.job_run_id is not None:
            demand(after.job_run_id == former.job_run_id, "a run stays bound")
            demand(_rank(after) >= _rank(former), "what OCI told is never taken back")
        if former.phase is Phase.CANCELLING and same_attempt:
            back = {Phase.PENDING, Phase.ACCEPTED, Phase.RUNNING, Phase.NEEDS_ATTENTION}
            demand(
                after.phase not in back, "a run that is being cancelled is not shown as going on"
            )
        self._spark.on_write(former, after, known)
        if not ended and after.phase is Phase.SUCCEEDED:
            self._results_are_there(uid, after, known, now)

    def _is_one_of_few(self, uid: str, after: OCIJobRunStatus) -> None:
        self._writes[uid] += 1
        given = self._world.circumstances
        late = _LATE_WRITES
        if given.on_data_flow:
            # Its logs are awaited, and whole when they come.
            late = bool(given.log_lag) and not given.results
        # Results are awaited; what a run waits for is awaited, and comes; so is the queue's admission.
        plain = _WRITES + late + given.results + 2 * given.waits + 2 * given.queued
        # A deadline has its reason written, and then that OCI ends the run.
        plain += 2 * (given.deadline is not None) + 2 * (given.pre_running is not None)
        stated = plain + _WRITES_OF_ATTEMPT * attempt_number(after)
        most = stated + _WRITES_OF_OCCASION * self.occasions
        demand(self._writes[uid] <= most, "there are no more writes than there are occasions")

    def _another_attempt(self, former: OCIJobRunStatus, after: OCIJobRunStatus) -> None:
        limit = self._world.circumstances.backoff_limit
        demand(attempt_number(after) == attempt_number(former) + 1, "attempts follow each other")
        demand((after.failed or 0) <= limit, "no attempt beyond the limit")
        held = former.stopping in {StopReason.SUSPENDED, StopReason.EVICTED}
        # Of a stream the laws of Spark tell what counts.
        free = held or self._world.circumstances.ignores or self._world.circumstances.stream
        demand((after.failed or 0) > (former.failed or 0) or free, "a failed attempt counts")
        ended = next((a for a in after.attempts if a.number == attempt_number(former)), None)
        demand(ended and RunState(ended.lifecycle_state).ended, "an attempt follows one that ended")

    @staticmethod
    def _conditions_are_the_tables(status: OCIJobRunStatus) -> None:
        phase = Phase(str(status.phase))
        shown = conditions_are_the_tables(status.conditions, RUN_STANDINGS[phase])
        if phase.terminal:
            ends = [
                kind for kind in (ConditionType.COMPLETE, ConditionType.FAILED) if shown.get(kind)
            ]
            demand(len(ends) == 1, "exactly one of Complete and Failed is True at the end")

    def _results_are_there(
        self, uid: str, status: OCIJobRunStatus, known: RunKnown, now: datetime
    ) -> None:
        declared = status.binding.results if status.binding is not None else None
        given = self._world.circumstances
        nowhere = not given.keeps_lines and not given.outputs
        if not declared or nowhere or set(declared) <= set(status.results or {}):
            return
        demand(known.ended_at is not None, "an end is known before it is written")
        run = next(r for r in self._world.oci.of(uid) if r.id == status.job_run_id)
        ended = run.began(RunState.SUCCEEDED)
        if ended is not None and known.ended_at is not None:
            over = min(ended, known.ended_at) + timedelta(seconds=120)
            demand(
                now >= over, "an end is not written before its results came or their time is over"
            )

    def on_call(self, seen: ObjectMeta, action: Action) -> None:
        """A call to OCI is allowed now; what was taken away by force may get what was decided before."""
        if seen.uid in self.given_up:
            return
        current = self._world.api.object
        ours = current if current is not None and current.metadata.uid == seen.uid else None
        if isinstance(action, CreateRun):
            submit = ours.status.submit if ours is not None else None
            written = submit is not None and submit.token == action.token
            demand(written, "no creation whose token is not in status")
            demand(
                ours and ours.metadata.has_finalizer, "no creation for an object that nothing holds"
            )
            body = self._bodies.setdefault(action.token, action.request)
            demand(body == action.request, "no token is sent with two bodies")
            token_is_remembered(self._world.oci.tokens, action.token)
        self._spark.on_call(action)
        phase = ours.status.phase if ours is not None else None
        if phase is not None and phase.terminal and ours is not None:
            self._only_looks_once(seen, action, deleting=ours.metadata.deleting)

    def _only_looks_once(self, seen: ObjectMeta, action: Action, *, deleting: bool) -> None:
        if isinstance(action, AddFinalizer | RemoveFinalizer):
            return
        if isinstance(action, FinishWorkload | PatchWorkload | DeleteWorkload):
            return
        if isinstance(action, DeleteObject):
            demand(self._world.circumstances.expires, "only what is to expire is deleted")
            return
        if deleting and isinstance(action, DeleteRun | LookUpRun | ListOrphan):
            return
        look = (seen.uid, type(action))
        self._late_looks[look] += 1
        looks = {} if self._world.circumstances.on_data_flow else _LOOKS
        demand(type(action) in looks, "nothing but log and utilisation is asked for after the end")
        demand(self._late_looks[look] <= looks[type(action)], "looks after the end are few")

    def after_call(self, uid: str) -> None:
        """OCI has at most one run of an object, but for those that somebody deleted there."""
        runs = self._world.oci.of(uid)
        demand(sum(run.live for run in runs) <= 1, "no two live job runs of one attempt")
        own = [run.owner for run in runs if not run.taken_away]
        demand(len(own) == len(set(own)), "an attempt is created exactly once")

    def on_release(
        self, meta: ObjectMeta, notes: tuple[Note, ...], gone_since: datetime | None, now: datetime
    ) -> None:
        """The finalizer went."""
        if any(note.reason == Reason.ORPHANED for note in notes):
            gone = gone_since is not None and now - gone_since >= timedelta(seconds=600)
            demand(
                meta.abandoned or gone, "an object is given up only as asked or without credentials"
            )
            for run in self._world.oci.of(meta.uid):
                demand(not run.live or self.is_listed(run), "what is let go and runs is listed")
            self.given_up.add(meta.uid)
            return
        live = any(run.live for run in self._world.oci.of(meta.uid))
        demand(not live, "the finalizer goes only when no live job run is left")

    def is_listed(self, run: SimulatedRun) -> bool:
        """Whether the list of orphans names a job run, or the tag by which it is found."""
        orphan = self.listed.get(run.uid)
        if orphan is None:
            return False
        return run.id in orphan.left.run_ids or any(
            each.owner == run.owner for each in orphan.left.unknown
        )

    def _keeps_secrets(self, text: str, where: str) -> None:
        for secret in self._world.secrets:
            demand(secret not in text, f"no secret is in {where}")


def _only_late(former: OCIJobRunStatus, after: OCIJobRunStatus) -> bool:
    """Whether nothing has changed but what comes late, and the generation that was seen."""
    tail = after.logs.tail if after.logs is not None else None
    logs = former.logs.model_copy(update={"tail": tail}) if former.logs is not None else None
    generation = after.observed_generation or 0
    late = {
        "logs": logs,
        "metrics": after.metrics,
        "observed_generation": generation,
        "conditions": of_generation(former.conditions, generation),
    }
    return former.model_copy(update=late) == after


def _rank(status: OCIJobRunStatus) -> int:
    return RunState(status.lifecycle_state).rank if status.lifecycle_state else -1
