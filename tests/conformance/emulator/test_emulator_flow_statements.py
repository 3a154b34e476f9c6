"""Sessions of Data Flow and their statements."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from oci.data_flow import models
from oci.exceptions import ServiceError

MINUTE = 60.0


def refusal(call: Callable[[], Any]) -> tuple[int, str]:
    """Status and code of the error that a call ends with."""
    with pytest.raises(ServiceError) as caught:
        call()
    return caught.value.status, caught.value.code


@pytest.fixture
def still(own_flow: Any) -> Any:
    """Data Flow whose clock a test moves."""
    flow = own_flow(profile="realistic")
    flow.emulator.set_rate(0)
    return flow


def session(flow: Any, **fields: Any) -> str:
    """A session in progress."""
    application = flow.application(type="SESSION", file_uri=None, **fields)
    tags = {"emulator.plan": json.dumps({"output": ["res0: 42"]})}
    run = flow.start(application.id, freeform_tags=tags)
    assert run.idle_timeout_in_minutes == fields.get("idle_timeout_in_minutes", 2880)
    flow.emulator.advance(300)
    assert flow.client.get_run(run.id).data.lifecycle_state == "IN_PROGRESS"
    return str(run.id)


def code(text: str) -> Any:
    return models.CreateStatementDetails(code=text)


def test_the_way_of_a_statement(still: Any) -> None:
    client, run = still.client, session(still)
    made = client.create_statement(code("6 * 7"), run).data
    assert (made.id, made.code, made.lifecycle_state, made.run_id) == (1, "6 * 7", "ACCEPTED", run)
    still.emulator.advance(6)
    assert client.get_statement(run, "1").data.lifecycle_state == "IN_PROGRESS"
    still.emulator.advance(6)
    done = client.get_statement(run, "1").data
    assert (done.lifecycle_state, done.progress) == ("SUCCEEDED", 1.0)
    assert done.time_completed is not None
    assert done.output.status == "OK"
    assert (done.output.data.type, done.output.data.value) == ("TEXT_PLAIN", "res0: 42")
    second = client.create_statement(code("x"), run).data
    client.delete_statement(run, str(second.id))
    assert client.get_statement(run, "2").data.lifecycle_state == "CANCELLING"
    still.emulator.advance(30)
    listed = client.list_statements(run).data.items
    assert [(each.id, each.lifecycle_state) for each in listed] == [
        (2, "CANCELLED"),
        (1, "SUCCEEDED"),
    ]
    [succeeded] = client.list_statements(run, lifecycle_state="SUCCEEDED").data.items
    assert succeeded.id == 1
    assert client.delete_statement(run, "1").status == 204
    still.emulator.set_rules(delete_ended_run="conflict")
    assert refusal(lambda: client.delete_statement(run, "1")) == (409, "IncorrectState")
    assert refusal(lambda: client.get_statement(run, "3"))[0] == 404


def test_only_sessions_in_progress_take_statements(still: Any) -> None:
    client = still.client
    batch = still.start(still.application().id)
    assert refusal(lambda: client.create_statement(code("x"), batch.id)) == (409, "IncorrectState")
    run = session(still)
    statement = client.create_statement(code("x"), run).data
    client.delete_run(run)
    assert refusal(lambda: client.create_statement(code("x"), run)) == (409, "IncorrectState")
    still.emulator.advance(60)
    assert client.get_run(run).data.lifecycle_state == "CANCELED"
    assert client.get_statement(run, str(statement.id)).data.lifecycle_state != "IN_PROGRESS"


def test_a_session_ends_what_it_leaves_undone(still: Any) -> None:
    client, run = still.client, session(still)
    statement = client.create_statement(code("x"), run).data
    still.emulator.force_run(run, "STOPPED")
    assert client.get_statement(run, str(statement.id)).data.lifecycle_state == "CANCELLED"


def test_an_idle_session_is_stopped(still: Any) -> None:
    client, run = still.client, session(still, idle_timeout_in_minutes=30)
    still.emulator.advance(20 * MINUTE)
    client.create_statement(code("x"), run)
    still.emulator.advance(20 * MINUTE)
    assert client.get_run(run).data.lifecycle_state == "IN_PROGRESS"
    still.emulator.advance(11 * MINUTE)
    ended = client.get_run(run).data
    assert (ended.lifecycle_state, ended.lifecycle_details) == (
        "STOPPED",
        "The session was idle for 30 minutes and was stopped.",
    )


def test_a_session_that_is_not_simulated_executes_no_statements(own_flow: Any) -> None:
    flow = own_flow(mode="process")
    run = flow.start(flow.application(type="SESSION", file_uri=None).id).id
    flow.ended(run)
    flow.emulator.force_run(run, "IN_PROGRESS")
    with pytest.raises(ServiceError, match="executes no statements") as caught:
        flow.client.create_statement(code("x"), run)
    assert (caught.value.status, caught.value.code) == (501, "NotImplemented")
