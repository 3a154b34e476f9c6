"""Spark for the tests that really run it: what `make spark` has made."""

import os
from pathlib import Path

import pytest

_FOLDER = Path(__file__).parents[2] / ".spark"
PYTHON = Path(os.environ.get("OCI_EMULATOR_SPARK", _FOLDER / "bin" / "python"))
"""A Python that has pyspark."""

needs_spark = pytest.mark.skipif(not PYTHON.exists(), reason="`make spark` has not been run")
