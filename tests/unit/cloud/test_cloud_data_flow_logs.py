"""Logs of Data Flow as they may come: compressed or not, declared or not, broken, or of any length."""

import asyncio
import gzip
from collections.abc import Mapping

import pytest
from tests.unit.cloud.scripted_oci import PRINCIPAL, Answer, Caller, ScriptedOci, document, error

from ocijobs.backends.records import Refusal
from ocijobs.cloud.data_flow_logs import DataFlowLogs
from ocijobs.reconcile.output import RunOutput
from ocijobs.testing import make_ocid

RUN = make_ocid("dataflowrun")
STDOUT = "spark_application_stdout.log.gz"
DECLARED = {"content-encoding": "gzip"}
TEXT = b"one\ntwo\nthree\n"


def log(name: str, source: str = "APPLICATION", kind: str = "STDOUT") -> dict[str, object]:
    return {"name": name, "runId": RUN, "source": source, "type": kind, "sizeInBytes": 1}


def read(caller: Caller) -> RunOutput | Refusal:
    return asyncio.run(DataFlowLogs(caller.calls).read(PRINCIPAL, RUN, results=True))


def tail(caller: Caller) -> tuple[str, ...]:
    output = read(caller)
    assert not isinstance(output, Refusal)
    return tuple(output.lines.tail)


def compressed(text: bytes) -> bytes:
    return gzip.compress(text, mtime=0)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        pytest.param(TEXT, {}, id="plain"),
        pytest.param(compressed(TEXT), DECLARED, id="declared"),
        pytest.param(compressed(TEXT), {}, id="not-declared"),
        pytest.param(compressed(compressed(TEXT)), DECLARED, id="twice"),
        pytest.param(compressed(TEXT[:5]) + compressed(TEXT[5:]), {}, id="in-two"),
    ],
)
def test_a_log_is_text_however_it_was_compressed(
    caller: Caller, oci_server: ScriptedOci, body: bytes, headers: Mapping[str, str]
) -> None:
    oci_server.will(document([log(STDOUT)]), Answer(body=body, headers=headers))
    assert tail(caller) == ("one", "two", "three")
    listed, received = oci_server.received
    assert listed.path == f"/20200129/runs/{RUN}/logs?limit=100"
    assert received.path == f"/20200129/runs/{RUN}/logs/{STDOUT}"


@pytest.mark.parametrize("headers", [DECLARED, {}], ids=["declared", "not-declared"])
def test_a_broken_log_is_read_as_far_as_it_goes(
    caller: Caller, oci_server: ScriptedOci, headers: Mapping[str, str]
) -> None:
    broken = compressed(TEXT)[:10] + b"\x07" * 200
    answers = [Answer(body=broken, headers=headers), Answer(body=b"why\n")]
    oci_server.will(document([log(STDOUT), log("errors", kind="STDERR")]), *answers)
    assert tail(caller) == ("why",)
    assert [request.path.rpartition("/")[2] for request in oci_server.received] == [
        "logs?limit=100",
        STDOUT,
        "errors",
    ]


def test_a_log_is_not_read_for_ever(caller: Caller, oci_server: ScriptedOci) -> None:
    lines = (b"x" * 1_000_000 + b"\n") * 10
    body = compressed(lines) * 30 + compressed(b"the end\n")
    oci_server.will(document([log(STDOUT)]), Answer(body=body))
    last = tail(caller)
    assert len(last) == 20
    assert "the end" not in last


def test_lists_of_logs_are_read_to_the_end(caller: Caller, oci_server: ScriptedOci) -> None:
    executors = [log(f"executor-{number:03}", "EXECUTOR") for number in range(120)]
    oci_server.will(
        document(executors, opc_next_page="two"), document([log(STDOUT)]), Answer(body=TEXT)
    )
    output = read(caller)
    assert not isinstance(output, Refusal)
    assert [file.name for file in output.files[:2]] == [STDOUT, "executor-000"]
    assert len(output.files) == 20


def test_of_logs_that_are_alike_the_last_is_read(caller: Caller, oci_server: ScriptedOci) -> None:
    oci_server.will(document([log("out-2"), log("out-1"), log("n" * 300)]), Answer(body=TEXT))
    assert tail(caller) == ("one", "two", "three")
    assert oci_server.received[1].path.endswith("/out-2")


def test_half_a_list_of_logs_is_none(caller: Caller, oci_server: ScriptedOci) -> None:
    oci_server.will(
        document([log(STDOUT)], opc_next_page="two"), error(404, "NotAuthorizedOrNotFound")
    )
    assert isinstance(read(caller), Refusal)
