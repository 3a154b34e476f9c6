"""Spark that really runs, from `kubectl apply` to what is in status: pyspark, with data in Object Storage."""

import subprocess
from pathlib import Path

import pytest
from tests.support import manifests
from tests.support.namespace import Document
from tests.support.spark import PYTHON, needs_spark
from tests.support.stage import Stage

pytestmark = [pytest.mark.real_spark, pytest.mark.breadth, pytest.mark.timeout(700), needs_spark]

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
    spark.apply(
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


COUNT = """
import org.apache.spark.sql.SparkSession;
public class Count {
    public static void main(String[] arguments) {
        SparkSession spark = SparkSession.builder().getOrCreate();
        System.out.println("counted " + spark.range(Long.parseLong(arguments[0])).count());
    }
}
"""


def _jar(folder: Path) -> bytes:
    """Return a jar with the class Count, compiled against the Spark that runs it."""
    (folder / "Count.java").write_text(COUNT)
    jars = next((PYTHON.parent.parent / "lib").glob("python*")) / "site-packages/pyspark/jars"
    subprocess.run(
        ["javac", "--class-path", f"{jars}/*", "-d", str(folder), str(folder / "Count.java")],
        check=True,
    )
    subprocess.run(["jar", "cf", "count.jar", "Count.class"], cwd=folder, check=True)
    return (folder / "count.jar").read_bytes()


def test_a_jar_and_statements_of_sql_run(spark: Stage, tmp_path: Path) -> None:
    code = spark.bucket("jars")
    spark.put(f"{code}/count.jar", _jar(tmp_path))
    spark.apply(
        manifests.spark_job(
            "jar",
            machines={"language": "JAVA"},
            code={
                "className": "Count",
                "source": {"objectStorage": {"uri": f"{code}/count.jar"}},
            },
            args=["1000"],
        ),
        manifests.spark_job(
            "sql",
            machines={"language": "SQL"},
            files={"report.sql": "SELECT 'rows', count(*) FROM range(7);\n"},
        ),
        manifests.run("jar", of="jar"),
        manifests.run("sql", of="sql"),
    )
    for name, line in (("jar", "counted 1000"), ("sql", "rows\t7")):
        status = _ended(spark, name)
        assert status["phase"] == "Succeeded", status
        assert line in status["logs"]["tail"]


def test_a_failure_shows_the_traceback_of_python(spark: Stage) -> None:
    data = spark.bucket("data")
    spark.put(f"{data}/words/a.txt", "b a\nc a\n")
    broken = WORD_COUNT.replace("line.split()", "").replace("flatMap(split)", "flatMap(spilt)")
    spark.apply(
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


def _ended(stage: Stage, name: str) -> Document:
    status: Document = stage.until_ended(name, seconds=600)["status"]
    return status
