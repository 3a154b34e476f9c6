"""A reset: an emulator that was used is as one that never was, for clients that know it already."""

import json
import os
import random
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import oci
import pytest
import requests
from oci.exceptions import ServiceError

from oci_emulator.certificates import keys
from oci_emulator.schema import catalogue
from oci_emulator.schema.catalogue import Operation
from oci_emulator.schema.routing import parameters
from oci_emulator.serving import coverage
from oci_emulator.testing import Emulator, EmulatorError, EmulatorPool

SLEEPER = b"import signal; signal.pause()"
STUBBORN = b"""
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
print("deaf", flush=True)
signal.pause()
"""
COPIES_ITS_CREDENTIALS = b"""
import os, shutil, signal
for name in ("RPST", "PRIVATE_PEM"):
    target = os.path.join(os.environ["TARGET"], name)
    shutil.copy(os.environ[f"OCI_RESOURCE_PRINCIPAL_{name}"], target)
print("copied", flush=True)
signal.pause()
"""
LISTS = [
    operation
    for name, working in coverage.working().items()
    for operation in catalogue.service(name).operations.values()
    if operation.name in working
    and operation.name.startswith("List")
    and {*parameters(operation.path)} <= {"namespaceName"}
    and {parameter.name for parameter in operation.query if parameter.required}
    <= {"compartmentId", "availabilityDomain"}
]
CHANGES = re.compile(
    # Times, etags and request ids are new for each emulator.
    r"\d{4}-\d\d-\d\dT[\d:.+]+Z?|\d{9,}\.\d+|[0-9a-f]{32}|[0-9a-f-]{36}"
)


def shown(raw: Any, emulator: Emulator, operation: Operation) -> str:
    """What a list shows, and its status."""
    path = operation.path.replace("{namespaceName}", emulator.namespace)
    required = {parameter.name for parameter in operation.query if parameter.required}
    query = f"?compartmentId={emulator.tenancy}" if "compartmentId" in required else ""
    status, document = raw.call(operation.method, f"{path}{query}")
    return f"{status} {json.dumps(document, sort_keys=True)}"


