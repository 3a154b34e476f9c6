"""The output of a run of Data Flow, from the logs that the service keeps once the run has ended.

Spark writes what the code prints, tracebacks of Python included, to `spark_application_stdout.log.gz`. Failures
before the start of the code are in the STDERR of the application or of the driver.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from ocijobs.api.run.observed import LogFile
from ocijobs.backends.records import Refusal
from ocijobs.cloud.calls import Calls
from ocijobs.cloud.clients import Principal, Service
from ocijobs.cloud.log_lines import LineKeeper, plain
from ocijobs.cloud.sdk import oci
from ocijobs.cloud.service_calls import ServiceCalls
from ocijobs.reconcile.legible import legible
from ocijobs.reconcile.output import LogLines, RunOutput
from ocijobs.reconcile.polling import PAGE_SIZE

MOST_FILES = 20
"""How many log files a status lists at most."""

_SOURCES = ("APPLICATION", "DRIVER", "EXECUTOR")
_TYPES = ("STDOUT", "STDERR")
_READ_IN_TURN = (("APPLICATION", "STDOUT"), ("APPLICATION", "STDERR"), ("DRIVER", "STDERR"))
"""Logs that are read in turn until one has text."""

_CHUNK = 1 << 16
_MOST_TEXT = 256 << 20
"""Most bytes that are read of a log, decompressed."""

_LONGEST_NAME = 255


class DataFlowLogs:
    """Reads logs, as the identity of the run."""

    def __init__(self, calls: Calls) -> None:
        self._service = ServiceCalls(calls, Service.DATA_FLOW)

    async def read(
        self, principal: Principal, run_id: str, *, results: bool
    ) -> RunOutput | Refusal:
        """Return the output of a run (ListRunLogs, all pages; GetRunLog). It is empty while there are no logs.

        Args:
            principal: as whom.
            run_id: of the run.
            results: whether to return result lines as well as the last lines.
        """
        found = await self._service.pages(
            principal,
            "ListRunLogs",
            lambda client, page: client.list_run_logs(run_id, limit=PAGE_SIZE, **page),
            _file,
        )
        if isinstance(found, Refusal):
            return found
        files = sorted((file for file in found if file is not None), key=_place)
        lines = await self._lines(principal, run_id, files, results=results)
        if isinstance(lines, Refusal):
            return lines
        return RunOutput(lines=lines, files=tuple(files[:MOST_FILES]))

    async def _lines(
        self, principal: Principal, run_id: str, files: list[LogFile], *, results: bool
    ) -> LogLines | Refusal:
        """Return the lines of the first log with text; of several with the same source and type, the last one's."""
        names = {(file.source, file.type): file.name for file in files}
        for which in _READ_IN_TURN:
            if which not in names:
                continue

            def send(client: Any, name: str = names[which]) -> LineKeeper:
                return _kept(client.get_run_log(run_id, name).data, results=results)

            kept = await self._service.read(principal, "GetRunLog", send)
            if isinstance(kept, Refusal):
                return kept
            if kept.has_text:
                return kept.lines()
        return LogLines(tail=(), results=())


def _file(summary: Any) -> LogFile | None:
    """Return a log; None if its name is too long for the status or can't be shown."""
    name = summary.name or ""
    if not 0 < len(name) <= _LONGEST_NAME or legible(name) != name:
        return None
    return LogFile(
        name=name,
        source=legible(summary.source or ""),
        type=legible(summary.type or ""),
        size_in_bytes=summary.size_in_bytes,
    )


def _place(file: LogFile) -> tuple[int, int, str]:
    return _index(_SOURCES, file.source), _index(_TYPES, file.type), file.name


def _index(order: tuple[str, ...], value: str) -> int:
    return order.index(value) if value in order else len(order)


def _kept(response: Any, *, results: bool) -> LineKeeper:
    """Read a log as far as needed, whether or not the service says that it is compressed."""
    keeper = LineKeeper(results=results)
    size = 0
    # A log that is broken ends where it is, whoever decompresses it.
    with response as stream, suppress(oci.base_client.requests.exceptions.ContentDecodingError):
        for piece in plain(stream.iter_content(_CHUNK)):
            keeper.add(piece)
            size += len(piece)
            if size >= _MOST_TEXT:
                break
    return keeper
