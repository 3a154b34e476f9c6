"""What a run needs before Spark is started for it: its directory, code, credentials and settings."""

import asyncio
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from oci_emulator.calls.principal import Principal
from oci_emulator.certificates import keys
from oci_emulator.principals.tokens import TokenService
from oci_emulator.running import archives, environment, spark
from oci_emulator.running.archives import ArchiveError
from oci_emulator.running.environment import Directories, Network
from oci_emulator.running.spark import Spark, SparkError
from oci_emulator.services.dataflow.checks import archives_of
from oci_emulator.services.dataflow.deadlines import maximum_minutes
from oci_emulator.services.dataflow.files import FileError, Files
from oci_emulator.services.dataflow.owned import RUN, owner_of
from oci_emulator.services.dataflow.settings import driver_variables
from oci_emulator.services.dataflow.totals import EVENTS
from oci_emulator.services.foundation import Foundation
from oci_emulator.state.resources import Resource

_ENDLESS_MINUTES = 30 * 24 * 60
_TOKEN_SPARE_SECONDS = 3600
_OWN = "dataflow."
"""Properties of Data Flow, which Spark doesn't know."""
_LOGGING = """\
rootLogger.level = info
rootLogger.appenderRef.file.ref = file
appender.file.type = File
appender.file.name = file
appender.file.fileName = {path}
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{{yy/MM/dd HH:mm:ss}} %p %c{{1}}: %m%n%ex
"""
_TO_FILE = 'errors="$1"; shift; exec "$@" 2>"$errors"'


