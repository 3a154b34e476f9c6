"""Runs of Data Flow that really run: pyspark in local mode, with data in the emulator's Object Storage.

They need `make spark`: an environment with pyspark, and Oracle's HDFS connector. Without it, only what
is said of its lack is tested.
"""

import io
import os
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import oci
import pytest
from oci.data_flow import models
from tests.support.spark import PYTHON, needs_spark

from oci_emulator.testing import Emulator

WORD_COUNT = """
import os, sys
from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
source, target = sys.argv[1:]
words = spark.sparkContext.textFile(source).flatMap(str.split)
counts = words.map(lambda word: (word, 1)).reduceByKey(lambda a, b: a + b)
spark.createDataFrame(counts, ["word", "n"]).coalesce(1).write.parquet(target)
again = {row.word: row.n for row in spark.read.parquet(target).collect()}
print("counted", sorted(again.items()), os.environ["GREETING"], os.environ.get("LEAKED"))
"""
REGRESSION = """
import sys
from pyspark.ml.feature import VectorAssembler
from pyspark.ml.regression import LinearRegression
from pyspark.sql import SparkSession
import helper

spark = SparkSession.builder.getOrCreate()
data = spark.read.csv(sys.argv[1], header=True, inferSchema=True)
model = LinearRegression(labelCol="y").fit(
    VectorAssembler(inputCols=["x"], outputCol="features").transform(data))
print(helper.NAME, round(model.coefficients[0], 2), round(model.intercept, 2))
"""


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory, make_flow: Callable[..., Any]) -> Iterator[Any]:
    """Data Flow that really runs."""
    os.environ["LEAKED"] = "from the emulator's own environment"
    state = tmp_path_factory.mktemp("spark") / "state"
    with Emulator(state, mode="process", spark=PYTHON) as started:
        del os.environ["LEAKED"]
        yield make_flow(started, {"count.py": WORD_COUNT.encode(), "fit.py": REGRESSION.encode()})


def log(flow: Any, run: Any, name: str) -> str:
    return str(flow.client.get_run_log(run.id, name).data.text)


def stdout(flow: Any, run: Any) -> str:
    return log(flow, run, "spark_application_stdout.log.gz")


@pytest.mark.breadth
@needs_spark
def test_words_are_counted_in_object_storage(spark: Any) -> None:
    source = spark.put("words/a.txt", b"b a\nc a\n")
    target = spark.uri("counts")
    application = spark.application(
        file_uri=spark.uri("count.py"),
        arguments=["${source}", target],
        parameters=[models.ApplicationParameter(name="source", value=source)],
        configuration={"spark.driverEnv.GREETING": "hello"},
    )
    run = spark.ended(spark.start(application.id).id, seconds=300)
    assert run.lifecycle_state == "SUCCEEDED", log(spark, run, "spark_application_stderr.log.gz")
    assert stdout(spark, run) == "counted [('a', 2), ('b', 1), ('c', 1)] hello None\n"
    assert run.data_read_in_bytes > 0
    assert run.data_written_in_bytes > 0
    assert run.run_duration_in_milliseconds > 1000
    storage, namespace = spark.cloud.object_storage, spark.emulator.namespace
    listed = storage.list_objects(namespace, spark.BUCKET, prefix="counts/").data.objects
    assert "counts/_SUCCESS" in [each.name for each in listed]
    logs = {each.name: each for each in spark.client.list_run_logs(run.id).data}
    [driver] = [name for name in logs if name.startswith("spark_driver_stderr")]
    assert "SparkContext" in log(spark, run, driver)


@pytest.mark.breadth
@needs_spark
def test_a_model_is_fit_with_the_packages_of_an_archive(spark: Any) -> None:
    lines = ["x,y", *(f"{x},{3 * x + 1}" for x in range(20))]
    data = spark.put("points.csv", "\n".join(lines).encode())
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("python/lib/python3.11/site-packages/helper.py", "NAME = 'fit'")
    application = spark.application(
        file_uri=spark.uri("fit.py"),
        archive_uri=spark.put("archive.zip", content.getvalue()),
        arguments=[data],
    )
    run = spark.ended(spark.start(application.id).id, seconds=300)
    assert stdout(spark, run) == "fit 3.0 1.0\n"


