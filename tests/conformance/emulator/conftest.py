"""The unmodified SDK against real emulator processes."""

import base64
import configparser
import hashlib
import http.client
import io
import json
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import oci
import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from oci.data_science import models

from oci_emulator.certificates import keys
from oci_emulator.testing import Emulator, EmulatorPool

NO_RETRY = oci.retry.NoneRetryStrategy()
SHAPE = "VM.Standard.E4.Flex"


@dataclass
class Cloud:
    """An emulator, and the SDK's clients for one of its users."""

    emulator: Emulator
    config_file: Path

    @cached_property
    def config(self) -> dict[str, Any]:
        config: dict[str, Any] = oci.config.from_file(str(self.config_file))
        return config

    def client(self, cls: Any) -> Any:
        return cls(self.config, service_endpoint=self.emulator.http, retry_strategy=NO_RETRY)

    @cached_property
    def data_science(self) -> Any:
        return self.client(oci.data_science.DataScienceClient)

    @cached_property
    def object_storage(self) -> Any:
        return self.client(oci.object_storage.ObjectStorageClient)

    @cached_property
    def logging(self) -> Any:
        return self.client(oci.logging.LoggingManagementClient)

    @cached_property
    def log_search(self) -> Any:
        return self.client(oci.loggingsearch.LogSearchClient)

    @cached_property
    def identity(self) -> Any:
        return self.client(oci.identity.IdentityClient)

    @cached_property
    def data_flow(self) -> Any:
        return self.client(oci.data_flow.DataFlowClient)

    @property
    def tenancy(self) -> str:
        return self.emulator.tenancy

    def job_details(self, **fields: Any) -> Any:
        """What a job needs, and what a test wants to be else."""
        environment = fields.pop("environment", {})
        arguments = fields.pop("arguments", None)
        minutes = fields.pop("minutes", None)
        defaults: dict[str, Any] = {
            "project_id": self.emulator.project,
            "compartment_id": self.tenancy,
            "display_name": "job",
            "job_configuration_details": models.DefaultJobConfigurationDetails(
                environment_variables=environment,
                command_line_arguments=arguments,
                maximum_runtime_in_minutes=minutes,
            ),
            "job_infrastructure_configuration_details": (
                models.ManagedEgressStandaloneJobInfrastructureConfigurationDetails(
                    shape_name=SHAPE,
                    block_storage_size_in_gbs=50,
                    job_shape_config_details=models.JobShapeConfigDetails(
                        ocpus=1, memory_in_gbs=16
                    ),
                )
            ),
        }
        return models.CreateJobDetails(**{**defaults, **fields})

    def job(self, artifact: bytes | None = b"", name: str = "main.py", **fields: Any) -> Any:
        """A job with its artifact; without one, if that is None."""
        job = self.data_science.create_job(self.job_details(**fields)).data
        if artifact is not None:
            self.upload(job.id, artifact, name)
        return job

    def upload(self, job_id: str, artifact: bytes, name: str = "main.py") -> Any:
        return self.data_science.create_job_artifact(
            job_id, artifact, content_disposition=f"attachment; filename={name}"
        )

    def upload_to(self, job_id: str) -> str:
        """The job of this OCID, with an artifact now."""
        self.upload(job_id, b"")
        return job_id

    def run_details(self, job_id: str, **fields: Any) -> Any:
        defaults = {
            "project_id": self.emulator.project,
            "compartment_id": self.tenancy,
            "job_id": job_id,
        }
        return models.CreateJobRunDetails(**{**defaults, **fields})

    def start(self, job_id: str, **fields: Any) -> Any:
        """A run of a job, just accepted."""
        return self.data_science.create_job_run(self.run_details(job_id, **fields)).data

    def ended(self, run_id: str, seconds: float = 120) -> Any:
        """The run when it is over."""
        self.emulator.wait_for_run(run_id, seconds=seconds)
        return self.data_science.get_job_run(run_id).data

    def log_group(self) -> str:
        """A fresh log group."""
        name = f"group_{datetime.now(UTC).timestamp():.6f}".replace(".", "_")
        details = oci.logging.models.CreateLogGroupDetails(
            compartment_id=self.tenancy, display_name=name
        )
        return self.worked(self.logging.create_log_group(details))

    def worked(self, response: Any) -> str:
        """What a work request of Logging made, once it SUCCEEDED."""
        identifier = response.headers["opc-work-request-id"]
        request = oci.wait_until(
            self.logging,
            self.logging.get_work_request(identifier),
            evaluate_response=lambda got: got.data.status in {"SUCCEEDED", "FAILED"},
            max_interval_seconds=0.05,
            max_wait_seconds=60,
        ).data
        assert request.status == "SUCCEEDED"
        return str(request.resources[0].identifier)

    def auto_log(self, group: str) -> Any:
        """A log configuration that has a log made for each run."""
        return models.JobLogConfigurationDetails(
            enable_logging=True, enable_auto_log_creation=True, log_group_id=group
        )

    def search(self, query: str, **fields: Any) -> list[dict[str, Any]]:
        """The rows that a search of the last hour finds."""
        now = datetime.now(UTC)
        details = oci.loggingsearch.models.SearchLogsDetails(
            **{
                "time_start": now - timedelta(hours=1),
                "time_end": now + timedelta(minutes=1),
                "search_query": query,
                **fields,
            }
        )
        found = self.log_search.search_logs(details, limit=1000).data
        return [result.data for result in found.results]

    def lines(self, run: Any) -> list[str]:
        """The output of a run, as its log has it, found as ADS finds it."""
        where = f"{run.compartment_id}/{run.log_details.log_group_id}/{run.log_details.log_id}"
        rows = self.search(
            f"SEARCH \"{where}\" | WHERE source = '*{run.id}' | SORT BY datetime ASC"
        )
        return [row["logContent"]["data"]["message"] for row in rows]


