"""Unmodified oci-cli and oracle-ads, in an environment of their own, against a real emulator."""

import json
import os
import re
import subprocess
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import oci
import pytest
from tests.support.patience import patience

from oci_emulator.testing import Emulator

HERE = Path(__file__).parent
ENVIRONMENT = HERE.parents[2] / ".clients"
NAMESPACE = "mytenancy"
_READS = {"GET", "HEAD"}
_SEARCHES = {"SearchLogs", "SummarizeMetricsData", "SearchResources"}
_CHANGING = (
    (re.compile(r"ocid1\.(\w+)\.oc1\.[\w-]*\.[a-z0-9]+"), r"<\1>"),
    (re.compile(r"\d{4}-\d\d-\d\d[T-]\d\d:\d\d[:.]\d\d[\d.:+Z]*"), "<time>"),
    (re.compile(r"/[^\s\"]*/pytest-[^\s\"/]*(/[^\s\"/]*)*/sources"), "<sources>"),
)

Way = Literal["proxy", "plain"]

each_way = pytest.mark.parametrize("client", ["proxy", "plain"], indirect=True)
"""For one life of a job by each client: a plain endpoint changes where requests go, whatever they are for."""


@dataclass(frozen=True)
class Finished:
    """A client that has ended."""

    code: int
    output: str
    errors: str

    @property
    def json(self) -> Any:
        """The JSON of its output; None without any."""
        assert self.code == 0, f"{self.output}\n{self.errors}"
        return json.loads(self.output) if self.output.strip() else None


@dataclass(frozen=True)
class Client:
    """Runs clients the one or the other way.

    ``proxy``: by the real host names, through the emulator's proxy. ``plain``: with the plain
    endpoint of the emulator for all services.
    """

    emulator: Emulator
    way: Way
    home: Path

    def run(self, program: str, arguments: Sequence[str], **variables: str) -> Finished:
        """Run a program of the clients' environment."""
        path = ENVIRONMENT / "bin" / program
        assert path.exists(), f"{path} is missing: make clients"
        finished = subprocess.run(
            [str(path), *arguments],
            env={**self._environment(), **variables},
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=patience(300),
            check=False,
        )
        return Finished(finished.returncode, finished.stdout, finished.stderr)

    def _environment(self) -> dict[str, str]:
        base = {
            "HOME": str(self.home),
            "PATH": f"{ENVIRONMENT}/bin:{os.environ['PATH']}",
            "LANG": "C.UTF-8",
            "OCI_CLI_SUPPRESS_FILE_PERMISSIONS_WARNING": "True",
        }
        if self.way == "plain":
            return {**base, "OCI_CLI_ENDPOINT": self.emulator.http}
        return self.emulator.environment(base)

    def cli(self, *arguments: str, **options: object) -> Finished:
        """Run oci-cli: ``job_id="x"`` is ``--job-id x``, and what is no text is JSON."""
        given = list(arguments)
        for name, value in options.items():
            given.append(f"--{name.replace('_', '-')}")
            if value is not True:
                given.append(value if isinstance(value, str) else json.dumps(value))
        return self.run("oci", given)


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """An emulator that keeps what clients send."""
    state = tmp_path_factory.mktemp("clients") / "state"
    with Emulator(state, places=4, namespace=NAMESPACE, journal_bodies=True) as started:
        config = oci.config.from_file(str(started.config))
        storage = oci.object_storage.ObjectStorageClient(config, service_endpoint=started.http)
        details = oci.object_storage.models.CreateBucketDetails(
            name="outputs", compartment_id=started.tenancy
        )
        storage.create_bucket(NAMESPACE, details)
        yield started


@pytest.fixture(scope="session")
def log_group(emulator: Emulator) -> str:
    """The OCID of a log group."""
    config = oci.config.from_file(str(emulator.config))
    logging = oci.logging.LoggingManagementClient(config, service_endpoint=emulator.http)
    details = oci.logging.models.CreateLogGroupDetails(
        compartment_id=emulator.tenancy, display_name=f"group_{uuid.uuid4().hex}"
    )
    request = logging.create_log_group(details).headers["opc-work-request-id"]
    done = oci.wait_until(
        logging,
        logging.get_work_request(request),
        "status",
        "SUCCEEDED",
        max_interval_seconds=0.05,
    )
    return str(done.data.resources[0].identifier)


@pytest.fixture
def client(request: pytest.FixtureRequest, emulator: Emulator, tmp_path: Path) -> Client:
    """Clients, by proxy unless a test says otherwise; they find the config file where everybody has it."""
    config = tmp_path / ".oci" / "config"
    config.parent.mkdir()
    config.symlink_to(emulator.config)
    return Client(emulator, getattr(request, "param", "proxy"), tmp_path)


@pytest.fixture
def golden(emulator: Emulator) -> Callable[[str], None]:
    """Compares what clients have sent since the test began with what they sent when it was kept.

    ``UPDATE_GOLDENS=1`` keeps it anew.
    """
    since = emulator.last_seq()

    def compare(name: str) -> None:
        sent = _sent(emulator, since)
        path = HERE / "goldens" / f"{name}.json"
        if os.environ.get("UPDATE_GOLDENS"):
            path.write_text(json.dumps(sent, indent=1, sort_keys=True) + "\n")
        assert sent == json.loads(path.read_text())

    return compare


def _sent(emulator: Emulator, since: int) -> Mapping[str, Any]:
    """The requests for changes in their order, and which reads there were."""
    entries = [
        entry
        for entry in emulator.journal(since=since, limit=1000)
        # Runs are clients too.
        if entry.principal == emulator.user
    ]
    changes = [
        {"operation": entry.operation, "query": entry.query, "body": _plain(entry.body)}
        for entry in entries
        if entry.method not in _READS and entry.operation not in _SEARCHES
    ]
    reads = {
        entry.operation
        for entry in entries
        if entry.method in _READS or entry.operation in _SEARCHES
    }
    return {"changes": changes, "reads": sorted(reads)}


def _plain(body: Any) -> Any:
    """A body without what is another each time."""
    text = json.dumps(body)
    for pattern, instead in _CHANGING:
        text = pattern.sub(instead, text)
    return json.loads(text)