class StagingError(Exception):
    """A run can't be started; the message is for its lifecycleDetails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """All that is needed to start Spark for a run."""

    command: list[str]
    directory: Path
    variables: dict[str, str] = field(repr=False)


class _Content(NamedTuple):
    """The content of an object, and the name of the file that it becomes."""

    path: Path
    name: str


class Staging:
    """Prepares runs.

    Args:
        python: the interpreter that should have pyspark.
        connector: where the jars of the HDFS connector are.
        directory: where the directories of runs are.
        endpoint: the URL of Object Storage.
    """

    def __init__(
        self,
        foundation: Foundation,
        *,
        files: Files,
        tokens: TokenService,
        python: Path,
        connector: Path,
        directory: Path,
        network: Network,
        endpoint: str,
    ) -> None:
        self._foundation = foundation
        self._files = files
        self._tokens = tokens
        self._python = python
        self._connector = connector
        self._directory = directory
        self._network = network
        self._endpoint = endpoint

    def directory_of(self, run_id: str) -> Path:
        """The directory of a run; it may not exist yet."""
        return self._directory / run_id.rpartition(".")[2]

    def logs_of(self, run_id: str) -> Path:
        """The directory of a run's logs: ``stdout``, ``stderr`` and ``driver``."""
        return self.directory_of(run_id) / "logs"

    def revoke(self, run_id: str) -> None:
        """Remove a run's credentials: its machines are gone."""
        shutil.rmtree(self._directories(run_id).principal, ignore_errors=True)

    async def stage(self, run: Resource) -> Staged:
        """Prepare a run to be started.

        Raises:
            StagingError: it can't be.
        """
        if run.body["type"] == "SESSION":
            raise StagingError("This emulator executes no sessions: they can be simulated.")
        try:
            found = await spark.find(self._python)
        except SparkError as error:
            raise StagingError(f"Spark can't run here: {error}.") from None
        try:
            code = self._content(run, "fileUri", run.body["fileUri"])
            extra = [self._content(run, "archiveUri", uri) for uri in archives_of(run.body)]
            return await asyncio.to_thread(self._stage, run, found, code, extra)
        except (FileError, ArchiveError) as error:
            raise StagingError(str(error)) from error

    def _content(self, run: Resource, name: str, uri: str) -> _Content:
        """A file of the application, if it can be read and has a name for a file here.

        Raises:
            FileError: it can't be read.
            StagingError: it can't be placed.
        """
        now = self._foundation.clock.now()
        path = self._files.content(owner_of(run), name, uri, now)
        file_name = PurePosixPath(uri).name
        if file_name == ".." or "\0" in file_name:
            raise StagingError(f"{name}: {uri} names no file.")
        return _Content(path, file_name)

    def _stage(
        self, run: Resource, found: Spark, content: _Content, extra: Sequence[_Content]
    ) -> Staged:
        directories = self._fresh(run.id)
        code = directories.home / content.name
        shutil.copyfile(content.path, code)
        for archive in extra:
            archives.unpack(archive.path, archive.name, directories.unpacked)
        self._issue_token(run, directories)
        logs = self.logs_of(run.id)
        command = ["/bin/sh", "-c", _TO_FILE, "sh", str(logs / "stderr")]
        command += self._submit(run, found, code, directories)
        return Staged(
            command=command,
            directory=directories.home,
            variables=environment.of_run(
                directories=directories,
                python=found.python,
                network=self._network,
                region=self._foundation.tenancy.region,
                service={
                    "SPARK_HOME": str(found.home),
                    "SPARK_LOCAL_IP": "127.0.0.1",
                    "SPARK_SUBMIT_OPTS": f"-Dlog4j2.configurationFile=file:{self._logging(run.id)}",
                    "PYSPARK_PYTHON": str(found.python),
                    "PYTHONPATH": ":".join(_packages(directories.unpacked)),
                    "PYTHONUNBUFFERED": "1",
                },
                user=driver_variables(run.body),
            ),
        )

    def _submit(
        self, run: Resource, found: Spark, code: Path, directories: Directories
    ) -> list[str]:
        """The command of Spark for a run; what the service sets comes last, and wins."""
        properties = {
            **{
                name: value
                for name, value in run.body.get("configuration", {}).items()
                if not name.startswith(_OWN)
            },
            **self._properties(run, directories),
        }
        options = [
            part for pair in properties.items() for part in ("--conf", f"{pair[0]}={pair[1]}")
        ]
        if run.body["language"] == "SQL":
            return [found.program("spark-sql"), *options, "-f", str(code)]
        jars = sorted(str(path) for path in directories.unpacked.glob("java/*.jar"))
        options += ["--jars", ",".join(jars)] if jars else []
        if "className" in run.body and run.body["language"] != "PYTHON":
            options += ["--class", run.body["className"]]
        return [found.program("spark-submit"), *options, str(code), *run.inner["arguments"]]

    def _properties(self, run: Resource, directories: Directories) -> Mapping[str, str]:
        base = self.directory_of(run.id)
        warehouse = run.body.get("warehouseBucketUri", f"file://{base}/warehouse")
        return {
            "spark.master": "local[2]",
            "spark.app.name": run.name,
            "spark.ui.enabled": "false",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.local.dir": str(directories.temporary),
            "spark.eventLog.enabled": "true",
            "spark.eventLog.dir": f"file://{base / EVENTS}",
            "spark.sql.warehouse.dir": warehouse,
            "spark.driver.extraClassPath": ":".join(map(str, spark.connector(self._connector))),
            "spark.hadoop.fs.oci.impl": "com.oracle.bmc.hdfs.BmcFilesystem",
            "spark.hadoop.fs.AbstractFileSystem.oci.impl": "com.oracle.bmc.hdfs.Bmc",
            "spark.hadoop.fs.oci.client.hostname": self._endpoint,
            "spark.hadoop.fs.oci.client.custom.authenticator": (
                "com.oracle.bmc.hdfs.auth.ResourcePrincipalsCustomAuthenticator"
            ),
        }

    def _directories(self, run_id: str) -> Directories:
        base = self.directory_of(run_id)
        return Directories(home=base / "home", temporary=base / "tmp", principal=base / "principal")

    def _fresh(self, run_id: str) -> Directories:
        """The directories of a run; an emulator that was killed may have left a part of them."""
        base = self.directory_of(run_id)
        shutil.rmtree(base, ignore_errors=True)
        directories = self._directories(run_id)
        directories.make()
        for directory in (base / EVENTS, self.logs_of(run_id)):
            directory.mkdir()
        return directories

    def _logging(self, run_id: str) -> Path:
        path = self.directory_of(run_id) / "log4j2.properties"
        path.write_text(_LOGGING.format(path=self.logs_of(run_id) / "driver"), encoding="utf-8")
        return path

    def _issue_token(self, run: Resource, directories: Directories) -> None:
        """Give the run its rights: those of its owner, or its own if it asks for them."""
        minutes = maximum_minutes(run) or _ENDLESS_MINUTES
        configuration = run.body.get("configuration", {})
        principal = owner_of(run)
        if configuration.get("dataflow.auth") == "resource_principal":
            principal = Principal(
                kind="resource",
                id=run.id,
                tenancy=self._foundation.tenancy.id,
                compartment=run.compartment,
                resource_type=RUN,
            )
        session = self._tokens.delegate(principal, minutes * 60 + _TOKEN_SPARE_SECONDS)
        keys.write_private(directories.token, session.token)
        keys.write_private(directories.key, session.private_key)


def _packages(unpacked: Path) -> list[str]:
    """Where the Python packages of an archive are: as Oracle's tool for archives puts them."""
    return [str(unpacked), *map(str, sorted(unpacked.glob("python/lib/python*/site-packages")))]
