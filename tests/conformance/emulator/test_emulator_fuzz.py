"""Whatever is sent, the answer is a success or an error in OCI's shape, and no file leaves its place.

Requests are made from the emulator's OpenAPI document, some as it says and some not, and all are
signed: what isn't is refused before it is looked at. What is no HTTP at all is the server's to refuse.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.core import NotSet

from oci_emulator.schema import openapi
from oci_emulator.serving import coverage
from oci_emulator.testing import Emulator

EXAMPLES = 25
# It is switched off in pyproject.toml, as it takes each run of pytest half a second to load.
pytest_plugins = ["schemathesis.pytest.plugin"]

SCHEMA = schemathesis.openapi.from_dict(openapi.document(coverage.working()))
# Each field's each wrong value, one after the other, takes minutes for the larger models.
SCHEMA.config.phases.update(phases=["examples", "fuzzing"])
SCHEMA.config.generation.update(modes=[GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
TRICKS = (
    "../../../escaped",
    "..%2F..%2F..%2Fescaped",
    "%2e%2e/%2e%2e/escaped",
    "/etc/escaped",
    "a/../../../../escaped",
    "escaped%00.txt",
    "..\\..\\escaped",
    "." * 300,
)


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """An emulator that has something of everything, and nothing beside its state."""
    state = tmp_path_factory.mktemp("fuzz") / "state"
    with Emulator(state, mode="simulated") as emulator:
        yield emulator
        assert [path.name for path in state.parent.iterdir()] == ["state"]
        assert not list(state.rglob("*escaped*"))
        assert "Traceback" not in emulator.log.read_text()


@pytest.fixture(scope="module")
def known(fuzzed: Emulator, raw_client: Any) -> Mapping[str, str]:
    """Names and OCIDs of what there is, by the names of parameters and fields."""
    raw = raw_client(fuzzed)
    where = {"compartmentId": fuzzed.tenancy, "projectId": fuzzed.project}
    infrastructure = {
        "jobInfrastructureType": "ME_STANDALONE",
        "shapeName": "VM.Standard2.1",
        "blockStorageSizeInGBs": 50,
    }
    job = raw.call(
        "POST",
        "/20190101/jobs",
        {
            **where,
            "jobConfigurationDetails": {"jobType": "DEFAULT"},
            "jobInfrastructureConfigurationDetails": infrastructure,
        },
    )[1]["id"]
    upload = raw.headers(
        "POST",
        f"/20190101/jobs/{job}/artifact",
        b"pass",
        content_disposition="attachment; filename=main.py",
    )
    assert raw.send("POST", f"/20190101/jobs/{job}/artifact", b"pass", upload)[0] == 204
    run = raw.call("POST", "/20190101/jobRuns", {**where, "jobId": job})[1]["id"]
    bucket = {"name": "data", "compartmentId": fuzzed.tenancy}
    assert raw.call("POST", f"/n/{fuzzed.namespace}/b", bucket)[0] == 200
    secret = fuzzed.add_secret("secret", "x")
    return {
        **where,
        **known_of_data_flow(fuzzed, raw),
        "jobId": job,
        "jobRunId": run,
        "bucketName": "data",
        "namespaceName": fuzzed.namespace,
        "secretId": secret,
        "tenancyId": fuzzed.tenancy,
        "userId": fuzzed.user,
    }


def known_of_data_flow(fuzzed: Emulator, raw: Any) -> Mapping[str, str]:
    """An application, a session with a statement, a pool and a private endpoint."""
    where = {"compartmentId": fuzzed.tenancy}
    shape = "VM.Standard2.1"
    bodies: dict[str, dict[str, Any]] = {
        "applications": {
            "displayName": "application",
            "language": "PYTHON",
            "sparkVersion": "3.5.0",
            "driverShape": shape,
            "executorShape": shape,
            "numExecutors": 1,
            "type": "SESSION",
        },
        "pools": {"displayName": "pool", "configurations": [{"shape": shape}]},
        "privateEndpoints": {"dnsZones": ["a.b"], "subnetId": "subnet"},
    }
    made = {
        name: raw.call("POST", f"/20200129/{name}", {**where, **body})[1]["id"]
        for name, body in bodies.items()
    }
    run = {**where, "applicationId": made["applications"]}
    session = raw.call("POST", "/20200129/runs", run)[1]["id"]
    fuzzed.wait_for_run(session, "IN_PROGRESS")
    statement = raw.call("POST", f"/20200129/runs/{session}/statements", {"code": "1"})
    assert statement[0] == 200
    return {
        "applicationId": made["applications"],
        "runId": session,
        "statementId": "1",
        "poolId": made["pools"],
        "privateEndpointId": made["privateEndpoints"],
    }


def with_known(value: Any, known: Mapping[str, str]) -> Any:
    """A document whose fields name what there is, as far as they are names."""
    if isinstance(value, dict):
        return {
            name: known[name]
            if name in known and isinstance(inner, str)
            else with_known(inner, known)
            for name, inner in value.items()
        }
    return [with_known(inner, known) for inner in value] if isinstance(value, list) else value


def check(status: int, document: Any, method: str) -> None:
    assert status < 500 or status == 501, (status, document)
    if status >= 400 and method != "HEAD":
        assert set(document) == {"code", "message"}, document
        assert re.fullmatch(r"[A-Za-z]+", document["code"])


def send(raw: Any, case: Any, known: Mapping[str, str] | None) -> None:
    """Send a case, as it is or about what there is."""
    path_parameters = {name: str(value) for name, value in (case.path_parameters or {}).items()}
    query = dict(case.query or {})
    body = None if isinstance(case.body, NotSet) else case.body
    if known is not None:
        path_parameters = with_known(path_parameters, known)
        query = with_known(query, known)
        body = with_known(body, known)
    target = case.path.format(**{name: quote(v, safe="") for name, v in path_parameters.items()})
    if query:
        target = f"{target}?{urlencode(query, doseq=True, errors='replace')}"
    content = b""
    if case.method in {"POST", "PUT"} and body is not None:
        text = body if isinstance(body, str | bytes) else json.dumps(body)
        content = text if isinstance(text, bytes) else text.encode(errors="replace")
    headers = raw.headers(case.method, target, content)
    status, document, _ = raw.send(case.method, target, content, headers)
    check(status, document, case.method)


@SCHEMA.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    # A failure is repeated as it was found, and not searched for again and again.
    database=None,
)
def test_no_request_is_too_odd(
    case: Any, fuzzed: Emulator, known: Mapping[str, str], raw_client: Any
) -> None:
    raw = raw_client(fuzzed)
    for about in (None, known):
        send(raw, case, about)


@pytest.mark.parametrize("name", TRICKS)
def test_a_name_is_no_path(fuzzed: Emulator, raw_client: Any, name: str) -> None:
    raw = raw_client(fuzzed)
    raw.call("POST", f"/n/{fuzzed.namespace}/b", {"name": "b", "compartmentId": fuzzed.tenancy})
    places = [
        f"/n/{fuzzed.namespace}/b/b/o/{name}",
        f"/n/{fuzzed.namespace}/b/b/o/{quote(name, safe='')}",
        f"/n/{fuzzed.namespace}/b/{quote(name, safe='')}/o/x",
        f"/20190101/jobs/{quote(name, safe='')}/artifact/content",
        f"/_emulator/runs/{quote(name, safe='')}",
        f"/{name}",
    ]
    for target in places:
        if target.isascii() and not re.search(r"[\\ ]", target):
            for method in ("PUT", "GET"):
                content = b'"escaped"' if method == "PUT" else b""
                headers = raw.headers(method, target, content)
                status, document, _ = raw.send(method, target, content, headers)
                check(status, document, method)


@pytest.mark.parametrize("name", TRICKS)
def test_the_name_of_an_artifact_is_no_path(
    fuzzed: Emulator, known: Mapping[str, str], raw_client: Any, name: str
) -> None:
    raw = raw_client(fuzzed)
    target = f"/20190101/jobs/{known['jobId']}/artifact"
    disposition = f"attachment; filename={name}"
    headers = raw.headers("POST", target, b"x", content_disposition=disposition)
    status, document, _ = raw.send("POST", target, b"x", headers)
    check(status, document, "POST")


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    method=st.sampled_from(["GET", "PUT", "POST", "DELETE", "HEAD", "PATCH", "OPTIONS"]),
    target=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=80),
    body=st.binary(max_size=200),
)
def test_bytes_are_answered(
    fuzzed: Emulator, raw_client: Any, method: str, target: str, body: bytes
) -> None:
    raw = raw_client(fuzzed)
    body = body if method in {"POST", "PUT"} else b""
    for prefix in ("/", "/20190101/", "/n/", "/20190101/jobs/"):
        headers = raw.headers(method, prefix + target, body)
        status, document, _ = raw.send(method, prefix + target, body, headers)
        check(status, document, method)