@pytest.mark.breadth
@needs_spark
def test_a_failure_shows_the_traceback(spark: Any) -> None:
    uri = spark.put("bad.py", b"print('before'); raise ValueError('on purpose')")
    run = spark.ended(spark.start(spark.application(file_uri=uri).id).id, seconds=300)
    assert (run.lifecycle_state, run.lifecycle_details) == (
        "FAILED",
        "The Spark application failed with exit code 1.",
    )
    # Spark makes one stream of what its Python writes.
    lines = stdout(spark, run).splitlines()
    assert (lines[0], lines[-1]) == ("before", "ValueError: on purpose")


@pytest.mark.breadth
@needs_spark
def test_a_run_that_really_runs_is_canceled(spark: Any) -> None:
    uri = spark.put("forever.py", b"import signal; print('up', flush=True); signal.pause()")
    run = spark.start(spark.application(file_uri=uri).id)
    spark.ended(run.id, "IN_PROGRESS")
    spark.client.delete_run(run.id)
    ended = spark.ended(run.id)
    assert ended.lifecycle_state == "CANCELED"
    assert spark.emulator.run(run.id)["pids"] == []


@pytest.mark.breadth
@needs_spark
@pytest.mark.parametrize("auth", ["delegated", "resource_principal"])
def test_data_is_read_with_the_rights_of_the_run(spark: Any, auth: str) -> None:
    uri = spark.put(
        "read.py",
        b"import sys\nfrom pyspark.sql import SparkSession\n"
        b"print(SparkSession.builder.getOrCreate().read.text(sys.argv[1]).count())",
    )
    data = spark.put("data.txt", b"1\n2\n")
    configuration = {"dataflow.auth": auth} if auth == "resource_principal" else {}
    application = spark.application(file_uri=uri, arguments=[data], configuration=configuration)
    run = spark.ended(spark.start(application.id).id, seconds=300)
    if auth == "delegated":
        assert stdout(spark, run) == "2\n"
        return
    # No statement allows the run itself anything.
    assert run.lifecycle_state == "FAILED"
    assert "BmcException: Error returned by" in stdout(spark, run)
    policies = spark.emulator.policies()
    spark.emulator.set_policies(
        [
            *policies["statements"],
            "Allow dynamic-group spark to manage objects in tenancy",
            "Allow dynamic-group spark to read buckets in tenancy",
        ],
        {**policies["dynamicGroups"], "spark": "all {resource.type = 'dataflowrun'}"},
    )
    again = spark.ended(spark.start(application.id).id, seconds=300)
    assert stdout(spark, again) == "2\n"


@pytest.mark.breadth
@needs_spark
def test_a_run_is_lost_with_the_emulator(own_process: Any, make_flow: Any) -> None:
    cloud = own_process(mode="process", spark=PYTHON)
    flow = make_flow(cloud.emulator, {"main.py": b"print(1)"})
    uri = flow.put("forever.py", b"import signal; signal.pause()")
    run = flow.start(flow.application(file_uri=uri).id)
    flow.ended(run.id, "IN_PROGRESS")
    flow.emulator.kill()
    flow.emulator.start()
    ended = flow.ended(run.id)
    assert ended.lifecycle_state == "FAILED"
    assert "was lost" in ended.lifecycle_details


def test_without_pyspark_a_run_fails_and_says_so(
    own_process: Any, make_flow: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OCI_EMULATOR_SPARK", raising=False)
    flow = make_flow(own_process(mode="process").emulator, {"main.py": b"print(1)"})
    run = flow.ended(flow.start(flow.application().id).id)
    assert run.lifecycle_state == "FAILED"
    assert run.lifecycle_details.startswith("Spark can't run here: ")
    assert flow.client.list_run_logs(run.id).data == []


def test_sessions_do_not_really_run(own_flow: Any) -> None:
    flow = own_flow(mode="process")
    application = flow.application(type="SESSION", file_uri=None)
    run = flow.ended(flow.start(application.id).id)
    assert (run.lifecycle_state, run.lifecycle_details) == (
        "FAILED",
        "This emulator executes no sessions: they can be simulated.",
    )
    plan = {"emulator.plan": "{}"}
    simulated = flow.start(application.id, freeform_tags=plan)
    flow.ended(simulated.id, "IN_PROGRESS")
    code = oci.data_flow.models.CreateStatementDetails(code="1")
    assert flow.client.create_statement(code, simulated.id).data.id == 1
