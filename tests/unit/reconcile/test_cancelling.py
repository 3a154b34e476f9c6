"""How the end of a cancelled run is noticed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from tests.unit.reconcile.simulation.run_history import Do, Progress
from tests.unit.reconcile.simulation.run_scenario import RunScenario

from ocijobs.api.run.phase import Phase
from ocijobs.backends.records import RunState


def test_a_cancelled_run_that_no_list_has_is_looked_up_soon_however_often_lists_lagged() -> None:
    scenario = RunScenario()
    scenario.live(3)
    scenario.play([Progress(RunState.IN_PROGRESS)])
    scenario.live(3)
    scenario.play([Do.CANCEL])
    shell = scenario.shell
    shell.work()
    scenario.world.oci.progress(RunState.CANCELED)
    shell.known = replace(shell.known, lagging=2).unlisted(at=shell.now)
    shell.work()
    assert shell.wake_at is not None
    assert shell.wake_at <= shell.now + timedelta(seconds=5)
    scenario.world.weather.advance(5)
    shell.work()
    shell.batch()
    shell.work()
    assert scenario.world.api.present.status.phase is Phase.CANCELLED
