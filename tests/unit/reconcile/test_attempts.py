"""Pauses between the attempts of a run, and what ends them."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from tests.unit.reconcile.simulation.run_circumstances import Circumstances
from tests.unit.reconcile.simulation.run_scenario import RunScenario

from ocijobs.api.run.phase import Phase
from ocijobs.api.shared.conditions import ConditionType, find
from ocijobs.api.shared.reasons import Reason
from ocijobs.backends.records import RunState
from ocijobs.reconcile.run.decide import decide_run
from ocijobs.testing import SETTLED, make_run, make_run_observation


def failing(scenario: RunScenario, *, attempts: int) -> list[datetime]:
    """Let each attempt fail as soon as it is there; return when they were created."""
    oci = scenario.world.oci
    for _ in range(2000):
        scenario.live(1)
        oci.progress(RunState.FAILED)
        if len(oci.runs) == attempts:
            break
    return [run.history[0][0] for run in oci.runs]


def pauses(times: list[datetime]) -> list[float]:
    return [(after - before).total_seconds() for before, after in pairwise(times)]


def test_each_failure_doubles_the_pause() -> None:
    scenario = RunScenario(Circumstances(backoff_limit=10))
    found = pauses(failing(scenario, attempts=7))
    wanted = [10, 20, 40, 80, 160, 320]
    # Jitter takes a fifth at most; noticing the end and settling take some seconds.
    assert all(0.8 * w <= p <= w + 10 for p, w in zip(found, wanted, strict=True)), found


def test_a_failure_that_the_policy_ignores_is_followed_by_a_pause_too() -> None:
    scenario = RunScenario(Circumstances(ignores=True))
    found = pauses(failing(scenario, attempts=4))
    assert all(0.8 * w <= p <= w + 10 for p, w in zip(found, [10, 20, 40], strict=True)), found
    assert scenario.world.api.present.status.failed is None


def test_a_deadline_that_is_over_during_a_pause_is_not_slept_through() -> None:
    scenario = RunScenario(Circumstances(backoff_limit=10, deadline=100))
    failing(scenario, attempts=4)
    scenario.world.oci.progress(RunState.FAILED)
    for _ in range(3):
        scenario.live(1)
    run, shell = scenario.world.api.present, scenario.shell
    assert run.status.phase is Phase.PENDING
    assert run.status.launch_time is not None
    assert shell.wake_at == run.status.launch_time + timedelta(seconds=100)
    scenario.live(100)
    assert scenario.world.api.present.status.phase is Phase.FAILED


@pytest.mark.parametrize(
    ("pattern", "problem"), [("out of memory", None), ("(", "missing ): (: give a regular")]
)
def test_a_pattern_that_is_none_ends_a_run_before_it_is_launched(
    pattern: str, problem: str | None
) -> None:
    exits = {"action": "Fail", "on_exit_codes": {"operator": "In", "values": [1]}}
    details = {"action": "Ignore", "on_lifecycle_details": {"pattern": pattern}}
    run = make_run(failure_policy={"rules": [exits, details]})
    status = decide_run(make_run_observation(run=run), SETTLED).status
    if problem is None:
        assert status.phase is not Phase.FAILED
        return
    ready = find(status.conditions, ConditionType.READY)
    assert ready is not None
    assert (status.phase, ready.reason) == (Phase.FAILED, Reason.INVALID_SPEC)
    where = "spec.failurePolicy.rules[1].onLifecycleDetails.pattern"
    assert ready.message.startswith(f"{where}: {problem}")
