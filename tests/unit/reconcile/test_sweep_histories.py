"""Sweeps over generated histories: children end, go, are suspended, the operator restarts; the laws hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from enum import Enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocijobs.api.job_run_status import Phase
from ocijobs.api.names import LABEL_SWEEP_INDEX
from ocijobs.api.reasons import Reason
from ocijobs.api.sweep import OCIJobSweep, OCIJobSweepSpec
from ocijobs.api.sweep_status import OCIJobSweepStatus, SweepPhase
from ocijobs.reconcile.decision import CreateObject, Decision, EditObject
from ocijobs.reconcile.dependencies import Relations
from ocijobs.reconcile.sweep.decide import decide_sweep
from ocijobs.reconcile.sweep.intervals import from_intervals, to_intervals
from ocijobs.reconcile.sweep.observation import ChildView, Outcome, SweepKnown, SweepObservation
from ocijobs.reconcile.sweep.points import point, problem, total
from ocijobs.testing import START, make_identity_view, make_metadata, make_ready_job
from ocijobs.testing.observations import DEFAULT_SETTINGS

SIZE = 7


class Do(Enum):
    """What happens."""

    LIVE = "the sweep is looked at"
    SUCCEED = "the oldest child succeeds"
    FAIL = "the oldest child fails"
    DELETE = "the newest child is deleted"
    RESTART = "the operator restarts"
    SUSPEND = "spec.suspend is set"
    RESUME = "spec.suspend is taken back"
    CANCEL = "spec.cancel is set"
    WIDEN = "spec.parallelism grows"
    NARROW = "spec.parallelism shrinks"
    WAIT = "a minute passes"


class World:
    """A sweep and its children in the API server, and one process that looks after them."""

    def __init__(self, parallelism: int, max_failed: int) -> None:
        values = [str(number) for number in range(SIZE)]
        self.sweep = OCIJobSweep(
            metadata=make_metadata("sweep"),
            spec=OCIJobSweepSpec.model_validate(
                {
                    "job_ref": {"name": "job"},
                    "matrix": {"X": values},
                    "parallelism": parallelism,
                    "max_failed_runs": max_failed,
                    "objective": {"result": "score", "goal": "Maximize"},
                }
            ),
        )
        self.children: dict[int, ChildView] = {}
        self.created: list[int] = []
        self.known = SweepKnown()
        self.now = START + timedelta(minutes=5)

    def edit(self, **changes: Any) -> None:
        """Change the spec."""
        spec = self.sweep.spec.model_copy(update=changes)
        self.sweep = self.sweep.model_copy(update={"spec": spec})

    def decide(self) -> Decision[OCIJobSweepStatus]:
        """Observe and decide."""
        self.known = self.known.seen(self.children)
        return decide_sweep(
            SweepObservation(
                sweep=self.sweep,
                job=make_ready_job(),
                job_checked_at=self.now,
                identity=make_identity_view(),
                children=self.children,
                strangers=frozenset(),
                relations=Relations(),
                known=self.known,
                settings=DEFAULT_SETTINGS,
            ),
            self.now,
        )

    def live(self) -> None:
        """Decide and carry out until nothing is asked for, or only time can bring it."""
        for _ in range(50):
            before, decision = self.sweep.status, self.decide()
            for action in decision.actions:
                self.carry_out(action)
            if decision.status != before:
                self.write(before, decision.status)
            elif not decision.actions:
                return
        pytest.fail("a sweep reaches a fixed point")

    def carry_out(self, action: object) -> None:
        """Do what was decided, as the API server would."""
        match action:
            case CreateObject(document=document):
                index = int(document["metadata"]["labels"][LABEL_SWEEP_INDEX])
                assert index not in self.created, "a child is created once, whatever became of it"
                self.created.append(index)
                self.known = self.known.has_created(index)
                self.children[index] = ChildView(
                    name=document["metadata"]["name"],
                    uid=f"uid-{index}",
                    phase=None,
                    outcome=None,
                    suspend=False,
                    cancel=False,
                    deleting=False,
                )
                active = [c for c in self.children.values() if c.outcome is None]
                assert len(active) <= self.sweep.spec.parallelism, "no more children than may be"
                assert not self.sweep.spec.suspend
                assert not self.sweep.spec.cancel
            case EditObject(uid=uid, spec=spec):
                index = next(i for i, child in self.children.items() if child.uid == uid)
                child = self.children[index]
                self.children[index] = replace(
                    child,
                    suspend=spec.get("suspend", child.suspend),
                    cancel=spec.get("cancel", child.cancel),
                )
                if spec.get("cancel"):
                    self.end(index, Phase.CANCELLED)
            case _:
                pytest.fail(f"{action} is no action of a sweep")

    def write(self, before: OCIJobSweepStatus, after: OCIJobSweepStatus) -> None:
        """Write the status."""
        ended = before.phase is not None and before.phase.terminal
        assert not ended or after.phase is before.phase, "a terminal phase is never left"
        for field in ("completed_indexes", "failed_indexes"):
            lost = from_intervals(getattr(before, field)) - from_intervals(getattr(after, field))
            assert not lost, "an end is never forgotten"
        self.sweep = self.sweep.model_copy(update={"status": after})
        self.known = replace(self.known, written_at=self.now)

    def end(self, index: int, phase: Phase) -> None:
        """Let a child end."""
        results = {"score": str(index % 3)} if phase is Phase.SUCCEEDED else {}
        outcome = Outcome(succeeded=phase is Phase.SUCCEEDED, results=results)
        self.children[index] = replace(self.children[index], phase=phase, outcome=outcome)

    @property
    def running(self) -> list[int]:
        """Children that have not ended."""
        return sorted(i for i, child in self.children.items() if child.outcome is None)

    def do(self, what: Do) -> None:
        """Let something happen."""
        spec = self.sweep.spec
        match what:
            case Do.LIVE:
                self.live()
            case Do.SUCCEED | Do.FAIL if self.running:
                self.end(self.running[0], Phase.SUCCEEDED if what is Do.SUCCEED else Phase.FAILED)
            case Do.DELETE if self.children:
                # The watch tells of an end before it tells of a deletion.
                self.known = self.known.seen(self.children)
                del self.children[max(self.children)]
            case Do.RESTART:
                self.live()
                self.wait()
                self.known = SweepKnown()
            case Do.SUSPEND | Do.RESUME:
                self.edit(suspend=what is Do.SUSPEND)
            case Do.CANCEL:
                self.edit(cancel=True)
            case Do.WIDEN | Do.NARROW:
                self.edit(parallelism=max(1, spec.parallelism + (1 if what is Do.WIDEN else -1)))
            case Do.WAIT:
                self.wait()
            case _:
                pass

    def wait(self) -> None:
        """Let a minute pass: counts that were put off are written."""
        self.now += timedelta(minutes=1)
        self.live()


def finish(world: World) -> OCIJobSweepStatus:
    """Let every child that is left succeed, and see how the sweep ends."""
    world.edit(suspend=False)
    for _ in range(3 * SIZE):
        world.wait()
        for index in world.running:
            world.end(index, Phase.SUCCEEDED)
    world.wait()
    return world.sweep.status


@given(st.integers(1, 4), st.integers(0, 2), st.lists(st.sampled_from(Do), max_size=25))
def test_a_sweep_keeps_its_laws_in_every_history(
    parallelism: int, max_failed: int, history: Sequence[Do]
) -> None:
    world = World(parallelism, max_failed)
    for what in history:
        world.do(what)
    status = finish(world)
    assert status.phase is not None
    assert status.phase.terminal, "a sweep ends in the end"
    failed, completed = (
        from_intervals(status.failed_indexes),
        from_intervals(status.completed_indexes),
    )
    gone = from_intervals(status.gone_indexes)
    assert len(failed) + len(completed) + len(gone) == len(failed | completed | gone)
    assert failed | completed | gone == set(world.created), "every child is accounted for"
    match status.phase:
        case SweepPhase.SUCCEEDED:
            assert len(failed) <= max_failed
            assert world.created == list(range(SIZE))
            assert status.best is not None
            scores = {index: index % 3 for index in completed}
            best = min(i for i, score in scores.items() if score == max(scores.values()))
            assert status.best.index == best, "of equal ones the first is the best"
        case SweepPhase.FAILED:
            assert len(failed) > max_failed or not completed
        case _:
            assert world.sweep.spec.cancel


@given(st.sets(st.integers(0, 300)))
def test_intervals_say_what_they_were_made_of(indices: set[int]) -> None:
    assert from_intervals(to_intervals(indices)) == indices


def test_intervals_of_ten_thousand_runs_are_short() -> None:
    assert to_intervals(range(10_000)) == "0-9999"
    assert len(to_intervals(range(0, 10_000, 2))) < 65_536


def sweep_of(**spec: Any) -> OCIJobSweepSpec:
    return OCIJobSweepSpec.model_validate({"job_ref": {"name": "job"}, **spec})


def test_variables_are_taken_by_name_and_the_last_changes_fastest() -> None:
    spec = sweep_of(matrix={"B": ["x", "y"], "A": ["1", "2"]})
    parameters = [dict(point(spec, index).parameters) for index in range(total(spec))]
    assert parameters == [
        {"A": "1", "B": "x"},
        {"A": "1", "B": "y"},
        {"A": "2", "B": "x"},
        {"A": "2", "B": "y"},
    ]


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ({"matrix": {"A": [str(n) for n in range(1000)], "B": ["x"] * 1000}}, "1,000,000 combinat"),
        ({"matrix": {"JOB_OCID": ["x"]}}, "JOB_OCID: reserved"),
        ({"matrix": {"OCIJOBS_X": ["x"]}}, "OCIJOBS_X: reserved"),
        ({"points": [{"parameters": {"a-b": "x"}}]}, "spec.points: a-b: no name of an environment"),
    ],
)
def test_combinations_that_make_no_sense_are_refused_in_words(spec: Any, says: str) -> None:
    assert says in (problem(sweep_of(**spec)) or "")


def test_what_is_no_number_never_wins() -> None:
    world = World(SIZE, 0)
    world.live()
    for index, score in enumerate(["NaN", "", "nan", "0.1", "many", "0.10", "-inf"]):
        outcome = Outcome(succeeded=True, results={"score": score} if score else {})
        world.children[index] = replace(
            world.children[index], phase=Phase.SUCCEEDED, outcome=outcome
        )
    world.wait()
    assert world.sweep.status.best is not None
    assert (world.sweep.status.best.index, world.sweep.status.best.value) == (3, "0.1")


def test_a_sweep_whose_runs_report_no_number_has_failed() -> None:
    world = World(SIZE, 0)
    world.live()
    for index in list(world.children):
        world.children[index] = replace(
            world.children[index],
            phase=Phase.SUCCEEDED,
            outcome=Outcome(succeeded=True, results={}),
        )
    world.wait()
    assert world.sweep.status.phase is SweepPhase.FAILED
    assert world.sweep.status.conditions[0].reason == Reason.RESULT_MISSING


def test_counts_alone_are_written_once_in_ten_seconds() -> None:
    world = World(3, 0)
    world.live()
    writes = 0
    for _ in range(3):
        world.end(world.running[0], Phase.SUCCEEDED)
        before = world.sweep.status
        world.live()
        writes += world.sweep.status != before
    assert writes == 0
    world.now += timedelta(seconds=11)
    world.live()
    assert world.sweep.status.succeeded == 3
