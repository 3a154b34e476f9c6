"""What is looked at after the end of a run, when, and how often."""

from __future__ import annotations

import pytest
from tests.unit.reconcile.simulation.run_circumstances import Circumstances
from tests.unit.reconcile.simulation.run_scenario import RunScenario
from tests.unit.reconcile.simulation.weather import Mishap

from ocijobs.api.run.observed import RunMetrics, Utilisation
from ocijobs.backends.records import Refusal, RunState
from ocijobs.reconcile.actions.calls import Operation

USED = RunMetrics(cpu_utilization=Utilisation(mean=50.0, max=99.5))


class Story:
    """A run that has ended, and when Monitoring was asked about it, in seconds after the end."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, circumstances: Circumstances) -> None:
        self.scenario = RunScenario(circumstances)
        self.asked: list[int] = []
        world = self.scenario.world
        answer = world.left.utilisation

        def utilisation(run_id: str) -> RunMetrics | Refusal | None:
            self.asked.append(round(self.seconds))
            return answer(run_id)

        monkeypatch.setattr(world.left, "utilisation", utilisation)
        self.pass_time(3, 1)
        world.oci.progress(RunState.IN_PROGRESS)
        self.pass_time(3, 1)
        world.oci.progress(RunState.SUCCEEDED)
        self.pass_time(3, 1)
        assert world.api.present.status.completion_time is not None

    @property
    def seconds(self) -> float:
        """Time since the end."""
        ended = self.scenario.world.api.present.status.completion_time
        assert ended is not None
        return (self.scenario.world.clock.now() - ended).total_seconds()

    def pass_time(self, seconds: int, step: int = 10) -> None:
        """Let the operator live on."""
        for _ in range(seconds // step):
            self.scenario.live(step)

    @property
    def metrics(self) -> RunMetrics | None:
        """What status tells."""
        return self.scenario.world.api.present.status.metrics


def test_utilisation_is_read_once_and_written_when_metrics_have_settled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    story = Story(monkeypatch, Circumstances(measured=60))
    writes = story.scenario.world.api.status_writes
    story.pass_time(290)
    assert story.asked == []
    story.pass_time(900)
    assert len(story.asked) == 1
    assert 300 <= story.asked[0] <= 320
    assert story.metrics == USED
    assert story.scenario.world.api.status_writes == writes + 1


def test_metrics_that_are_later_still_are_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story(monkeypatch, Circumstances(measured=400))
    story.pass_time(1200)
    assert len(story.asked) == 2
    assert story.metrics == USED


def test_a_run_of_which_monitoring_has_nothing_is_let_be(monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story(monkeypatch, Circumstances())
    story.pass_time(3600)
    assert len(story.asked) == 3
    assert story.metrics is None


def test_a_refused_query_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story(monkeypatch, Circumstances(measured=60))
    story.scenario.world.weather.last(Operation.READ_UTILISATION, Mishap.NOT_FOUND)
    story.pass_time(1200)
    assert len(story.asked) == 1
    assert story.metrics is None


@pytest.mark.parametrize(("down_for", "read"), [(400, 1), (1000, 0)])
def test_a_restart_reads_what_is_not_too_long_ago(
    monkeypatch: pytest.MonkeyPatch, down_for: int, read: int
) -> None:
    story = Story(monkeypatch, Circumstances(measured=60))
    story.scenario.world.weather.advance(down_for)
    story.scenario.shell.begin()
    story.pass_time(600)
    assert len(story.asked) == read
    assert (story.metrics is not None) is bool(read)


def test_a_restart_does_not_read_again_what_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story(monkeypatch, Circumstances(measured=60))
    story.pass_time(320)
    assert story.metrics == USED
    story.scenario.shell.begin()
    story.pass_time(600)
    assert len(story.asked) == 1


def test_a_run_that_was_never_on_a_machine_used_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story(monkeypatch, Circumstances(measured=60))
    run = story.scenario.world.api.present
    story.scenario.world.api.object = run.model_copy(
        update={"status": run.status.model_copy(update={"start_time": None})}
    )
    story.pass_time(1200)
    assert story.asked == []
