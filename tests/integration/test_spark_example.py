"""The story of both services, with real Spark and real training: clean with Spark, tune in a sweep, train the best."""

from pathlib import Path

import pytest
from tests.support.namespace import Document, phase
from tests.support.spark import needs_spark
from tests.support.stage import Stage

EXAMPLE = Path(__file__).parents[2] / "examples" / "spark"

pytestmark = [pytest.mark.real_spark, pytest.mark.breadth, pytest.mark.timeout(1000), needs_spark]

GOOD = "203"
"""Readings that neither came twice nor lack their power."""


@pytest.fixture
def solar(stage: Stage) -> Stage:
    """A stage with the example's bucket and data, and with what runs of Spark may do, as its README says."""
    stage.identity(artifactBucketUri=stage.bucket("spark-code"), logGroupId=stage.log_group())
    readings = (EXAMPLE / "data" / "readings.csv").read_text()
    stage.put(f"{stage.bucket('data')}/solar/raw/readings.csv", readings)
    policies = stage.emulator.policies()
    stage.emulator.set_policies(
        [*policies["statements"], "Allow dynamic-group spark-runs to manage objects in tenancy"],
        {**policies["dynamicGroups"], "spark-runs": "all {resource.type = 'dataflowrun'}"},
    )
    return stage


def apply(stage: Stage) -> None:
    """Apply the example as its README says, with the local OCI's namespace of Object Storage."""
    built = stage.kubectl("kustomize", str(EXAMPLE)).replace("mytenancy", stage.emulator.namespace)
    stage.kubectl("apply", "-f", "-", stdin=built)


def results(run: Document) -> Document:
    """Return what a run has reported."""
    assert phase(run) == "Succeeded", run["status"]
    reported: Document = run["status"]["results"]
    return reported


def test_spark_cleans_what_a_sweep_tunes_on_and_the_best_is_trained(solar: Stage) -> None:
    apply(solar)
    forecast = solar.until_ended("forecast", seconds=900)
    assert results(forecast) == {"readings": GOOD}
    cleaned = solar.get("OCIJobRun", "clean")
    assert results(cleaned)["rows"] == GOOD
    assert cleaned["status"]["backend"] == "DataFlow"
    assert cleaned["status"]["metrics"]["dataWrittenInBytes"] > 0
    sweep = solar.get("OCIJobSweep", "depths")["status"]
    errors = [
        float(results(run)["error"])
        for run in solar.all("OCIJobRun")
        if run["metadata"]["name"].startswith("depths-")
    ]
    assert len(errors) == 3
    assert float(sweep["best"]["value"]) == min(errors) < 0.3
    outputs = forecast["status"]["outputs"]["objects"]
    assert {each.rpartition("/")[2] for each in outputs} == {"model.pickle", "results.json"}
