"""The IAM statements of docs/identity.md: they are enough for the training example."""

import re
from pathlib import Path

import pytest
from tests.support import manifests
from tests.support.stage import Stage

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "training"
RUN = "train-classifier-200"


def _documented(of: str) -> list[str]:
    text = (ROOT / "docs" / "identity.md").read_text()
    found = re.search(rf"<!-- statements of {of} -->\n```\n(.*?)```", text, re.DOTALL)
    assert found is not None, of
    return [line.replace("compartment ml", "tenancy") for line in found[1].splitlines()]


@pytest.mark.real_runs
def test_the_documented_statements_are_enough_for_the_training_example(stage: Stage) -> None:
    bucket, group = stage.bucket("models"), stage.log_group()
    user = stage.emulator.add_user("operator", groups=["job-operators"])
    stage.emulator.set_policies([*_documented("the user"), *_documented("the runs")])
    stage.identity(user.config, logGroupId=group)
    job = (EXAMPLE / "job.yaml").read_text().replace("oci://models@mytenancy", bucket)
    stage.kubectl("apply", "-f", "-", stdin=f"{job}\n---\n{(EXAMPLE / 'run.yaml').read_text()}")
    status = stage.until_ended(RUN, seconds=600)["status"]
    assert status["phase"] == "Succeeded"
    assert set(status["results"]) == {"auc", "trees"}
    assert status["outputs"]["count"] == 2
    assert status["logs"]["tail"]
    used = stage.until("OCIJobRun", RUN, lambda document: "metrics" in document["status"])
    assert used["status"]["metrics"]["memoryUtilization"]["max"] > 0
    stage.delete("OCIJobRun", RUN)
    stage.until_gone("OCIJobRun", RUN)
    stage.delete("OCIJob", "train-classifier")
    stage.until_gone("OCIJob", "train-classifier")
    refused = {entry.operation for entry in stage.emulator.journal(status=404, limit=1000)}
    # Whether the artifact is there already is asked before it is uploaded.
    assert refused == {"HeadJobArtifact"}


@pytest.mark.parametrize(
    ("lacking", "operation"),
    [
        ("data-science-jobs", "CreateJob"),
        ("data-science-job-runs", "CreateJobRun"),
        ("log-content", "SearchLogs"),
        ("objects", "ListObjects"),
        ("metrics", "SummarizeMetricsData"),
    ],
)
def test_a_call_is_refused_where_a_statement_lacks(
    stage: Stage, lacking: str, operation: str
) -> None:
    statements = [each for each in _documented("the user") if f" {lacking} " not in each]
    assert len(statements) == len(_documented("the user")) - 1
    bucket, group = stage.bucket("models"), stage.log_group()
    user = stage.emulator.add_user("operator", groups=["job-operators"])
    stage.emulator.set_policies([*statements, *_documented("the runs")])
    stage.identity(user.config, logGroupId=group)
    outputs = {"uri": f"{bucket}/$(JOB_RUN_OCID)"}
    stage.kubectl_apply(manifests.job(outputs=outputs), manifests.run())
    stage.emulator.wait_for(operation, status=404, principal=user.id)
