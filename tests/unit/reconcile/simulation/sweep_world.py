"""A sweep and its children in a simulated API server, and one process that looks after them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from ocijobs.api.job.spec import OCIJob
from ocijobs.api.run.phase import Phase
from ocijobs.api.shared.names import LABEL_SWEEP_INDEX
from ocijobs.api.sweep.spec import OCIJobSweep, OCIJobSweepSpec
from ocijobs.api.sweep.status import OCIJobSweepStatus
from ocijobs.backends.records import Refusal, RefusalKind
from ocijobs.reconcile.actions.objects import CreateObject, EditObject
from ocijobs.reconcile.decision import Decision
from ocijobs.reconcile.dependencies import Relations
from ocijobs.reconcile.known.sweep import Children, ChildView, Outcome, SweepKnown
from ocijobs.reconcile.sweep.decide import decide_sweep
from ocijobs.reconcile.sweep.indices import from_intervals
from ocijobs.reconcile.sweep.observation import SweepObservation
from ocijobs.testing import (
    DEFAULT_SETTINGS,
    START,
    make_identity_view,
    make_metadata,
    make_ready_job,
)

SIZE = 7
_COUNTS = timedelta(seconds=DEFAULT_SETTINGS.aggregate_interval_seconds)


@dataclass(frozen=True)
class Child:
    """A run as the API server has it."""

    view: ChildView
    outcome: Outcome | None = None


class SweepWorld:
    """Holds, whatever is done to it, that no child is created twice, and that nothing that was told is taken back."""

    def __init__(self, parallelism: int = SIZE, max_failed: int = 0, **spec: Any) -> None:
        given = {
            "job_ref": {"name": "job"},
            "matrix": {"X": [str(number) for number in range(SIZE)]},
            "parallelism": parallelism,
            "max_failed_runs": max_failed,
            "objective": {"result": "score", "goal": "Maximize"},
        }
        self.sweep = OCIJobSweep(
            metadata=make_metadata("sweep"), spec=OCIJobSweepSpec.model_validate(given | spec)
        )
        self.there: dict[int, Child] = {}
        self.created: list[int] = []
        self.children = Children()
        self.known = SweepKnown()
        self.relations = Relations()
        self.settings = DEFAULT_SETTINGS
        self.job: OCIJob | None = make_ready_job()
        self.now = START + timedelta(minutes=5)
        self.lost_since_write = False
        self.refuses_from = SIZE
        self.forbids_from = SIZE
        self.hanging: set[int] = set()
        self.annotations: dict[int, dict[str, str]] = {}

    def edit(self, **changes: Any) -> None:
        """Change the spec."""
        spec = self.sweep.spec.model_copy(update=changes)
        meta = self.sweep.metadata
        meta = meta.model_copy(update={"generation": meta.generation + (spec != self.sweep.spec)})
        self.sweep = self.sweep.model_copy(update={"spec": spec, "metadata": meta})

    def observe(self) -> SweepObservation:
        """Return what the shell would observe."""
        return SweepObservation(
            sweep=self.sweep,
            job=self.job,
            sources_checked_at=self.now,
            identity=make_identity_view(),
            children=self.children,
            strangers=frozenset(),
            relations=self.relations,
            known=self.known,
            settings=self.settings,
        )

    def decide(self) -> Decision[OCIJobSweepStatus]:
        """Observe and decide."""
        return decide_sweep(self.observe(), self.now)

    def live(self) -> None:
        """Decide and carry out until nothing is asked for, or only time can bring it."""
        for _ in range(50):
            before, decision = self.sweep.status, self.decide()
            for action in decision.actions:
                if not self._carry_out(action):
                    break
            if decision.status != before:
                self._write(before, decision.status)
            elif not decision.actions:
                return
        raise AssertionError("a sweep reaches a fixed point")

    def wait(self) -> None:
        """Let a minute pass: counts that were put off are written."""
        self.now += timedelta(minutes=1)
        self.live()

    def restart(self) -> None:
        """Have another process look after the sweep: it knows what is there, and what the status says."""
        self.known, self.children = SweepKnown(), Children()
        for index, child in self.there.items():
            self.children.see(index, child.view, child.outcome)

    def _put(self, index: int, child: Child) -> None:
        self.there[index] = child
        self.children.see(index, child.view, child.outcome)

    def _carry_out(self, action: object) -> bool:
        """Do what was decided, as the API server would; return whether it took it."""
        match action:
            case CreateObject():
                return self._create(action)
            case EditObject(uid=uid, spec=spec):
                index = next(i for i, child in self.there.items() if child.view.uid == uid)
                view = self.there[index].view
                changed = replace(
                    view,
                    suspend=spec.get("suspend", view.suspend),
                    cancel=spec.get("cancel", view.cancel),
                )
                self._put(index, Child(changed))
                if spec.get("cancel") and index not in self.hanging:
                    self.end(index, Phase.CANCELLED)
                return True
            case _:
                raise AssertionError(f"{action} is no action of a sweep")

    def _learn(self, action: CreateObject, refusal: Refusal | None) -> None:
        self.known = self.known.answered((action, refusal), at=self.now)

    def _create(self, action: CreateObject) -> bool:
        document: dict[str, Any] = dict(action.document)
        meta, spec = document["metadata"], self.sweep.spec
        index = int(meta["labels"][LABEL_SWEEP_INDEX])
        if index >= self.refuses_from:
            self._learn(action, Refusal(kind=RefusalKind.INVALID, message="no such field"))
            return False
        if index >= self.forbids_from:
            refusal = Refusal(kind=RefusalKind.CONFLICT, message="the quota is used up")
            self._learn(action, refusal)
            return False
        assert index not in self.created, "a child is created once, whatever became of it"
        self.created.append(index)
        self.annotations[index] = meta.get("annotations", {})
        self._learn(action, None)
        name = meta["name"]
        self._put(
            index,
            Child(ChildView(name=name, uid=name, suspend=False, cancel=False, deleting=False)),
        )
        assert len(self.running) <= spec.parallelism, "no more children than may be"
        assert not spec.suspend
        assert not spec.cancel
        return True

    def _write(self, before: OCIJobSweepStatus, after: OCIJobSweepStatus) -> None:
        ended = before.phase is not None and before.phase.terminal
        assert not ended or after.phase is before.phase, "a terminal phase is never left"
        for field in ("completed_indexes", "failed_indexes"):
            lost = from_intervals(getattr(before, field)) - from_intervals(getattr(after, field))
            assert not lost, "an end is never forgotten"
        written_at = self.known.written_at
        if (before.phase, before.conditions) == (after.phase, after.conditions) and written_at:
            rare = self.now - written_at >= _COUNTS or self.lost_since_write
            assert rare, "counts alone are written once in ten seconds"
        self.sweep = self.sweep.model_copy(update={"status": after})
        self.known = replace(self.known, written_at=self.now)
        self.lost_since_write = False

    def end(self, index: int, phase: Phase, score: str | None = None) -> None:
        """Let a child end."""
        results = {"score": score or str(index % 3)} if phase is Phase.SUCCEEDED else {}
        outcome = Outcome(succeeded=phase is Phase.SUCCEEDED, results=results)
        self._put(index, Child(self.there[index].view, outcome))

    def hang(self, index: int) -> None:
        """Have a child take its time when it is cancelled."""
        self.hanging.add(index)

    def delete(self, index: int) -> None:
        """Have somebody delete a child: one that has not ended is cancelled first. The sweep is told."""
        child = self.there[index]
        self.lost_since_write = True
        if child.outcome is None and not child.view.deleting:
            self._put(index, Child(replace(child.view, deleting=True)))
        else:
            del self.there[index]
            self.children.lose(index)
        self.live()

    def expire(self, index: int) -> None:
        """Let a child go by its TTL: the sweep has its end in its status."""
        status = self.sweep.status
        assert self.there[index].outcome is not None
        if index in from_intervals(status.completed_indexes) | from_intervals(
            status.failed_indexes
        ):
            del self.there[index]
            self.children.lose(index)

    @property
    def running(self) -> list[int]:
        """Children that have not ended."""
        return sorted(index for index, child in self.there.items() if child.outcome is None)

    @property
    def generation(self) -> int:
        """metadata.generation."""
        return self.sweep.metadata.generation

    @property
    def reason(self) -> str:
        """Reason of Ready."""
        return self.sweep.status.conditions[0].reason

    @property
    def phase(self) -> str:
        """Where the sweep is."""
        return str(self.sweep.status.phase)
