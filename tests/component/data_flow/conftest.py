"""The operator's calls to Data Flow, against the local OCI, whose runs are simulated."""

import configparser
from collections.abc import Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs

import oci
import pytest
from tests.unit.cloud.scripted_oci import PRINCIPAL, Caller, make_caller

from oci_emulator.testing import Emulator
from ocijobs.api.job.machines.data_flow import ApplicationType, SparkLanguage
from ocijobs.backends.data_flow.requests import (
    ApplicationCode,
    ApplicationRequest,
    ApplicationRunRequest,
    ApplicationSettings,
    SparkMachine,
    SparkSettings,
)
from ocijobs.backends.job_record import JobRecord
from ocijobs.backends.records import Refusal, RunRecord
from ocijobs.backends.requests import Tags
from ocijobs.cloud.code_storage import CodeStorage
from ocijobs.cloud.data_flow import DataFlow

T = TypeVar("T")

BUCKET = "code"
SHAPE = "VM.Standard.E4.Flex"
MACHINE = SparkMachine(shape=SHAPE, ocpus=1, memory_in_gbs=16)
SPARK = SparkSettings(
    driver=MACHINE,
    executor=MACHINE,
    num_executors=2,
    configuration={"dataflow.auth": "resource_principal"},
    parameters={"day": "monday"},
    arguments=("--day", "${day}"),
)
LASTING: Mapping[str, Any] = {"inProgress": [1000, 1000]}
"""A plan of a run that does not end by itself while a test lasts."""


@dataclass(kw_only=True)
class Flow:
    """The local OCI, and the operator's way to it."""

    emulator: Emulator
    caller: Caller
    storage: Any
    client: Any

    @property
    def infrastructure(self) -> DataFlow:
        """What is tested."""
        return DataFlow(self.caller.calls, CodeStorage(self.caller.calls))

    def uri(self, name: str) -> str:
        """The address of an object, or of a folder."""
        return f"oci://{BUCKET}@{self.emulator.namespace}/{name}"

    def request(self, owner: str = "c/u/0", **changes: Any) -> ApplicationRequest:
        """An application that can be made."""
        request = ApplicationRequest(
            compartment_id=self.emulator.tenancy,
            type=ApplicationType.BATCH,
            settings=ApplicationSettings(
                display_name="team-a/count",
                description=None,
                tags=Tags(freeform={"ocijobs_owner": owner}, defined={}),
                code=ApplicationCode(
                    language=SparkLanguage.PYTHON,
                    spark_version="3.5.0",
                    file_uri=self.uri("main.py"),
                    class_name=None,
                    private_endpoint_id=None,
                ),
                spark=SPARK,
            ),
        )
        return replace(request, **changes)

    async def application(self, token: str, **changes: Any) -> JobRecord:
        """Make an application; it has the token as its owner."""
        request = self.request(token, **changes)
        return made(await self.infrastructure.create_job(PRINCIPAL, request, token))

    async def run(
        self,
        job_id: str,
        token: str,
        plan: Mapping[str, Any] = LASTING,
        spark: SparkSettings | None = None,
    ) -> RunRecord:
        """Make a run, which goes as the plan says; it has the token as its owner."""
        name = f"team-a/{token}"
        self.emulator.set_mode(plans=[{"match": {"displayName": name}, **plan}])
        request = ApplicationRunRequest(
            compartment_id=self.emulator.tenancy,
            job_id=job_id,
            display_name=name,
            tags=Tags(freeform={"ocijobs_owner": token}, defined={}),
            spark=spark,
        )
        return made(await self.infrastructure.create_run(PRINCIPAL, request, token))

    async def calls(self, work: Coroutine[Any, Any, T]) -> tuple[T, list[str]]:
        """Return what some work brings, and the calls that it makes, each as operation and status."""
        since = self.emulator.last_seq()
        answer = await work
        entries = self.emulator.journal(since=since)
        for entry in entries:
            if entry.operation.startswith("List") and entry.service == "dataflow":
                free = {"compartmentId", "limit", "page"}
                assert len(parse_qs(entry.query).keys() - free) <= 1
        # Runs read their code with the rights of the same user.
        ours = [entry for entry in entries if entry.operation != "GetObject"]
        return answer, [f"{entry.operation} {entry.status}" for entry in ours]


def made(answer: T | Refusal) -> T:
    """Return an answer that is no refusal."""
    assert not isinstance(answer, Refusal), answer
    return answer


@pytest.fixture(scope="session")
def local_oci(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """A local OCI for all tests: each makes what it needs of its own."""
    state = tmp_path_factory.mktemp("data-flow") / "state"
    with Emulator(
        state, mode="simulated", rules={"dataflow_list_filters": "one-parameter"}
    ) as started:
        config = oci.config.from_file(str(started.config))
        storage = oci.object_storage.ObjectStorageClient(config, service_endpoint=started.http)
        details = oci.object_storage.models.CreateBucketDetails(
            name=BUCKET, compartment_id=started.tenancy
        )
        storage.create_bucket(started.namespace, details)
        storage.put_object(started.namespace, BUCKET, "main.py", b"print(1)")
        yield started


@pytest.fixture
def flow(local_oci: Emulator) -> Iterator[Flow]:
    """The local OCI, with its rules as they are by default."""
    rules = local_oci.rules()
    config = oci.config.from_file(str(local_oci.config))
    with ThreadPoolExecutor(4) as threads:
        yield Flow(
            emulator=local_oci,
            caller=make_caller(local_oci.http, threads, key=_key(local_oci), oci_rate_max=1000),
            storage=oci.object_storage.ObjectStorageClient(config, service_endpoint=local_oci.http),
            client=oci.data_flow.DataFlowClient(config, service_endpoint=local_oci.http),
        )
    local_oci.set_rules(**rules)


def _key(emulator: Emulator) -> Mapping[str, bytes]:
    """Return the administrator's key as the data of a Secret."""
    parser = configparser.ConfigParser()
    parser.read(emulator.config)
    default = parser["DEFAULT"]
    return {
        "user": default["user"].encode(),
        "tenancy": default["tenancy"].encode(),
        "fingerprint": default["fingerprint"].encode(),
        "privatekey": Path(default["key_file"]).read_bytes(),
    }
