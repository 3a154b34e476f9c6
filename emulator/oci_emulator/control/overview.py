"""What the page shows: jobs and runs at a glance, the log of a run, its metrics."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from oci_emulator.calls.errors import no_such_path
from oci_emulator.control.call import ControlCall, Route
from oci_emulator.formats.jsontypes import JsonObject
from oci_emulator.services.datascience.metering import NAMESPACE
from oci_emulator.services.datascience.plans import Plans
from oci_emulator.services.datascience.progression import JOB, RUN, Progression
from oci_emulator.services.foundation import Foundation
from oci_emulator.services.logging.entries import LogEntries
from oci_emulator.services.monitoring.store import MetricStore
from oci_emulator.state.resources import Resource, Selection
from oci_emulator.time.clock import timestamp

_NEWEST = 200
_LONGEST_WAIT = 60.0
_ENTRIES = 1000
_CHARTED_SECONDS = 3600.0


class OverviewControl:
    """Answers the page's requests.

    Args:
        config: the config file that clients are told of.
    """

    def __init__(
        self,
        foundation: Foundation,
        *,
        progression: Progression,
        plans: Plans,
        entries: LogEntries,
        metrics: MetricStore,
        config: Path,
    ) -> None:
        self._foundation = foundation
        self._progression = progression
        self._plans = plans
        self._entries = entries
        self._metrics = metrics
        self._config = config

    def routes(self) -> Sequence[Route]:
        """What it answers."""
        return (
            ("GET", "overview", self._overview),
            ("GET", "runs/{id}/log", self._run_log),
            ("GET", "runs/{id}/metrics", self._run_metrics),
        )

    async def _overview(self, call: ControlCall) -> JsonObject:
        """The newest 200 jobs and runs, and how many runs there are in each state.

        ``lifecycleState`` keeps only the runs in a state. With ``wait`` and ``since``, the version
        of an earlier answer, it comes when some run has changed since, or when so many real
        seconds have passed.
        """
        seconds = min(float(call.query.get("wait", 0)), _LONGEST_WAIT)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while call.query.get("since", "") == self._version():
                    await self._progression.changes.wait()
        clock = self._foundation.clock
        now = clock.now()
        return {
            "version": self._version(),
            "now": timestamp(now),
            "seconds": now,
            "rate": clock.rate,
            "mode": self._plans.mode,
            "profile": self._foundation.profile.name,
            "config": str(self._config),
            "counts": self._foundation.resources.count_by_state(RUN),
            "runs": self._runs(call.query.get("lifecycleState", "")),
            "jobs": [_job(job) for job in self._newest(JOB)],
        }

    def _version(self) -> str:
        return str(self._progression.changes.number)

    def _newest(self, kind: str, state: str = "") -> list[Resource]:
        equal = {"state": state} if state else {}
        return self._foundation.resources.select(
            Selection(kind=kind, equal=equal, descending=True, limit=_NEWEST)
        )

    def _runs(self, state: str) -> list[JsonObject]:
        runs = self._newest(RUN, state)
        names = {
            identifier: job.name
            for identifier in {run.parent for run in runs}
            if (job := self._foundation.resources.get(JOB, identifier)) is not None
        }
        fields = (
            "id",
            "displayName",
            "lifecycleState",
            "timeAccepted",
            "timeStarted",
            "timeFinished",
        )
        return [
            {name: run.body.get(name) for name in fields} | {"jobName": names.get(run.parent, "")}
            for run in runs
        ]

    def _run_log(self, call: ControlCall) -> JsonObject:
        """The first 1,000 entries of a run ``after`` one, as far as a search finds them by now."""
        run = self._run(call)
        found = self._entries.of_source(
            run.id,
            after=int(call.query.get("after", 0)),
            now=self._foundation.clock.now(),
            limit=_ENTRIES,
        )
        return {
            "entries": [
                {
                    "seq": entry.seq,
                    "time": timestamp(entry.time),
                    "message": str(entry.data.get("message", entry.data)),
                }
                for entry in found
            ]
        }

    def _run_metrics(self, call: ControlCall) -> JsonObject:
        """A run's metrics of the last hour: name -> pairs of time, in seconds, and value."""
        run = self._run(call)
        since = self._foundation.clock.now() - _CHARTED_SECONDS
        found = self._metrics.of_resource(run.compartment, NAMESPACE, run.id, since)
        return {name: [list(point) for point in points] for name, points in found.items()}

    def _run(self, call: ControlCall) -> Resource:
        run = self._foundation.resources.get(RUN, call.path["id"])
        if run is None:
            raise no_such_path(f"There is no job run {call.path['id']}.")
        return run


def _job(job: Resource) -> JsonObject:
    infrastructure = job.body.get("jobInfrastructureConfigurationDetails", {})
    return {
        "id": job.id,
        "displayName": job.name,
        "lifecycleState": job.state,
        "timeCreated": job.body["timeCreated"],
        "shapeName": infrastructure.get("shapeName", ""),
    }
