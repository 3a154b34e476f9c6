"""The output of Spark runs, from the logs that Data Flow keeps."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from tests.component.data_flow.conftest import LASTING, SPARK, Flow, made
from tests.unit.cloud.scripted_oci import PRINCIPAL

from ocijobs.backends.records import Refusal, RunRecord
from ocijobs.cloud.data_flow_logs import DataFlowLogs
from ocijobs.reconcile.output import LogLines, RunOutput
from ocijobs.testing import make_ocid

pytestmark = pytest.mark.asyncio

RESULT = '{"ocijobs.io/results": {"rows": 1000}}'
NOTHING = RunOutput(lines=LogLines(tail=(), results=()), files=())


async def started(flow: Flow, executors: int = 1, **plan: Any) -> RunRecord:
    """Return a run, just accepted, of an application of its own."""
    token = uuid4().hex
    application = await flow.application(token)
    own = replace(SPARK, num_executors=executors)
    return await flow.run(application.id, token, plan, spark=own)


async def ended(flow: Flow, executors: int = 1, **plan: Any) -> str:
    """Return a run that is over."""
    run = await started(flow, executors, **plan)
    flow.emulator.wait_for_run(run.id)
    return run.id


async def read(flow: Flow, run_id: str, *, results: bool = False) -> tuple[RunOutput, list[str]]:
    """Return what is read of a run, and the calls that it takes."""
    work = DataFlowLogs(flow.caller.calls).read(PRINCIPAL, run_id, results=results)
    answer, calls = await flow.calls(work)
    return made(answer), calls


async def test_the_last_lines_are_those_that_the_application_printed(flow: Flow) -> None:
    run_id = await ended(flow, output=[RESULT, *(f"line {number}" for number in range(30))])
    output, calls = await read(flow, run_id, results=True)
    assert output.lines.tail == tuple(f"line {number}" for number in range(10, 30))
    assert output.lines.results == (RESULT,)
    assert calls == ["ListRunLogs 200", "GetRunLog 200"]
    without, _ = await read(flow, run_id)
    assert without.lines == LogLines(tail=output.lines.tail, results=())


async def test_the_logs_are_named_the_most_important_first(flow: Flow) -> None:
    output, _ = await read(flow, await ended(flow, output=["x"]))
    kinds = [(file.source, file.type) for file in output.files]
    assert kinds == [
        (source, kind)
        for source in ("APPLICATION", "DRIVER", "EXECUTOR")
        for kind in ("STDOUT", "STDERR")
    ]
    assert output.files[0].name == "spark_application_stdout.log.gz"
    assert all((file.size_in_bytes or 0) > 0 for file in output.files)


async def test_of_many_logs_the_first_are_named(flow: Flow) -> None:
    output, _ = await read(flow, await ended(flow, executors=60, output=["x"]))
    assert len(output.files) == 20
    assert [file.source for file in output.files[:5]] == [
        *["APPLICATION"] * 2,
        *["DRIVER"] * 2,
        "EXECUTOR",
    ]


async def test_a_run_that_failed_without_output_shows_its_errors(flow: Flow) -> None:
    run_id = await ended(flow, outcome="FAILED", lifecycleDetails="no such module")
    output, calls = await read(flow, run_id)
    assert output.lines.tail == ("no such module",)
    assert calls == ["ListRunLogs 200", "GetRunLog 200", "GetRunLog 200"]


async def test_where_nothing_was_printed_the_driver_tells(flow: Flow) -> None:
    output, calls = await read(flow, await ended(flow, output=["", "  "]))
    assert output.lines.tail == ("This run was simulated: no Spark has run.",)
    assert calls == ["ListRunLogs 200", *["GetRunLog 200"] * 3]


async def test_a_run_that_goes_on_has_no_logs_yet(flow: Flow) -> None:
    run = await started(flow, **LASTING)
    assert await read(flow, run.id) == (NOTHING, ["ListRunLogs 200"])
    flow.emulator.force_run(run.id, "SUCCEEDED")


async def test_a_refusal_is_told(flow: Flow) -> None:
    logs = DataFlowLogs(flow.caller.calls)
    unknown = make_ocid("dataflowrun", "unknown")
    assert isinstance(await logs.read(PRINCIPAL, unknown, results=False), Refusal)
    run_id = await ended(flow, output=["x"])
    flow.emulator.add_fault("GetRunLog", status=404, code="NotAuthorizedOrNotFound", count=1)
    assert isinstance(await logs.read(PRINCIPAL, run_id, results=False), Refusal)
    assert (await read(flow, run_id))[0].lines.tail == ("x",)