class Flow:
    """What tests of Data Flow need: a bucket with code, and the smallest that can be made of it."""

    BUCKET = "code"

    def __init__(self, cloud: Cloud, code: Mapping[str, bytes]) -> None:
        self.cloud = cloud
        self.client = cloud.data_flow
        self.emulator = cloud.emulator
        details = oci.object_storage.models.CreateBucketDetails(
            name=self.BUCKET, compartment_id=cloud.tenancy
        )
        cloud.object_storage.create_bucket(self.emulator.namespace, details)
        for name, content in code.items():
            self.put(name, content)

    def put(self, name: str, content: bytes) -> str:
        """An object of the bucket; its URI."""
        storage = self.cloud.object_storage
        storage.put_object(self.emulator.namespace, self.BUCKET, name, content)
        return self.uri(name)

    def uri(self, name: str) -> str:
        return f"oci://{self.BUCKET}@{self.emulator.namespace}/{name}"

    def details(self, **fields: Any) -> Any:
        """What an application needs, and what a test wants to be else."""
        defaults: dict[str, Any] = {
            "compartment_id": self.cloud.tenancy,
            "display_name": "application",
            "language": "PYTHON",
            "spark_version": "3.5.0",
            "file_uri": self.uri("main.py"),
            "driver_shape": "VM.Standard.E4.Flex",
            "executor_shape": "VM.Standard.E4.Flex",
            "num_executors": 2,
        }
        return oci.data_flow.models.CreateApplicationDetails(**{**defaults, **fields})

    def application(self, **fields: Any) -> Any:
        return self.client.create_application(self.details(**fields)).data

    def run_details(self, application_id: str | None, **fields: Any) -> Any:
        where = {"compartment_id": self.cloud.tenancy, "application_id": application_id}
        return oci.data_flow.models.CreateRunDetails(**{**where, **fields})

    def start(self, application_id: str | None, **fields: Any) -> Any:
        """A run, just accepted."""
        return self.client.create_run(self.run_details(application_id, **fields)).data

    def ended(self, run_id: str, state: str = "", seconds: float = 120) -> Any:
        """The run when it is over, or in a state."""
        self.emulator.wait_for_run(run_id, *[state] if state else [], seconds=seconds)
        return self.client.get_run(run_id).data

    def worked(self, response: Any) -> Any:
        """The work request behind a response, once it is over."""
        return oci.wait_until(
            self.client,
            self.client.get_work_request(response.headers["opc-work-request-id"]),
            evaluate_response=lambda got: got.data.status in {"SUCCEEDED", "FAILED"},
            max_interval_seconds=0.05,
            max_wait_seconds=60,
        ).data


