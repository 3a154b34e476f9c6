"""Spark on this machine: an interpreter that has pyspark, and Oracle's HDFS connector.

Neither is a dependency of the emulator: pyspark has 300 megabytes. The connector comes from Maven
Central, with ``oci-emulator spark connector``; without it, ``oci://`` is no file system in a run.
"""

import asyncio
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from oci_emulator.running.environment import SYSTEM_PATH

_CONNECTOR = "com.oracle.oci.sdk:oci-hdfs-connector:3.3.4.1.4.2"
_POM = Path(__file__).with_name("connector") / "pom.xml"
_OF_SPARK = (
    "jackson-annotations",
    "jackson-core",
    "jackson-databind",
    "jackson-datatype",
    "slf4j",
    "commons-",
    "http",
)
"""Beginnings of names: Spark has its own, and can't do with others."""
_ASK = "import os, pyspark; print(os.path.dirname(pyspark.__file__))"


class SparkError(Exception):
    """Spark can't run here; the message says why, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spark:
    """Spark, as it was found.

    Attributes:
        python: the interpreter of drivers and executors.
        home: what SPARK_HOME is.
    """

    python: Path
    home: Path

    def program(self, name: str) -> str:
        """One of Spark's programs, such as spark-submit."""
        return str(self.home / "bin" / name)


async def find(python: Path) -> Spark:
    """The Spark of an interpreter.

    Raises:
        SparkError: it has none, or there is no Java.
    """
    if shutil.which("java", path=SYSTEM_PATH) is None:
        raise SparkError("there is no java in /usr/bin")
    try:
        process = await asyncio.create_subprocess_exec(
            *(str(python), "-c", _ASK),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError as error:
        raise SparkError(f"{python} can't be started: {error.strerror}") from None
    output, _ = await process.communicate()
    if process.returncode:
        raise SparkError(
            f"{python} has no pyspark: install oci-emulator[spark], or name a Python that has it"
            " with --spark or OCI_EMULATOR_SPARK"
        )
    return Spark(python=python, home=Path(output.decode().strip()))


def connector_directory(cache: Path) -> Path:
    """Where the connector is kept."""
    return cache / "hdfs-connector"


def connector(directory: Path) -> list[Path]:
    """The jars of the connector; none if it was not fetched."""
    return sorted(path for path in directory.glob("*.jar") if not path.name.startswith(_OF_SPARK))


def fetch_connector(directory: Path) -> list[Path]:
    """Fetch the connector and what it needs from Maven Central.

    Raises:
        SparkError: Maven isn't there, or can't get it.
    """
    if shutil.which("mvn") is None:
        raise SparkError("there is no mvn: install Maven")
    where = f"-DoutputDirectory={directory}"
    for goals in (
        ("--file", str(_POM), "dependency:copy-dependencies", "-DincludeScope=runtime", where),
        ("dependency:get", f"-Dartifact={_CONNECTOR}", "-Dtransitive=false"),
        ("dependency:copy", f"-Dartifact={_CONNECTOR}", where),
    ):
        done = subprocess.run(  # noqa: S603  # Maven, with goals of our own
            ["mvn", "--quiet", "--batch-mode", *goals],  # noqa: S607  # wherever it is
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SparkError(f"mvn failed: {done.stdout[-1000:]}")
    return connector(directory)
