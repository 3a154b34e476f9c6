"""What a reading is. This module lies beside the code that is run, and is imported from there."""

from pyspark.sql import Column
from pyspark.sql.functions import col, when

SCHEMA = "station STRING, day DATE, hour INT, unit STRING, temperature DOUBLE, clouds DOUBLE, power DOUBLE"


def in_celsius(temperature: str, unit: str) -> Column:
    """Return the temperature of a reading in degrees Celsius."""
    return when(col(unit) == "F", (col(temperature) - 32) * 5 / 9).otherwise(col(temperature))
