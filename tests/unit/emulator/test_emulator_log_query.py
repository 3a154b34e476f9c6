"""The search language of logs: what it reads, what it finds, and what it says of mistakes."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oci_emulator.formats.wildcard import fits
from oci_emulator.services.logging.entries import LogEntry
from oci_emulator.services.logging.query import parse
from oci_emulator.services.logging.search import run
from oci_emulator.services.logging.syntax import QueryError, Stream

RUN = "ocid1.datasciencejobrun.oc1.iad.x"


def entry(seq: int, message: str, source: str = RUN) -> LogEntry:
    return LogEntry(
        seq=seq,
        log="ocid1.log.oc1.iad.l",
        time=1_700_000_000.0 + seq,
        id=f"id-{seq}",
        source=source,
        type="com.example",
        subject="",
        data={"message": message},
    )


ENTRIES = [
    entry(1, "epoch 1 loss 0.5"),
    entry(2, "warning: slow", source="other"),
    entry(3, "epoch 2 loss 0.4"),
    entry(4, "error: 100% broken"),
]


def found(text: str) -> list[dict[str, Any]]:
    return run(parse(text), ENTRIES)


def messages(text: str) -> list[str]:
    return [row["logContent"]["data"]["message"] for row in found(f'search "c/g/l" {text}')]


def test_the_query_of_ads_finds_the_lines_of_a_run() -> None:
    lines = messages(f"| WHERE source = '*{RUN}' | SORT BY datetime DESC")
    assert lines == ["error: 100% broken", "epoch 2 loss 0.4", "epoch 1 loss 0.5"]


def test_a_stream_is_a_compartment_a_group_or_a_log() -> None:
    query = parse('SEARCH "c/g/l", "c2/g2" "c3"')
    assert query.streams == (
        Stream(compartment="c", group="g", log="l"),
        Stream(compartment="c2", group="g2"),
        Stream(compartment="c3"),
    )


@pytest.mark.parametrize(
    ("condition", "seqs"),
    [
        ("data.message = 'epoch*'", [1, 3]),
        ("logContent.data.message = 'epoch*loss 0.4'", [3]),
        ("data.message != 'epoch*'", [2, 4]),
        ("not data.message = '*o*'", []),
        ("source = '*ther' or data.message = 'error*'", [2, 4]),
        ("data.message = 'e*' and (data.message = '*1*' or data.message = '*2*')", [1, 3, 4]),
        ("data.message = '*100%*'", [4]),
        ("id in ('id-1', 'id-4')", [1, 4]),
        ("datetime >= 1700000003000", [3, 4]),
        ("datetime < '2023-11-14T22:13:22Z'", [1]),
        ("nothing = 'x'", []),
        ("data.message > 5", []),
    ],
)
def test_conditions(condition: str, seqs: list[int]) -> None:
    rows = found(f'search "c/g/l" | where {condition} | sort by datetime')
    assert [int(row["logContent"]["id"][3:]) for row in rows] == seqs


def test_without_sorting_the_newest_comes_first() -> None:
    assert messages("")[0] == "error: 100% broken"


def test_sorting_by_several_fields() -> None:
    rows = found('search "c" | sort by source desc, datetime asc')
    assert [row["logContent"]["id"] for row in rows] == ["id-2", "id-1", "id-3", "id-4"]


def test_limit_select_and_count() -> None:
    assert len(messages("| limit 2")) == 2
    rows = found('search "c" | sort by datetime | limit 1 | select data.message as text, source')
    assert rows == [{"text": "epoch 1 loss 0.5", "source": RUN}]
    assert found("search \"c\" | where source = 'other' | count") == [{"count": 1}]


def test_names_in_double_quotes_are_one_name() -> None:
    assert found('search "c" | where "data"."message" = \'error*\' | count') == [{"count": 1}]
    assert found('search "c" | where "data.message" = \'error*\' | count') == [{"count": 0}]


def test_quotes_are_doubled_inside() -> None:
    assert run(
        parse("search \"c\" | where data.message = 'it''s' | count"), [entry(1, "it's")]
    ) == [{"count": 1}]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "position 0: 'search' must follow, not 'the end'"),
        ("find x", "position 0: 'search' must follow, not 'find'"),
        ("search c", "position 7: a stream must follow"),
        ('search "a/b/c/d"', "position 7: 'a/b/c/d' is not"),
        ('search "a//c"', "position 7: 'a//c' is not"),
        ('search "a" where x', "position 11: '|' or the end must follow, not 'where'"),
        ('search "a" | rename x', "position 13: 'rename' is no operator"),
        ('search "a" | where x', "position 20: one of = != <= >= < > must follow the field"),
        ('search "a" | where x = y', "position 23: a value must follow"),
        ('search "a" | where (x = 1', "position 25: ')' must follow, not 'the end'"),
        ('search "a" | sort datetime', "position 18: 'by' must follow, not 'datetime'"),
        ('search "a" | limit x', "position 19: a number must follow limit, not 'x'"),
        ('search "a" | where x = ;', "position 23: ';' can't be read"),
        ('search "a" | where x = \'open', "position 23: \"'open\" can't be read"),
        (f'search "a" | where {"(" * 60}x = 1', "nested too deeply"),
    ],
)
def test_mistakes_are_named_with_their_position(text: str, message: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text)
    assert message in str(caught.value)


@given(st.text(alphabet="search\"'|()=<>,.* abc/01\\", max_size=60))
def test_any_text_is_a_query_or_a_mistake(text: str) -> None:
    query, mistake = None, -1
    try:
        query = parse(text)
    except QueryError as error:
        mistake = error.position
    if query is None:
        assert 0 <= mistake <= len(text)
    else:
        assert query.streams


@given(
    st.text(alphabet="ab*", max_size=12),
    st.text(alphabet="ab", max_size=12),
)
def test_a_pattern_fits_as_its_regular_expression_does(pattern: str, text: str) -> None:
    expression = ".*".join(re.escape(part) for part in pattern.split("*"))
    assert fits(text, pattern) == bool(re.fullmatch(expression, text))
