"""Clean the readings of solar panels: those that came twice, meters that failed, degrees Fahrenheit."""

import json
import sys

from pyspark.sql import SparkSession
from readings import SCHEMA, in_celsius

source, target = sys.argv[1:]
spark = SparkSession.builder.getOrCreate()
raw = spark.read.csv(source, header=True, schema=SCHEMA)
good = (
    raw.dropDuplicates(["station", "day", "hour"])
    .where("power >= 0")
    .withColumn("temperature", in_celsius("temperature", "unit"))
    .drop("unit")
)

# A folder of its own for each run: nothing is overwritten, and others find it by this result.
table = f"{target}/{spark.sparkContext.applicationId}"
good.write.csv(table, header=True)
rows = spark.read.csv(table, header=True).count()
print(f"{rows} of {raw.count()} readings are good")
print(json.dumps({"ocijobs.io/results": {"table": table, "rows": rows}}))