def tables(emulator: Emulator) -> dict[str, list[str]]:
    """All rows of its database, but for what differs between any two emulators."""
    with closing(sqlite3.connect(f"file:{emulator.state}/state.db?mode=ro", uri=True)) as database:
        names = [
            name
            for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        return {
            name: sorted(
                CHANGES.sub("…", repr(row))
                for row in database.execute(f"SELECT * FROM {name}")  # noqa: S608  # its own tables
            )
            for name in names
        }


def files(emulator: Emulator) -> dict[str, int]:
    """Its files, with their permissions."""
    return {
        str(path.relative_to(emulator.state)): path.stat().st_mode
        for path in emulator.state.rglob("*")
    }


def picture(emulator: Emulator, raw: Any) -> dict[str, Any]:
    """All that can be seen of an emulator, from all sides; it leaves the same traces each time."""
    overview = emulator.control("GET", "overview")
    clock = emulator.control("GET", "clock")
    whole = {
        "tables": tables(emulator),
        "files": files(emulator),
        "journal": (emulator.journal(), emulator.counts(), emulator.last_seq()),
        "overview": {
            name: overview[name] for name in overview.keys() - {"now", "seconds", "version"}
        },
        "faults": emulator.control("GET", "faults"),
        "mode": emulator.control("GET", "mode"),
        "rate": clock["rate"],
        "rules": emulator.rules(),
        "policies": emulator.policies(),
        "lists": {
            f"{operation.service}.{operation.name}": CHANGES.sub(
                "…", shown(raw, emulator, operation)
            )
            for operation in LISTS
        },
        "config": emulator.config.read_text(),
        "key": Path(oci.config.from_file(str(emulator.config))["key_file"]).read_text(),
    }
    assert len(LISTS) > 15
    return whole


def said(cloud: Any, code: bytes, line: str, **environment: str) -> str:
    """A run that has said something and goes on."""
    job = cloud.job(
        code,
        environment=environment,
        job_log_configuration_details=cloud.auto_log(cloud.log_group()),
    )
    run = cloud.start(job.id)
    cloud.emulator.wait_for_run(run.id, "IN_PROGRESS")
    oci.wait_until(
        cloud.data_science,
        cloud.data_science.get_job_run(run.id),
        evaluate_response=lambda response: cloud.lines(response.data) == [line],
        max_interval_seconds=0.05,
        max_wait_seconds=60,
    )
    return str(run.id)


# What is done to it


def runs(cloud: Any) -> None:
    job = cloud.job(SLEEPER, job_log_configuration_details=cloud.auto_log(cloud.log_group()))
    for run in [cloud.start(job.id) for _ in range(2)]:
        cloud.emulator.wait_for_run(run.id, "IN_PROGRESS")


def waits(cloud: Any) -> None:
    cloud.start(cloud.job(SLEEPER).id)


def cancels(cloud: Any) -> None:
    run = said(cloud, STUBBORN, "deaf")
    cloud.data_science.cancel_job_run(run)


def simulates(cloud: Any) -> None:
    plan = {"emulator.plan": json.dumps({"mode": "simulated", "inProgress": 5, "output": ["x"]})}
    details = cloud.run_details(cloud.job().id, freeform_tags=plan)
    cloud.data_science.create_job_run(details, opc_retry_token="token")


def stores(cloud: Any) -> None:
    storage, namespace = cloud.object_storage, cloud.emulator.namespace
    details = oci.object_storage.models.CreateBucketDetails(
        name="bucket", compartment_id=cloud.tenancy
    )
    storage.create_bucket(namespace, details)
    storage.put_object(namespace, "bucket", "object", b"content")
    upload = oci.object_storage.models.CreateMultipartUploadDetails(object="large")
    identifier = storage.create_multipart_upload(namespace, "bucket", upload).data.upload_id
    storage.upload_part(namespace, "bucket", "large", identifier, 1, b"part")


def flows(cloud: Any, make_flow: Callable[..., Any]) -> None:
    flow = make_flow(cloud.emulator, {"main.py": b"print(1)"})
    plan = {"emulator.plan": json.dumps({"mode": "simulated", "inProgress": 5})}
    flow.start(flow.application().id, freeform_tags=plan)


def administers(cloud: Any) -> None:
    emulator = cloud.emulator
    emulator.add_user("bob")
    emulator.add_compartment("ocid1.compartment.oc1..mine")
    emulator.add_secret("password", "secret")
    emulator.add_file_system("10.0.0.1", "/data")
    key = keys.jwk(keys.generate().public_key(), "k")
    emulator.add_cluster("ocid1.cluster.oc1..c", {"keys": [key | {"alg": "RS256", "use": "sig"}]})
    bearer = {"authorization": "Bearer Oracle"}
    metadata = requests.get(f"{emulator.http}/opc/v2/instance/id", headers=bearer, timeout=10)
    assert metadata.status_code == 200


def conducts(cloud: Any) -> None:
    emulator = cloud.emulator
    emulator.advance(3 * 86400)
    emulator.set_rate(2)
    emulator.set_rules(oracle_tags=False, default_page_size=7)
    emulator.set_mode(profile="realistic", plans=[{"match": {"displayName": "a"}, "accepted": 1}])
    emulator.set_policies(["Allow group Administrators to manage all-resources in tenancy"])


def breaks(cloud: Any) -> None:
    cloud.emulator.add_fault("ListProjects", status=500, count=3)
    with pytest.raises(ServiceError):
        cloud.data_science.list_projects(cloud.tenancy)


@pytest.fixture
def cloud(own_process: Callable[..., Any]) -> Any:
    return own_process(places=3, rules={"cancel_grace_seconds": 600})


@pytest.mark.parametrize("seed", range(3))
def test_after_a_reset_nothing_tells_it_from_a_fresh_one(
    cloud: Any, raw_client: Any, make_flow: Callable[..., Any], seed: int
) -> None:
    emulator = cloud.emulator
    raw = raw_client(emulator)
    fresh = picture(emulator, raw)
    actions: list[Callable[[Any], None]] = [
        runs,
        cancels,
        simulates,
        stores,
        lambda cloud: flows(cloud, make_flow),
        administers,
        breaks,
    ]
    random.Random(seed).shuffle(actions)  # noqa: S311  # repeatable, not secret
    for action in [*actions, waits, conducts]:
        action(cloud)
    pids = [
        pid
        for run in cloud.data_science.list_job_runs(cloud.tenancy).data
        for pid in emulator.run(run.id)["pids"]
    ]
    assert len(pids) == 3
    emulator.reset()
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert abs(emulator.now() - time.time()) < 3600
    assert picture(emulator, raw) == fresh
    # What was due in its former life is due no more.
    emulator.set_rate(1000)
    emulator.advance(30 * 86400)
    emulator.reset()
    assert picture(emulator, raw) == fresh
    assert "Traceback" not in emulator.log.read_text()
    assert "ERROR" not in emulator.log.read_text()


# Clients that know it


def test_clients_that_were_configured_before_go_on(cloud: Any) -> None:
    emulator = cloud.emulator
    announced = {
        name: getattr(emulator, name)
        for name in ("http", "proxy", "ca", "config", "tenancy", "user", "project", "namespace")
    }
    session = requests.Session()
    session.trust_env = False
    session.proxies = {"https": emulator.proxy}
    session.verify = str(emulator.ca)
    url = "https://iaas.us-ashburn-1.oraclecloud.com/20160918/instances"
    assert session.get(url, timeout=10).status_code in {401, 404}
    job = cloud.job()
    emulator.reset()
    assert announced == {name: getattr(emulator, name) for name in announced}
    with pytest.raises(ServiceError):
        cloud.data_science.get_job(job.id)
    assert cloud.job().project_id == announced["project"]
    assert session.get(url, timeout=10).status_code in {401, 404}
    emulator.kill()
    emulator.start()
    assert announced == {name: getattr(emulator, name) for name in announced}


def test_the_credentials_of_a_run_end_with_it(cloud: Any, tmp_path: Path) -> None:
    emulator = cloud.emulator
    said(cloud, COPIES_ITS_CREDENTIALS, "copied", TARGET=str(tmp_path))
    signer = oci.auth.signers.SecurityTokenSigner(
        (tmp_path / "RPST").read_text(),
        keys.load_private((tmp_path / "PRIVATE_PEM").read_text()),
    )
    client = oci.data_science.DataScienceClient(
        {"region": emulator.region}, signer=signer, service_endpoint=emulator.http
    )
    assert client.list_job_runs(cloud.tenancy).status == 200
    emulator.reset()
    with pytest.raises(ServiceError) as caught:
        client.list_job_runs(cloud.tenancy)
    assert caught.value.status == 401


def test_requests_without_an_answer_are_cut_off(cloud: Any) -> None:
    emulator = cloud.emulator
    emulator.add_fault("ListJobs", delay=600)
    failures: list[Exception] = []

    def ask(question: Callable[[], object]) -> None:
        try:
            question()
        except Exception as error:  # noqa: BLE001  # it is looked at below
            failures.append(error)

    questions: list[Callable[[], object]] = [
        lambda: cloud.data_science.list_jobs(cloud.tenancy),
        lambda: emulator.control("GET", "journal?operation=DeleteJob&wait=600"),
        lambda: emulator.control("GET", "overview?wait=600&since=0"),
    ]
    waiting = [threading.Thread(target=ask, args=(question,)) for question in questions]
    for thread in waiting:
        thread.start()
    emulator.wait_for_faults()
    emulator.reset()
    for thread in waiting:
        thread.join(60)
        assert not thread.is_alive()
    assert emulator.journal() == []
    assert cloud.data_science.list_jobs(cloud.tenancy).data == []
    assert failures
    assert {type(error).__name__ for error in failures} <= {
        "ConnectTimeout",
        "RemoteDisconnected",
        "RequestException",
        "URLError",
    }


def test_resets_at_the_same_time_come_one_after_the_other(cloud: Any) -> None:
    emulator = cloud.emulator
    threads = [threading.Thread(target=emulator.reset) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert cloud.job(None).lifecycle_state == "CREATING"
    assert "Traceback" not in emulator.log.read_text()


# Options


def test_a_reset_takes_options_and_forgets_those_of_the_last(
    own_process: Callable[..., Any],
) -> None:
    emulator = own_process(mode="simulated", rules={"default_page_size": 7}).emulator
    first = emulator.namespace
    emulator.reset(
        mode="process",
        profile="realistic",
        rules={"oracle_tags": False},
        places=1,
        namespace="mine",
        journal_bodies=True,
    )
    mode = emulator.control("GET", "mode")
    assert (mode["mode"], mode["profile"], emulator.namespace) == ("process", "realistic", "mine")
    rules = emulator.rules()
    assert (rules["oracle_tags"], rules["default_page_size"]) == (False, 7)
    emulator.reset()
    mode = emulator.control("GET", "mode")
    assert (mode["mode"], mode["profile"], emulator.namespace) == ("simulated", "fast", first)
    assert emulator.rules()["oracle_tags"] is True


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "dream"}, "mode: must be one of"),
        ({"profile": "dream"}, "there is no profile 'dream'"),
        ({"rules": {"nonsense": 1}}, "there is no rule 'nonsense'"),
        ({"namespace": "My/Tenancy"}, "'My/Tenancy' can't be a namespace"),
        ({"places": 0}, "places: must be 1 or more"),
        ({"places": True}, "places: must be int"),
        ({"region": "us-phoenix-1"}, "'region' is unknown here"),
    ],
)
def test_an_option_that_can_not_be_used_changes_nothing(
    own: Callable[..., Any], options: dict[str, Any], message: str
) -> None:
    cloud = own()
    job = cloud.job(None)
    with pytest.raises(EmulatorError, match=message):
        cloud.emulator.control("POST", "reset", options)
    assert cloud.data_science.get_job(job.id).data.id == job.id


# A pool


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[EmulatorPool]:
    with EmulatorPool(tmp_path / "pool", mode="simulated") as pool:
        yield pool


def test_a_pool_has_as_many_emulators_as_are_in_use_at_a_time(pool: EmulatorPool) -> None:
    with pool.take() as first, pool.take(rules={"oracle_tags": False}) as second:
        assert first.pid != second.pid
        assert second.rules()["oracle_tags"] is False
        pids = {first.pid, second.pid}
    with pool.take() as again:
        assert again.pid in pids
        assert again.rules()["oracle_tags"] is True


def test_a_pool_replaces_an_emulator_that_was_killed(pool: EmulatorPool) -> None:
    with pool.take() as first:
        os.kill(first.pid, 9)
        first.kill()
    with pool.take() as second:
        assert second.control("GET", "health")["status"] == "ok"
        second.stop()
    with pool.take() as third:
        assert third.runs
