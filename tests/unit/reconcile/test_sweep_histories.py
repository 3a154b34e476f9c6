"""Sweeps over generated histories: children end, go, are suspended, the operator restarts; the laws hold.

That no child is created twice, that no more are there than may be, that no end is forgotten, and that counts alone are
written once in ten seconds, the world itself holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.reconcile.simulation.sweep_world import SIZE, SweepWorld

from ocijobs.api.run.phase import Phase, SweepPhase
from ocijobs.api.sweep.status import OCIJobSweepStatus
from ocijobs.reconcile.sweep.indices import from_intervals


class Do(Enum):
    """What happens."""

    LIVE = "the sweep is looked at"
    SUCCEED = "the oldest child succeeds"
    FAIL = "the oldest child fails"
    DELETE = "the newest child is deleted"
    EXPIRE = "the newest child that has ended goes by its TTL"
    RESTART = "the operator is killed and restarted"
    SUSPEND = "spec.suspend is set"
    RESUME = "spec.suspend is taken back"
    CANCEL = "spec.cancel is set"
    WIDEN = "spec.parallelism grows"
    NARROW = "spec.parallelism shrinks"
    ALLOW = "spec.maxFailedRuns grows"
    FORBID = "spec.maxFailedRuns is 0"
    WAIT = "a minute passes"


@dataclass
class History:
    """A world, what happens in it, and the least that spec.maxFailedRuns ever was."""

    world: SweepWorld
    least_allowed: int

    def do(self, what: Do) -> None:
        """Let something happen."""
        world = self.world
        ended = [index for index, child in world.there.items() if child.outcome is not None]
        match what:
            case Do.LIVE:
                world.live()
            case Do.SUCCEED | Do.FAIL if world.running:
                phase = Phase.SUCCEEDED if what is Do.SUCCEED else Phase.FAILED
                world.end(world.running[0], phase)
            case Do.DELETE if world.there:
                world.delete(max(world.there))
            case Do.EXPIRE if ended:
                world.expire(max(ended))
            case Do.RESTART:
                world.restart()
            case Do.WAIT:
                world.wait()
            case _:
                self._edit(what)

    def _edit(self, what: Do) -> None:
        spec = self.world.sweep.spec
        match what:
            case Do.SUSPEND | Do.RESUME:
                self.world.edit(suspend=what is Do.SUSPEND)
            case Do.CANCEL:
                self.world.edit(cancel=True)
            case Do.WIDEN | Do.NARROW:
                step = 1 if what is Do.WIDEN else -1
                self.world.edit(parallelism=max(1, spec.parallelism + step))
            case Do.ALLOW | Do.FORBID:
                allowed = spec.max_failed_runs + 1 if what is Do.ALLOW else 0
                self.least_allowed = min(self.least_allowed, allowed)
                self.world.edit(max_failed_runs=allowed)
            case _:
                pass

    def finish(self) -> OCIJobSweepStatus:
        """Let every child that is left succeed, and see how the sweep ends."""
        world = self.world
        world.edit(suspend=False)
        for _ in range(3 * SIZE):
            world.wait()
            for index in world.running:
                world.end(index, Phase.SUCCEEDED)
        world.wait()
        return world.sweep.status


@given(st.integers(1, 4), st.integers(0, 2), st.lists(st.sampled_from(Do), max_size=30))
def test_a_sweep_keeps_its_laws_in_every_history(
    parallelism: int, max_failed: int, whatever: Sequence[Do]
) -> None:
    world = SweepWorld(parallelism, max_failed)
    history = History(world, max_failed)
    for what in whatever:
        history.do(what)
    status = history.finish()
    assert status.phase is not None
    assert status.phase.terminal, "a sweep ends in the end"
    assert status.observed_generation == world.sweep.metadata.generation
    failed = from_intervals(status.failed_indexes)
    completed = from_intervals(status.completed_indexes)
    gone = from_intervals(status.gone_indexes)
    assert len(failed) + len(completed) + len(gone) == len(failed | completed | gone)
    assert failed | completed | gone == set(world.created), "every child is accounted for"
    assert world.created == list(range(len(world.created))), "in the order of their indices"
    match status.phase:
        case SweepPhase.SUCCEEDED:
            assert len(failed) <= world.sweep.spec.max_failed_runs
            assert world.created == list(range(SIZE))
            assert status.best is not None
            scores = {index: index % 3 for index in completed}
            best = min(i for i, score in scores.items() if score == max(scores.values()))
            assert status.best.index == best, "of equal ones the first is the best"
        case SweepPhase.FAILED:
            assert len(failed) > history.least_allowed or not completed
        case _:
            assert world.sweep.spec.cancel
    world.restart()
    world.live()
    assert world.sweep.status == status, "a restart with nothing changed writes nothing"
