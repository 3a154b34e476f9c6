"""The logs of runs, which are there when a run is over."""

import gzip
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from oci_emulator.calls.call import Answer, Call
from oci_emulator.calls.errors import not_found
from oci_emulator.calls.paging import items_page
from oci_emulator.formats.jsontypes import JsonObject
from oci_emulator.services.dataflow import lifecycle
from oci_emulator.services.dataflow.owned import RUN, find
from oci_emulator.services.foundation import Foundation
from oci_emulator.state.resources import Resource
from oci_emulator.time.clock import timestamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """One log."""

    name: str
    source: str
    type: str
    text: str

    def content(self) -> bytes:
        """The log as it is kept: the same bytes each time."""
        return gzip.compress(self.text.encode(), mtime=0)


class RunLogs:
    """The logs of runs."""

    def __init__(self, foundation: Foundation) -> None:
        self._foundation = foundation
        self._directory_of: Callable[[str], Path] | None = None

    def attach(self, directory_of: Callable[[str], Path]) -> None:
        """Say where the logs of a run are that has really run: ``stdout``, ``stderr``, ``driver``."""
        self._directory_of = directory_of

    def list_all(self, call: Call) -> Answer:
        """ListRunLogs: nothing until the run is over."""
        run = find(self._foundation, call, RUN, call.path["runId"])
        shown = [_summary(run, log) for log in self._logs(run)]
        return items_page(shown, call, default_limit=self._foundation.rules.default_page_size)

    def get(self, call: Call) -> Answer:
        """GetRunLog: compressed, as Content-Encoding says."""
        run = find(self._foundation, call, RUN, call.path["runId"])
        name = call.path["name"]
        found = [log for log in self._logs(run) if log.name == name]
        if not found:
            raise not_found(f"log {name[:255]}")
        content = found[0].content()
        return Answer(
            body=content,
            headers={
                "content-type": "text/plain; charset=utf-8",
                "content-encoding": "gzip",
                "etag": run.etag,
                "opc-meta-run-id": run.id,
                "opc-meta-source": found[0].source,
                "opc-meta-type": found[0].type,
            },
            resource=run.id,
        )

    def _logs(self, run: Resource) -> Iterator[Log]:
        """The logs of a run that is over and has begun."""
        if run.state not in lifecycle.ENDED or "began" not in run.inner:
            return iter(())
        if run.inner["mode"] == "process" and self._directory_of is not None:
            return _logs(run, _taken_down(self._directory_of(run.id)))
        return _logs(run, _simulated(run))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Texts:
    """The texts of a run's logs: of the application, the driver and each executor."""

    output: str
    errors: str
    driver: str
    executor: str


def _simulated(run: Resource) -> _Texts:
    output = "".join(f"{line}\n" for line in run.inner.get("output", []))
    errors = f"{run.body['lifecycleDetails']}\n" if run.state == "FAILED" else ""
    note = "This run was simulated: no Spark has run.\n"
    return _Texts(output=output, errors=errors, driver=note, executor=note)


def _taken_down(directory: Path) -> _Texts:
    def text(name: str) -> str:
        path = directory / name
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    return _Texts(
        output=text("stdout"),
        errors=text("stderr"),
        driver=text("driver"),
        executor="The executors ran in the driver's process.\n",
    )


def _logs(run: Resource, texts: _Texts) -> Iterator[Log]:
    # spark_driver_stderr_<time>.log.gz is Oracle's example; the rest is named like it.
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(run.inner["began"]))
    for kind, text, driver in (
        ("stdout", texts.output, ""),
        ("stderr", texts.errors, texts.driver),
    ):
        yield Log(
            name=f"spark_application_{kind}.log.gz",
            source="APPLICATION",
            type=kind.upper(),
            text=text,
        )
        yield Log(
            name=f"spark_driver_{kind}_{stamp}.log.gz",
            source="DRIVER",
            type=kind.upper(),
            text=driver,
        )
        for number in range(1, run.body["numExecutors"] + 1):
            yield Log(
                name=f"spark_executor_{number}_{kind}_{stamp}.log.gz",
                source="EXECUTOR",
                type=kind.upper(),
                text=texts.executor if kind == "stderr" else "",
            )


def _summary(run: Resource, log: Log) -> JsonObject:
    return {
        "name": log.name,
        "runId": run.id,
        "source": log.source,
        "type": log.type,
        "sizeInBytes": len(log.content()),
        "timeCreated": timestamp(run.inner["ended"]),
    }
