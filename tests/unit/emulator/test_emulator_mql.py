"""The Monitoring Query Language, and its statistics."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oci_emulator.monitoring import mql
from oci_emulator.monitoring.mql import QueryError
from oci_emulator.monitoring.store import Point, Stream
from oci_emulator.monitoring.summarize import grouped, windows


def test_a_query_names_metric_interval_dimensions_and_statistic() -> None:
    query = mql.parse(' CpuUtilization [5m] {resourceId = "a", kind != "gpu"} .mean() ')
    assert (query.metric, query.interval, query.statistic) == ("CpuUtilization", 300, "mean")
    assert [(each.name, each.operator, each.value) for each in query.dimensions] == [
        ("resourceId", "=", "a"),
        ("kind", "!=", "gpu"),
    ]
    assert query.group_by is None


@pytest.mark.parametrize(
    ("text", "group_by"),
    [
        ("m[1m].groupBy(a, b).sum()", ("a", "b")),
        ("m[1m].grouping().sum()", ()),
        ("m[1m].sum()", None),
    ],
)
def test_grouping(text: str, group_by: tuple[str, ...] | None) -> None:
    assert mql.parse(text).group_by == group_by


@pytest.mark.parametrize(
    ("text", "seconds"), [("1m", 60), ("60m", 3600), ("2h", 7200), ("1d", 86400)]
)
def test_intervals(text: str, seconds: int) -> None:
    assert mql.parse(f"m[{text}].max()").interval == seconds


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must begin with a metric"),
        ("m.mean()", "must begin with a metric"),
        ("m[0m].mean()", "the interval must be"),
        ("m[2d].mean()", "the interval must be"),
        ("m[1m]", "a statistic must follow"),
        ("m[1m].typical()", "'typical' is no statistic"),
        ("m[1m]{a}.mean()", "a dimension must follow"),
        ('m[1m]{a = "b".mean()', "a dimension must follow"),
        ("m[1m].mean() > 80", "queries of alarms"),
        ("m[1m].mean(3)", "mean takes no argument"),
        ("m[1m].percentile()", "percentile takes a number"),
        ("m[1m].percentile(2)", "percentile takes a number"),
        ("m[1m].groupBy().mean()", "groupBy needs the names"),
    ],
)
def test_a_text_that_is_no_query_is_told_why(text: str, message: str) -> None:
    with pytest.raises(QueryError, match=message):
        mql.parse(text)


@given(st.text(alphabet='m[]{}()."=~!&,|1hd groupBy', max_size=60))
def test_any_text_is_a_query_or_refused(text: str) -> None:
    try:
        query = mql.parse(text)
    except QueryError:
        return
    assert query.interval > 0


def streams(**values: str) -> list[Stream]:
    return [
        Stream(compartment="c", namespace="n", name="m", dimensions={"node": node, "kind": kind})
        for node, kind in values.items()
    ]


@pytest.mark.parametrize(
    ("condition", "nodes"),
    [
        ('{kind = "cpu"}', {"a", "b"}),
        ('{kind != "cpu"}', {"c"}),
        ('{node =~ "a|c*"}', {"a", "c"}),
        ('{node =~ "*"}', {"a", "b", "c"}),
        ('{other = "x"}', set()),
        ('{other != "x"}', {"a", "b", "c"}),
        ('{kind = "cpu", node = "b"}', {"b"}),
    ],
)
def test_dimensions_choose_streams(condition: str, nodes: set[str]) -> None:
    query = mql.parse(f"m[1m]{condition}.mean()")
    found = grouped(streams(a="cpu", b="cpu", c="gpu"), query)
    assert {stream.dimensions["node"] for each in found.values() for stream in each} == nodes


def test_groups_keep_streams_apart() -> None:
    three = streams(a="cpu", b="cpu", c="gpu")
    sizes = {
        text: sorted(len(each) for each in grouped(three, mql.parse(text)).values())
        for text in ("m[1m].sum()", "m[1m].groupBy(kind).sum()", "m[1m].grouping().sum()")
    }
    assert sizes == {
        "m[1m].sum()": [1, 1, 1],
        "m[1m].groupBy(kind).sum()": [1, 2],
        "m[1m].grouping().sum()": [3],
    }


POINTS = [Point(61, 4.0), Point(70, 1.0, count=3), Point(119, 9.0), Point(200, 2.0)]


@pytest.mark.parametrize(
    ("statistic", "first"),
    [
        ("mean()", 16 / 5),
        ("sum()", 16.0),
        ("count()", 5.0),
        ("min()", 1.0),
        ("max()", 9.0),
        ("first()", 4.0),
        ("last()", 9.0),
        ("increment()", 5.0),
        ("rate()", 5 / 60),
        ("percentile(0.5)", 1.0),
        ("percentile(0.8)", 4.0),
        ("percentile(1)", 9.0),
    ],
)
def test_a_statistic_is_of_each_interval_that_has_datapoints(statistic: str, first: float) -> None:
    found = windows(POINTS, mql.parse(f"m[1m].{statistic}"), 60)
    assert [start for start, _ in found] == [60.0, 180.0]
    assert found[0][1] == pytest.approx(first)


def test_intervals_overlap_if_the_resolution_is_finer() -> None:
    found = windows([Point(130, 1.0)], mql.parse("m[3m].sum()"), 60)
    assert found == [(0.0, 1.0), (60.0, 1.0), (120.0, 1.0)]
