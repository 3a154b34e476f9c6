"""What is looked at when a run has ended: once more its log, then what it used, each at its time; and then nothing."""

from collections import Counter

import pytest
from tests.component.world import World
from tests.support import manifests
from tests.support.namespace import phase
from tests.support.stage import Stage

pytestmark = pytest.mark.asyncio

QUERIES = 4
"""One for each thing that Monitoring measures."""
LOOKS = 3
"""How often Monitoring is asked that has nothing, as of a run that is simulated."""


async def test_a_run_that_has_ended_is_looked_at_again_and_then_costs_nothing(world: World) -> None:
    stage = world.stage
    stage.emulator.set_mode(default={"accepted": 5, "inProgress": 60, "output": ["a line"]})
    stage.identity(logGroupId=await world.log_group())
    world.create(manifests.job(), manifests.run())
    assert phase(await world.until_ended("run")) == "Succeeded"
    await world.settle()
    written = Counter(stage.writes("OCIJobRun", "run"))
    assert _searches_and_queries(stage) == (1, 0)
    await world.pass_time(minutes=2)
    assert _searches_and_queries(stage) == (2, 0)
    await world.pass_time(minutes=4)
    assert _searches_and_queries(stage) == (2, QUERIES)
    for minutes in (10, 30):
        await world.pass_time(minutes=minutes)
        assert _searches_and_queries(stage) == (2, LOOKS * QUERIES)
    # Nothing new was found, so nothing was written.
    assert Counter(stage.writes("OCIJobRun", "run")) == written


def _searches_and_queries(stage: Stage) -> tuple[int, int]:
    """Return how often logs were searched, and metrics queried."""
    counts = stage.emulator.counts()
    searches, queries = counts.get("SearchLogs", {}), counts.get("SummarizeMetricsData", {})
    return sum(searches.values()), sum(queries.values())