class RawClient:
    """Signs by itself, so that it can do it wrongly."""

    def __init__(self, emulator: Emulator) -> None:
        parsed = configparser.ConfigParser()
        parsed.read(emulator.config)
        config = parsed["DEFAULT"]
        with open(config["key_file"]) as file:  # noqa: PTH123  # a path in a config file
            self.key = keys.load_private(file.read())
        self.key_id = f"{config['tenancy']}/{config['user']}/{config['fingerprint']}"
        self.host = urlsplit(emulator.http).netloc

    def headers(
        self, method: str, target: str, body: bytes, **changes: str | None
    ) -> dict[str, str]:
        """Signed headers; changes are made before signing."""
        headers: dict[str, str | None] = {
            "date": formatdate(time.time(), usegmt=True),
            "host": self.host,
        }
        if method in {"POST", "PUT"}:
            digest = hashlib.sha256(body).digest()
            headers |= {
                "content-length": str(len(body)),
                "content-type": "application/json",
                "x-content-sha256": base64.b64encode(digest).decode(),
            }
        headers |= {name.replace("_", "-"): value for name, value in changes.items()}
        kept = {name: value for name, value in headers.items() if value is not None}
        names = ["(request-target)", *kept]
        lines = [f"(request-target): {method.lower()} {target}"]
        lines += [f"{name}: {value}" for name, value in kept.items()]
        signed = self.key.sign("\n".join(lines).encode(), PKCS1v15(), SHA256())
        kept["authorization"] = (
            f'Signature version="1",algorithm="rsa-sha256",keyId="{self.key_id}",'
            f'headers="{" ".join(names)}",signature="{base64.b64encode(signed).decode()}"'
        )
        return kept

    def send(
        self, method: str, target: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[int, Any, http.client.HTTPMessage]:
        connection = http.client.HTTPConnection(self.host, timeout=30)
        try:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            content = answer.read()
            is_json = answer.headers.get_content_type() == "application/json"
            return (
                answer.status,
                json.loads(content) if content and is_json else None,
                answer.headers,
            )
        finally:
            connection.close()

    def call(
        self, method: str, target: str, body: object = None, **changes: str | None
    ) -> tuple[int, Any]:
        content = (
            body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        )
        headers = self.headers(method, target, content, **changes)
        status, document, _ = self.send(method, target, content, headers)
        return status, document


@pytest.fixture(scope="session")
def raw_client() -> type[RawClient]:
    """Makes clients that sign by themselves."""
    return RawClient


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """An emulator that really runs jobs; for tests that change nothing of it for others."""
    with Emulator(tmp_path_factory.mktemp("emulator") / "state", places=4) as started:
        yield started


@pytest.fixture(scope="session")
def cloud(emulator: Emulator) -> Cloud:
    """Its administrator's clients."""
    return Cloud(emulator, emulator.config)


@pytest.fixture(scope="session")
def log_group(cloud: Cloud) -> str:
    """A log group that all tests may log to."""
    return cloud.log_group()


@pytest.fixture(scope="session")
def flow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flow]:
    """Data Flow with simulated runs; for tests that change nothing of it for others."""
    state = tmp_path_factory.mktemp("flow") / "state"
    with Emulator(state, mode="simulated") as started:
        yield Flow(Cloud(started, started.config), {"main.py": b"print(1)"})


@pytest.fixture(scope="session")
def make_flow() -> Callable[[Emulator, Mapping[str, bytes]], Flow]:
    """Makes Data Flow of an emulator, with code in a bucket."""
    return lambda started, code: Flow(Cloud(started, started.config), code)


@pytest.fixture(scope="session")
def emulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorPool]:
    """Emulators that tests have for themselves, one after the other."""
    with EmulatorPool(tmp_path_factory.mktemp("emulators")) as pool:
        yield pool


@pytest.fixture
def own(emulators: EmulatorPool) -> Iterator[Callable[..., Cloud]]:
    """Makes clouds that a test has for itself, with the options of a reset."""
    with ExitStack() as taken:

        def make(**options: Any) -> Cloud:
            emulator = taken.enter_context(emulators.take(**options))
            return Cloud(emulator, emulator.config)

        yield make


@pytest.fixture
def own_process(tmp_path: Path) -> Iterator[Callable[..., Cloud]]:
    """Makes clouds in processes that a test has for itself, with the options of an emulator."""
    with ExitStack() as started:

        def make(**options: Any) -> Cloud:
            state = tmp_path / "states" / uuid.uuid4().hex
            emulator = started.enter_context(Emulator(state, **options))
            return Cloud(emulator, emulator.config)

        yield make


@pytest.fixture
def own_flow(own: Callable[..., Cloud]) -> Callable[..., Flow]:
    """Makes Data Flow that a test has for itself, with the options of a reset."""

    def make(**options: Any) -> Flow:
        return Flow(own(**{"mode": "simulated", **options}), {"main.py": b"print(1)"})

    return make


def zip_of(files: Mapping[str, str]) -> bytes:
    """A zip archive of these files."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return content.getvalue()


@pytest.fixture(scope="session")
def zipped() -> Callable[[Mapping[str, str]], bytes]:
    """Makes zip archives."""
    return zip_of
