"""The story that users start from, with real training: prepare, tune a model class a run, train the best one."""

from __future__ import annotations

import pickle
from pathlib import Path

import oci
import pytest
from tests.support.namespace import phase
from tests.support.stage import Stage

EXAMPLE = Path(__file__).parents[2] / "examples" / "model-selection"

pytestmark = [pytest.mark.real_runs, pytest.mark.timeout(1000)]


def apply(stage: Stage, folder: Path, **replaced: str) -> None:
    """Apply an example as its README says, with a bucket of the local OCI."""
    built = stage.kubectl("kustomize", str(folder))
    stage.bucket("models")
    for text, other in {"mytenancy": stage.emulator.namespace, **replaced}.items():
        built = built.replace(text, other)
    stage.kubectl("apply", "-f", "-", stdin=built)


def model_of(stage: Stage, run: dict[str, object]) -> object:
    """Return the model that a run has left in Object Storage."""
    objects = run["status"]["outputs"]["objects"]  # type: ignore[index]
    address = next(each for each in objects if each.endswith("model.pickle"))
    bucket, _, name = address.removeprefix("oci://").partition("@")
    namespace, _, name = name.partition("/")
    client = stage.oci_client(oci.object_storage.ObjectStorageClient)
    # Unpickled here without scikit-learn: that it is a pickle of some size is enough.
    content: bytes = client.get_object(namespace, bucket, name).data.content
    assert content[:1] == pickle.PROTO
    assert len(content) > 500
    return content


def test_the_best_of_three_model_classes_is_trained_on_all_the_data(stage: Stage) -> None:
    stage.identity(logGroupId=stage.log_group())
    apply(stage, EXAMPLE)
    final = stage.until_ended("final", seconds=900)
    assert phase(final) == "Succeeded", final["status"]
    best = stage.get("OCIJobSweep", "search")["status"]["best"]
    scores = {
        run["spec"]["env"][-1]["value"]: float(run["status"]["results"]["auc"])
        for run in stage.all("OCIJobRun")
        if "auc" in run["status"].get("results", {})
    }
    assert set(scores) == {"logistic", "forest", "boosting"}
    assert float(best["value"]) == max(scores.values()) > 0.97
    assert final["status"]["results"] == {"model": best["parameters"]["MODEL"], "samples": "569"}
    assert model_of(stage, final)


@pytest.mark.breadth
def test_every_night_the_story_is_told_anew(stage: Stage) -> None:
    stage.identity(logGroupId=stage.log_group())
    apply(stage, EXAMPLE / "nightly", **{"schedule: 0 2 * * *": 'schedule: "@every 5s"'})
    ended = stage.until(
        "OCIJobSchedule",
        "model-selection",
        lambda document: "lastSuccessfulTime" in document.get("status", {}),
        seconds=900,
    )
    succeeded = {
        firing["scheduledTime"]
        for firing in ended["status"]["firings"]
        if firing["state"] == "Succeeded"
    }
    (trained, *_) = [
        run
        for run in stage.all("OCIJobRun")
        if run["metadata"]["name"].endswith("-final")
        and run["metadata"]["annotations"]["ocijobs.io/scheduled-time"] in succeeded
    ]
    assert model_of(stage, trained)
