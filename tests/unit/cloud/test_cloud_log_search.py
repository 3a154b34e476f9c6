"""Searching logs for many runs at once, and what becomes of the entries."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.unit.cloud.scripted_oci import PRINCIPAL, Caller, ScriptedOci, document, error

from ocijobs.backends.records import Refusal, RefusalKind
from ocijobs.cloud.log_search import LogRequest, LogSearch
from ocijobs.reconcile.output import LogLines, tail
from ocijobs.testing import COMPARTMENT, LOG_GROUP, make_ocid

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
ONE, TWO = make_ocid("datasciencejobrun", "one"), make_ocid("datasciencejobrun", "two")
RESULT = '{"ocijobs.io/results": {"auc": 0.930}}'


def ask(
    run_id: str, *, since: datetime = NOW - timedelta(hours=1), results: bool = False
) -> LogRequest:
    return LogRequest(
        run_id=run_id,
        compartment_id=COMPARTMENT,
        log_group_id=LOG_GROUP,
        since=since,
        results=results,
    )


def entry(run_id: str, message: Any) -> dict[str, Any]:
    source = f"some prefix/{run_id}"
    return {"data": {"logContent": {"source": source, "data": {"message": message}}}}


def found(*entries: Any) -> Any:
    """Return the answer to a search, newest first, an entry a millisecond unless an entry says when."""
    for age, item in enumerate(entries):
        data = item["data"] if isinstance(item, dict) else None
        if isinstance(data, dict):
            data.setdefault("datetime", 1_769_860_800_000 - age)
    return document({"results": list(entries), "summary": {}})


def at(milliseconds: int, item: dict[str, Any]) -> dict[str, Any]:
    return {"data": {**item["data"], "datetime": milliseconds}}


def search(caller: Caller, *requests: LogRequest) -> dict[str, LogLines]:
    answer = asyncio.run(LogSearch(caller.calls).lines(PRINCIPAL, requests, NOW))
    assert not isinstance(answer, Refusal)
    return dict(answer)


def test_one_search_asks_for_several_runs_of_a_group(
    caller: Caller, oci_server: ScriptedOci
) -> None:
    oci_server.will(found(entry(TWO, "b2"), entry(ONE, "a2"), entry(TWO, "b1"), entry(ONE, "a1")))
    earlier = NOW - timedelta(hours=2)
    lines = search(caller, ask(ONE), ask(TWO, since=earlier))
    assert lines == {
        ONE: LogLines(tail=("a1", "a2"), results=()),
        TWO: LogLines(tail=("b1", "b2"), results=()),
    }
    (received,) = oci_server.received
    assert received.path == "/20190909/search?limit=1000"
    assert received.document == {
        "timeStart": "2026-01-31T10:00:00Z",
        "timeEnd": "2026-01-31T12:00:00Z",
        "searchQuery": (
            f'search "{COMPARTMENT}/{LOG_GROUP}" | '
            f"where source = '*{ONE}' or source = '*{TWO}' | sort by datetime desc"
        ),
    }


def test_lines_of_one_millisecond_stay_in_the_order_that_oci_has_them_in(
    caller: Caller, oci_server: ScriptedOci
) -> None:
    oci_server.will(found(at(2, entry(ONE, "c")), at(1, entry(ONE, "a")), at(1, entry(ONE, "b"))))
    assert search(caller, ask(ONE))[ONE].tail == ("a", "b", "c")


def test_a_search_goes_back_no_further_than_oci_lets_it(
    caller: Caller, oci_server: ScriptedOci
) -> None:
    oci_server.will(found())
    search(caller, ask(ONE, since=NOW - timedelta(days=30)))
    assert oci_server.received[0].document["timeStart"] == "2026-01-17T12:00:00Z"


def test_a_run_that_oci_accepted_after_our_time_is_searched_all_the_same(
    caller: Caller, oci_server: ScriptedOci
) -> None:
    oci_server.will(found())
    search(caller, ask(ONE, since=NOW + timedelta(seconds=90)))
    times = oci_server.received[0].document
    assert times["timeStart"] < times["timeEnd"]


def test_result_lines_are_told_beside_the_last_lines(
    caller: Caller, oci_server: ScriptedOci
) -> None:
    newest_first = [f"line {number}" for number in range(30, 0, -1)]
    oci_server.will(found(*(entry(ONE, text) for text in [*newest_first, RESULT, "first"])))
    lines = search(caller, ask(ONE, results=True))[ONE]
    assert lines.tail == tuple(f"line {number}" for number in range(11, 31))
    assert lines.results == (RESULT,)


def test_runs_that_a_full_answer_cut_off_are_searched_alone(
    caller: Caller, oci_server: ScriptedOci
) -> None:
    chatty = [entry(ONE, f"line {number}") for number in range(1000, 0, -1)]
    oci_server.will(found(*chatty), found(entry(TWO, RESULT)))
    lines = search(caller, ask(ONE), ask(TWO, results=True))
    assert len(lines[ONE].tail) == 20
    assert lines[TWO] == LogLines(tail=(RESULT,), results=(RESULT,))
    alone = oci_server.received[1].document["searchQuery"]
    assert TWO in alone
    assert ONE not in alone
    assert len(oci_server.received) == 2


def test_a_full_answer_for_one_run_is_enough(caller: Caller, oci_server: ScriptedOci) -> None:
    oci_server.will(found(*(entry(ONE, "x") for _ in range(1000))))
    search(caller, ask(ONE, results=True))
    assert len(oci_server.received) == 1


def test_a_refused_search_is_told_and_so_is_a_second_one(
    caller: Caller, oci_server: ScriptedOci
) -> None:
    oci_server.will(error(404, "NotAuthorizedOrNotFound"))
    answer = asyncio.run(LogSearch(caller.calls).lines(PRINCIPAL, [ask(ONE)], NOW))
    assert isinstance(answer, Refusal)
    oci_server.will(
        found(*(entry(ONE, "x") for _ in range(1000))), error(404, "NotAuthorizedOrNotFound")
    )
    answer = asyncio.run(LogSearch(caller.calls).lines(PRINCIPAL, [ask(ONE), ask(TWO)], NOW))
    assert isinstance(answer, Refusal)
    assert answer.kind is RefusalKind.NOT_AUTHORIZED_OR_NOT_FOUND


@pytest.mark.parametrize(
    "odd",
    [
        {"data": None},
        {"data": "text"},
        {"data": {}},
        {"data": {"logContent": None}},
        {"data": {"logContent": {"source": None, "data": None}}},
        {"data": {"logContent": {"source": f"x/{ONE}", "data": None}}},
        {"data": {"logContent": {"source": f"x/{ONE}", "data": "text"}}},
        entry(ONE, None),
        entry(make_ocid("datasciencejobrun", "another"), "not asked for"),
    ],
)
def test_an_odd_entry_hides_no_other(caller: Caller, oci_server: ScriptedOci, odd: Any) -> None:
    oci_server.will(found(entry(ONE, "after"), odd, entry(ONE, "before")))
    assert search(caller, ask(ONE)) == {ONE: LogLines(tail=("before", "after"), results=())}


@pytest.mark.parametrize(
    "message",
    [
        '{"ocijobs.io/results": ' + "[" * 3000,
        '{"ocijobs.io/results": {"a": "\ud800"}}',
        "\ud800 half a character",
    ],
)
def test_no_line_that_a_job_can_print_does_harm(
    caller: Caller, oci_server: ScriptedOci, message: str
) -> None:
    oci_server.will(found(entry(ONE, message), entry(ONE, RESULT)))
    lines = search(caller, ask(ONE, results=True))[ONE]
    assert lines.results == (RESULT,)
    assert "".join(tail(lines.tail, ())).encode()


def test_a_long_last_line_is_shown_from_its_beginning() -> None:
    shown = tail(["before", "größe " * 2000], ())
    assert shown[0] == "before"
    assert shown[1].startswith("größe größe ")
    assert shown[1].endswith("… (cut)")
