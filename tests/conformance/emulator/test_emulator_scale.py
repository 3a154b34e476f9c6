"""Ten thousand simulated runs: what they cost the emulator in time and memory.

Time is the processor time of the emulator's one process, and is held against what this process needs to read and write
the JSON of one page of a hundred runs: machines differ, and so does one machine from hour to hour.
``pytest --log-cli-level INFO`` shows the figures.
"""

import http.client
import json
import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

RUNS = 10_000
READS = 2_000
LISTS = 300
PAGES = 300
MOST_PAGES_OF_CREATION = 3.3
MOST_PAGES_OF_READ = 1.1
MOST_PAGES_OF_LIST = 6.2
"""What a request may cost, in pages of JSON."""

BYTES_OF_RUN = 5 * 1024

_logger = logging.getLogger(__name__)


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_bytes(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


class Caller:
    """Sends requests one after the other over one connection, and measures what they cost."""

    def __init__(self, cloud: Any, raw: Any) -> None:
        self._raw = raw
        self._pid = cloud.emulator.pid
        self._connection = http.client.HTTPConnection(raw.host, timeout=60)
        self.cost: dict[str, float] = {}

    def close(self) -> None:
        self._connection.close()

    def _send(self, method: str, target: str, body: bytes) -> Any:
        headers = self._raw.headers(method, target, body)
        self._connection.request(method, target, body or None, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        assert answer.status == 200, content
        return json.loads(content)

    def all(self, what: str, requests: Iterable[tuple[str, str, bytes]]) -> Iterator[Any]:
        """The answers; at their end, `cost` has what one of them took."""
        before, number = processor_seconds(self._pid), 0
        for method, target, body in requests:
            yield self._send(method, target, body)
            number += 1
        self.cost[what] = (processor_seconds(self._pid) - before) / number
        _logger.info("%s: %.0f a second of processor time", what, 1 / self.cost[what])


def seconds_of_page(page: Any) -> float:
    """What it takes to write and read the JSON of a page, on this machine and now."""
    before = time.process_time()
    for _ in range(PAGES):
        json.loads(json.dumps(page))
    return (time.process_time() - before) / PAGES


@pytest.mark.bench
def test_ten_thousand_runs_are_created_listed_and_read(
    own_process: Callable[..., Any], raw_client: Any, request: pytest.FixtureRequest
) -> None:
    cloud = own_process(mode="simulated")
    cloud.emulator.set_mode("simulated", default={"inProgress": 3600})
    job = cloud.job()
    caller = Caller(cloud, raw_client(cloud.emulator))
    request.addfinalizer(caller.close)
    details = cloud.data_science.base_client.sanitize_for_serialization(cloud.run_details(job.id))
    body = json.dumps(details).encode()
    before = resident_bytes(cloud.emulator.pid)

    creations = (("POST", "/20190101/jobRuns", body) for _ in range(RUNS))
    runs = [run["id"] for run in caller.all("creation", creations)]
    assert len(set(runs)) == RUNS

    reads = (("GET", f"/20190101/jobRuns/{run}", b"") for run in runs[-READS:])
    assert [run["id"] for run in caller.all("read", reads)] == runs[-READS:]

    cloud.emulator.wait_for_run(runs[-1], "IN_PROGRESS")
    page = f"/20190101/jobRuns?compartmentId={cloud.tenancy}&limit=100&lifecycleState=IN_PROGRESS"
    lists = (("GET", page, b"") for _ in range(LISTS))
    listed = list(caller.all("list", lists))
    assert {len(each) for each in listed} == {100}

    page_seconds = seconds_of_page(listed[0])
    pages = {what: seconds / page_seconds for what, seconds in caller.cost.items()}
    _logger.info("in pages of JSON: %s", pages)
    assert pages["creation"] <= MOST_PAGES_OF_CREATION
    assert pages["read"] <= MOST_PAGES_OF_READ
    assert pages["list"] <= MOST_PAGES_OF_LIST

    grown = (resident_bytes(cloud.emulator.pid) - before) / RUNS
    _logger.info("%.0f bytes of memory a run", grown)
    assert grown < BYTES_OF_RUN

    cloud.emulator.advance(2 * 3600)
    cloud.emulator.wait_for_run(runs[-1], "SUCCEEDED")
