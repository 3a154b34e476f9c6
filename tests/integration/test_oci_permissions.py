"""The IAM statements of docs/identity.md: they are enough for the training example, and for Spark."""

import re
from pathlib import Path

import pytest
from tests.support import manifests
from tests.support.namespace import Document
from tests.support.spark import needs_spark
from tests.support.stage import Stage

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "training"
RUN = "train-classifier-200"


def _page() -> str:
    return (ROOT / "docs" / "identity.md").read_text()


def _documented(of: str) -> list[str]:
    found = re.search(rf"<!-- statements of {of} -->\n```\n(.*?)```", _page(), re.DOTALL)
    assert found is not None, of
    return [line.replace("compartment ml", "tenancy") for line in found[1].splitlines()]


@pytest.mark.real_runs
@pytest.mark.timeout(700)
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
    stage.apply(manifests.job(outputs=outputs), manifests.run())
    stage.emulator.wait_for(operation, status=404, principal=user.id)


SPARK_JOB = {
    "main.py": """
import sys
from pyspark.sql import SparkSession
from shapes import SIDES

spark = SparkSession.builder.getOrCreate()
target = sys.argv[1]
spark.createDataFrame(SIDES, ["shape", "sides"]).write.parquet(target)
print(spark.read.parquet(target).count(), "shapes")
""",
    "shapes.py": "SIDES = [('triangle', 3), ('square', 4)]\n",
}


def _spark_job(stage: Stage) -> Document:
    """Return a job with a module beside the code; it writes to the bucket `data`."""
    return manifests.spark_job(
        files=SPARK_JOB,
        code={"entrypoint": "main.py"},
        args=[f"oci://data@{stage.emulator.namespace}/shapes"],
    )


def _only(stage: Stage, *statements: str) -> str:
    """Make a tenancy with buckets for code and data, where these statements hold alone; return the user's OCID."""
    code = stage.bucket("spark-code")
    stage.bucket("data")
    user = stage.emulator.add_user("operator", groups=["job-operators"])
    rule = re.search(r"all \{resource.type = 'dataflowrun'.*\}", _page())
    assert rule is not None
    matching = rule[0].replace("ocid1.compartment.oc1..…", stage.emulator.tenancy)
    stage.emulator.set_policies(list(statements), {"spark-runs": matching})
    stage.identity(user.config, artifactBucketUri=code)
    return user.id


def _without(of: str, lacking: str) -> list[str]:
    statements = [each for each in _documented(of) if lacking not in each]
    assert len(statements) == len(_documented(of)) - 1
    return statements


@pytest.mark.real_spark
@pytest.mark.breadth
@needs_spark
def test_the_documented_statements_are_enough_for_spark(stage: Stage) -> None:
    user = _only(stage, *_documented("the user of Spark"), *_documented("the runs of Spark"))
    job = _spark_job(stage)
    stage.apply(job, manifests.run())
    status = stage.until_ended("run", seconds=300)["status"]
    assert status["phase"] == "Succeeded", status
    assert "2 shapes" in status["logs"]["tail"]
    job["spec"]["args"] = ["elsewhere"]
    stage.apply(job, manifests.run("cancelled"))
    stage.until_synced("job")
    stage.until("OCIJobRun", "cancelled", lambda run: "jobRunId" in run["status"])
    for kind, name in (("OCIJobRun", "run"), ("OCIJobRun", "cancelled"), ("OCIJob", "job")):
        stage.delete(kind, name)
        stage.until_gone(kind, name)
    asked = stage.emulator.journal(principal=user, limit=1000)
    assert {entry.status for entry in asked} == {200, 204}
    assert {entry.operation for entry in asked} >= {
        *("CreateApplication", "UpdateApplication", "DeleteApplication"),
        *("CreateRun", "DeleteRun", "ListRuns", "ListRunLogs", "GetRunLog"),
        *("PutObject", "ListObjects", "DeleteObject"),
    }


@pytest.mark.parametrize(
    ("lacking", "operation"),
    [
        ("dataflow-application", "CreateApplication"),
        ("dataflow-run", "CreateRun"),
        ("spark-code", "PutObject"),
    ],
)
def test_a_call_for_spark_is_refused_where_a_statement_lacks(
    stage: Stage, lacking: str, operation: str
) -> None:
    user = _only(stage, *_without("the user of Spark", lacking))
    stage.apply(_spark_job(stage), manifests.run())
    stage.emulator.wait_for(operation, status=404, principal=user)


@pytest.mark.real_spark
@pytest.mark.breadth
@needs_spark
@pytest.mark.parametrize("lacking", ["spark-code", "'data'"])
def test_a_run_of_spark_fails_where_a_statement_lacks(stage: Stage, lacking: str) -> None:
    _only(stage, *_documented("the user of Spark"), *_without("the runs of Spark", lacking))
    stage.apply(_spark_job(stage), manifests.run())
    status = stage.until_ended("run", seconds=300)["status"]
    assert status["phase"] == "Failed"
    told = "\n".join(status["logs"]["tail"])
    assert "Caused by: com.oracle.bmc.model.BmcException" in told
