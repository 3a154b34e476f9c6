"""A sweep of a thousand runs: never more at a time than it may have, and hardly slower than that allows."""

from __future__ import annotations

import time

import pytest
from tests.support import manifests
from tests.support.namespace import phase
from tests.support.stage import Stage

RUNS = 1000
PARALLELISM = 100
RUN_SECONDS = 20.0
IDEAL_SECONDS = RUNS / PARALLELISM * RUN_SECONDS


@pytest.mark.alone
@pytest.mark.slow
def test_a_thousand_runs_a_hundred_at_a_time_take_hardly_longer_than_they_must(
    stage: Stage,
) -> None:
    stage.operator.stop()
    stage.restart_operator(
        poll_min_seconds=1,
        poll_max_seconds=1,
        oci_rate_max=50,
        aggregate_interval_seconds=10,
        # A machine of two cores has the control plane and the local OCI to run, too.
        lease_duration_seconds=30,
        workers=32,
    )
    stage.emulator.set_mode(default={"accepted": 1, "inProgress": RUN_SECONDS - 1})
    stage.identity()
    stage.kubectl_apply(manifests.job())
    stage.until_synced("job")
    began = time.monotonic()
    stage.kubectl_apply(
        manifests.sweep(
            points=[{"parameters": {"POINT": str(number)}} for number in range(RUNS)],
            parallelism=PARALLELISM,
        )
    )
    ended = stage.until(
        "OCIJobSweep",
        "sweep",
        lambda document: phase(document) in {"Succeeded", "Failed"},
        seconds=3 * IDEAL_SECONDS,
    )
    took = time.monotonic() - began
    writes = len(stage.writes("OCIJobSweep", "sweep"))
    print(f"{took:.0f} s, ideal {IDEAL_SECONDS:.0f} s; {writes} writes of the sweep")
    assert phase(ended) == "Succeeded"
    assert ended["status"]["completedIndexes"] == f"0-{RUNS - 1}"
    assert stage.most_active_runs() <= PARALLELISM
    assert len(stage.job_runs()) == RUNS
    assert took <= 1.2 * IDEAL_SECONDS
    assert writes <= took / 10 + 5
