"""The Monitoring Query Language, and its statistics."""

import math
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oci_emulator.services.monitoring import mql
from oci_emulator.services.monitoring.mql import QueryError
from oci_emulator.services.monitoring.store import Point, Stream
from oci_emulator.services.monitoring.summarize import absences, grouped, windows


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
        ("m[61m].mean()", "the interval must be"),
        ("m[25h].mean()", "the interval must be"),
        ("größe[1m].mean()", "must begin with a metric"),
        ("m[1m].absent(0)", "absent takes hours"),
        ("m[1m].absent(73)", "absent takes hours"),
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


PIECES = ("m[1m]", '{a = "b"}', ".groupBy(", ".mean()", ".absent(", ")", " > 80", *'[]{}().=~" ')


@given(st.text(max_size=60) | st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_any_text_is_a_query_or_refused(text: str) -> None:
    try:
        query = mql.parse(text)
    except QueryError:
        return
    assert query.interval > 0


@pytest.mark.parametrize("begin", ["m[1m].mean(", "m[1m]", "m[1m]{a", "m[1m].groupBy(a"])
def test_a_long_text_is_refused_without_trying_all_ways_to_read_it(begin: str) -> None:
    with pytest.raises(QueryError):
        mql.parse(begin + " " * 100_000)


@given(st.text(string.ascii_letters + string.digits + "._-$:/@", min_size=1, max_size=40))
def test_a_dimension_may_have_any_name_that_can_be_posted(name: str) -> None:
    [dimension] = mql.parse(f'm[1m]{{{name} = "v"}}.mean()').dimensions
    assert (dimension.name, dimension.operator, dimension.value) == (name, "=", "v")


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


def test_intervals_before_the_period_are_left_out() -> None:
    found = windows([Point(130, 1.0)], mql.parse("m[3m].sum()"), 60, since=100)
    assert found == [(60.0, 1.0), (120.0, 1.0)]


def test_equal_streams_of_two_compartments_are_one_only_in_a_group() -> None:
    two = [
        Stream(compartment=each, namespace="n", name="m", dimensions={"a": "b"})
        for each in ("one", "other")
    ]
    assert len(grouped(two, mql.parse("m[1m].sum()"))) == 2
    assert len(grouped(two, mql.parse("m[1m].groupBy(a).sum()"))) == 1


def test_a_sum_may_be_infinite() -> None:
    found = windows([Point(0, 1e308), Point(1, 1e308)], mql.parse("m[1m].sum()"), 60)
    assert found == [(0.0, math.inf)]


@pytest.mark.parametrize(
    ("times", "since", "until", "found"),
    [
        ([], 0, 600, {}),
        # Nothing is missing before the first datapoint, and nothing in an interval that goes on.
        ([130], 0, 300, {120: 0, 180: 1, 240: 1}),
        ([130], 0, 299, {120: 0, 180: 1}),
        ([10, 130], 60, 240, {60: 1, 120: 0, 180: 1}),
        # After the detection period, nothing is expected any more.
        ([10], 7080, 9000, {7080: 1, 7140: 1, 7200: 1}),
    ],
)
def test_absence_is_told_of_whole_intervals(
    times: list[float], since: float, until: float, found: dict[float, float]
) -> None:
    points = [Point(each, 1.0) for each in times]
    query = mql.parse("m[1m].absent()")
    assert dict(absences(points, query, 60, since=since, until=until)) == found


def test_the_detection_period_of_absence_can_be_chosen() -> None:
    query = mql.parse("m[1h].absent(20)")
    found = absences([Point(10, 1.0)], query, 3600, since=0, until=30 * 3600)
    assert (found[0], found[-1]) == ((0.0, 0.0), (20 * 3600.0, 1.0))
