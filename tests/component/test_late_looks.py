"""What is looked at when a run has ended: once more its log, then what it used, each at its time; and then nothing."""

from collections import Counter

import pytest
from tests.component.inside import Inside
from tests.support import manifests
from tests.support.namespace import phase
from tests.support.stage import FAST

pytestmark = pytest.mark.asyncio

LOG_SETTLE, UTILISATION_SETTLE = 60, 300
LATE = {"log_settle_seconds": LOG_SETTLE, "utilisation_settle_seconds": UTILISATION_SETTLE}
A_MOMENT = 5


async def test_a_run_that_has_ended_is_looked_at_twice_and_then_costs_nothing(
    inside: Inside,
) -> None:
    stage = inside.stage
    await inside.stop()
    await inside.start(**(FAST | LATE))
    stage.emulator.set_mode(default={"accepted": 0.1, "inProgress": 0.1, "output": ["a line"]})
    stage.identity(logGroupId=stage.log_group())
    stage.apply(manifests.job(), manifests.run())
    ended = await inside.see(stage.until_ended, "run")
    assert phase(ended) == "Succeeded"
    await inside.until_at_rest()
    written = Counter(stage.writes("OCIJobRun", "run"))
    assert _calls(inside) == (1, 0)

    inside.clock.advance(LOG_SETTLE + A_MOMENT)
    await inside.see(stage.emulator.wait_for, "SearchLogs", count=2)
    inside.clock.advance(UTILISATION_SETTLE - LOG_SETTLE)
    # One query for each thing that is measured.
    await inside.see(stage.emulator.wait_for, "SummarizeMetricsData", count=4)
    await inside.until_at_rest()
    for name in ("soon", "much-later"):
        inside.clock.advance(UTILISATION_SETTLE)
        # When another object has been looked at, this one would have been, too.
        stage.create(manifests.run(name, of="nothing"))
        await inside.see(stage.until_reason, "OCIJobRun", name, "WaitingForJob")
        await inside.until_at_rest()
    assert _calls(inside) == (2, 4)
    # Nothing new was found, so nothing was written.
    assert Counter(stage.writes("OCIJobRun", "run")) == written


def _calls(inside: Inside) -> tuple[int, int]:
    """Return how often logs were searched, and metrics queried."""
    counts = inside.stage.emulator.counts()
    logs, metrics = counts.get("SearchLogs", {}), counts.get("SummarizeMetricsData", {})
    return sum(logs.values()), sum(metrics.values())
