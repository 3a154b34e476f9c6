"""Spark that really runs, from `kubectl apply` to what is in status: pyspark, with data in Object Storage."""

import pytest
from tests.support import manifests
from tests.support.namespace import Document
from tests.support.spark import needs_spark
from tests.support.stage import Stage

pytestmark = [pytest.mark.real_spark, pytest.mark.slow, needs_spark]

WORD_COUNT = """
import json, os, sys
from pyspark.sql import SparkSession
from words import split

spark = SparkSession.builder.getOrCreate()
source, target = sys.argv[1:]
words = spark.sparkContext.textFile(source).flatMap(split)
counts = words.map(lambda word: (word, 1)).reduceByKey(lambda a, b: a + b)
spark.createDataFrame(counts, ["word", "n"]).coalesce(1).write.parquet(target)
again = {row.word: row.n for row in spark.read.parquet(target).collect()}
print(os.environ["GREETING"], sorted(again.items()))
print(json.dumps({"ocijobs.io/results": {"words": sum(again.values()), "most": max(again, key=again.get)}}))
"""
WORDS = "def split(line):\n    return line.split()\n"

REGRESSION = """
import json, sys
from pyspark.ml.feature import VectorAssembler
from pyspark.ml.regression import LinearRegression
from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
data = spark.read.csv(sys.argv[1], header=True, inferSchema=True)
rows = VectorAssembler(inputCols=["x"], outputCol="features").transform(data)
model = LinearRegression(labelCol="y").fit(rows)
model.write().overwrite().save(sys.argv[2])
print(json.dumps({"ocijobs.io/results": {
    "slope": round(model.coefficients[0], 2), "intercept": round(model.intercept, 2)}}))
"""


@pytest.fixture
def spark(stage: Stage) -> Stage:
    """A stage with buckets for code and data, which runs may use."""
    stage.identity(artifactBucketUri=stage.bucket("code"))
    policies = stage.emulator.policies()
    stage.emulator.set_policies(
        [
            *policies["statements"],
            "Allow dynamic-group spark to manage objects in tenancy",
            "Allow dynamic-group spark to read buckets in tenancy",
        ],
        {**policies["dynamicGroups"], "spark": "all {resource.type = 'dataflowrun'}"},
    )
    return stage


def test_words_are_counted_and_a_model_is_fitted(spark: Stage) -> None:
    data = spark.bucket("data")
    spark.put(f"{data}/words/a.txt", "b a\nc a\n")
    spark.put(f"{data}/points.csv", "x,y\n" + "".join(f"{x},{3 * x + 1}\n" for x in range(20)))
    spark.kubectl_apply(
        manifests.spark_job(
            "count-words",
            files={"main.py": WORD_COUNT, "words.py": WORDS},
            code={"entrypoint": "main.py"},
            env=[{"name": "GREETING", "value": "hello"}],
            args=[f"{data}/words/", f"{data}/counts"],
            results=["words", "most"],
        ),
        manifests.spark_job(
            "fit",
            files={"main.py": REGRESSION},
            args=[f"{data}/points.csv", f"{data}/model"],
            results=["slope", "intercept"],
        ),
        manifests.run("count", of="count-words"),
        manifests.run("fit", of="fit", dependsOn=[{"kind": "OCIJobRun", "name": "count"}]),
    )
    counted = _ended(spark, "count")
    assert counted["phase"] == "Succeeded", counted
    assert counted["results"] == {"words": "4", "most": "a"}
    assert "hello [('a', 2), ('b', 1), ('c', 1)]" in counted["logs"]["tail"]
    metrics = counted["metrics"]
    assert metrics["dataReadInBytes"] > 0
    assert metrics["dataWrittenInBytes"] > 0
    assert metrics["runDurationInMilliseconds"] > 0
    fitted = _ended(spark, "fit")
    assert fitted["phase"] == "Succeeded", fitted
    assert fitted["results"] == {"slope": "3.0", "intercept": "1.0"}
    assert any(name.startswith("model/") for name in spark.objects_in("data"))


