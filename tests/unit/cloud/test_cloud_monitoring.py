"""What runs used of their machines: many runs in one query, and what becomes of the answers."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.unit.cloud.scripted_oci import PRINCIPAL, Answer, Caller, ScriptedOci, document, error

from ocijobs.api.run.observed import RunMetrics, Utilisation
from ocijobs.backends.records import Refusal, RefusalKind
from ocijobs.cloud.monitoring import Monitoring, Span
from ocijobs.testing import COMPARTMENT, make_ocid

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
ONE, TWO = make_ocid("datasciencejobrun", "one"), make_ocid("datasciencejobrun", "two")


def span(run_id: str, hours: float = 1) -> Span:
    return Span(run_id=run_id, start=NOON - timedelta(hours=hours), end=NOON)


def streams(**values: list[float]) -> Answer:
    """Return an answer with datapoints by run: `one` and `two`."""
    return document(
        [
            {
                "name": "metric",
                "namespace": "oci_datascience_jobrun",
                "compartmentId": COMPARTMENT,
                "dimensions": {"resourceId": {"one": ONE, "two": TWO}[run]},
                "aggregatedDatapoints": [
                    {"timestamp": "2026-01-31T11:00:00Z", "value": value} for value in points
                ],
            }
            for run, points in values.items()
        ]
    )


def ask(caller: Caller, *spans: Span) -> Any:
    return asyncio.run(Monitoring(caller.calls).utilisation(PRINCIPAL, COMPARTMENT, spans))


def test_four_queries_tell_of_all_runs(caller: Caller, oci_server: ScriptedOci) -> None:
    oci_server.will(
        streams(one=[10.0, 20.04], two=[99.96]), streams(one=[1.0]), streams(), streams()
    )
    assert ask(caller, span(ONE), span(TWO, hours=2)) == {
        ONE: RunMetrics(
            cpu_utilization=Utilisation(mean=15.0, max=20.0),
            memory_utilization=Utilisation(mean=1.0, max=1.0),
        ),
        TWO: RunMetrics(cpu_utilization=Utilisation(mean=100.0, max=100.0)),
    }
    assert len(oci_server.received) == 4
    first = oci_server.received[0]
    assert first.path.startswith("/20180401/metrics/actions/summarizeMetricsData?compartmentId=")
    assert first.document == {
        "namespace": "oci_datascience_jobrun",
        "query": f'CpuUtilization[1m]{{resourceId =~ "{ONE}|{TWO}"}}.groupBy(resourceId).mean()',
        # From the first start to the last end, and an interval more on either side.
        "startTime": "2026-01-31T09:59:00Z",
        "endTime": "2026-01-31T12:01:00Z",
    }


@pytest.mark.parametrize(
    ("hours", "interval"), [(6, "[1m]"), (7, "[5m]"), (25, "[20m]"), (200, "[1h]")]
)
def test_the_longer_a_run_the_longer_the_intervals(
    caller: Caller, oci_server: ScriptedOci, hours: float, interval: str
) -> None:
    oci_server.will(streams(), streams(), streams(), streams())
    assert ask(caller, span(ONE, hours)) == {}
    assert interval in oci_server.received[0].document["query"]


def test_a_refused_query_is_told_and_no_other_is_made(
    caller: Caller, oci_server: ScriptedOci
) -> None:
    oci_server.will(error(404, "NotAuthorizedOrNotFound"))
    answer = ask(caller, span(ONE))
    assert isinstance(answer, Refusal)
    assert answer.kind is RefusalKind.NOT_AUTHORIZED_OR_NOT_FOUND
    assert len(oci_server.received) == 1