def test_a_failure_shows_the_traceback_of_python(spark: Stage) -> None:
    data = spark.bucket("data")
    spark.put(f"{data}/words/a.txt", "b a\nc a\n")
    broken = WORD_COUNT.replace("line.split()", "").replace("flatMap(split)", "flatMap(spilt)")
    spark.kubectl_apply(
        manifests.spark_job(
            files={"main.py": broken, "words.py": WORDS},
            code={"entrypoint": "main.py"},
            args=[f"{data}/words/", f"{data}/counts"],
        ),
        manifests.run(),
    )
    status = _ended(spark, "run")
    assert status["phase"] == "Failed"
    assert "exitCode" not in status
    tail = status["logs"]["tail"]
    assert "Traceback (most recent call last):" in tail
    assert "NameError: name 'spilt' is not defined" in "\n".join(tail)


PREPARE = """
import sys
from pyspark.sql import SparkSession
from pyspark.sql.functions import col

spark = SparkSession.builder.getOrCreate()
raw = spark.read.csv(sys.argv[1], header=True, inferSchema=True)
clean = raw.filter(col("y") >= 0).dropDuplicates(["x"]).orderBy("x")
clean.coalesce(1).write.csv(sys.argv[2], header=True)
print(clean.count(), "rows are left")
"""

TRAIN = """
import csv, io, json, os
import oci

signer = oci.auth.signers.get_resource_principals_signer()
storage = oci.object_storage.ObjectStorageClient({"region": signer.region}, signer=signer)
namespace, bucket, prefix = os.environ["NAMESPACE"], os.environ["BUCKET"], "clean/"
names = [o.name for o in storage.list_objects(namespace, bucket, prefix=prefix).data.objects]
(name,) = [name for name in names if name.endswith(".csv")]
rows = list(csv.DictReader(io.StringIO(storage.get_object(namespace, bucket, name).data.text)))
slope = float(os.environ["SLOPE"])
error = sum((slope * float(row["x"]) + 1 - float(row["y"])) ** 2 for row in rows) / len(rows)
print(json.dumps({"ocijobs.io/results": {"error": error}}))
"""


def test_data_flow_prepares_what_a_sweep_of_data_science_trains_on(spark: Stage) -> None:
    data = spark.bucket("data")
    points = "".join(f"{x},{3 * x + 1}\n" for x in [*range(20), *range(20)])
    spark.put(f"{data}/raw.csv", f"x,y\n{points}-5,-14\n")
    conda = {"type": "service", "slug": "generalml_p311_cpu_x86_64_v1"}
    spark.kubectl_apply(
        manifests.spark_job(
            "prepare", files={"main.py": PREPARE}, args=[f"{data}/raw.csv", f"{data}/clean"]
        ),
        manifests.job(
            "train",
            runtime={"script": {"source": {"inline": {"main.py": TRAIN}}, "conda": conda}},
            infrastructure={
                "dataScienceJob": {
                    "shapeName": "VM.Standard2.1",
                    "logging": {"logGroupId": spark.log_group()},
                }
            },
            env=[
                {"name": "NAMESPACE", "value": spark.emulator.namespace},
                {"name": "BUCKET", "value": "data"},
            ],
            results=["error"],
        ),
        manifests.run("prepared", of="prepare"),
        manifests.sweep(
            of="train",
            matrix={"SLOPE": ["1", "2", "3"]},
            objective={"result": "error", "goal": "Minimize"},
            dependsOn=[{"kind": "OCIJobRun", "name": "prepared"}],
        ),
    )
    assert _ended(spark, "prepared")["phase"] == "Succeeded"
    sweep = spark.until(
        "OCIJobSweep",
        "sweep",
        lambda one: one["status"].get("phase") in {"Succeeded", "Failed"},
        seconds=600,
    )
    assert sweep["status"]["phase"] == "Succeeded"
    best = sweep["status"]["best"]
    assert (best["parameters"], best["value"]) == ({"SLOPE": "3"}, "0.0")


def _ended(stage: Stage, name: str) -> Document:
    status: Document = stage.until_ended(name, seconds=600)["status"]
    return status
