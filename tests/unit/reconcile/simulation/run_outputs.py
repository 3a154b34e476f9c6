"""What simulated runs leave behind: lines of output, results, files, and what they used of their machines."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from tests.unit.reconcile.simulation.oci_runs import SimulatedRun, SimulatedRuns
from tests.unit.reconcile.simulation.run_circumstances import Circumstances
from tests.unit.reconcile.simulation.weather import Weather

from ocijobs.api.run.observed import LogFile, OutputList, RunMetrics, Utilisation
from ocijobs.backends.data_flow.requests import ApplicationRunRequest
from ocijobs.backends.data_science.requests import RunRequest
from ocijobs.backends.records import Refusal
from ocijobs.backends.requests import expect
from ocijobs.reconcile.actions.calls import Operation
from ocijobs.reconcile.output import LogLines, RunOutput
from ocijobs.testing import ManualClock

LOG_FILES = (LogFile(name="spark_driver_stdout.log.gz", source="DRIVER", type="STDOUT"),)


class RunOutputs:
    """Tells of runs that have ended, as late as it is told to."""

    def __init__(
        self, clock: ManualClock, weather: Weather, oci: SimulatedRuns, circumstances: Circumstances
    ) -> None:
        self._clock, self._weather = clock, weather
        self._oci, self._circumstances = oci, circumstances

    def log_lines(self, run_id: str) -> LogLines | Refusal:
        """Search the log for the run's last lines and result lines."""

        def search() -> LogLines:
            run = self._oci.find(run_id)
            return self._shown(run, 1 if self._late(run, self._circumstances.log_lag) else 3)

        return self._weather.call(Operation.SEARCH_LOGS, search)

    def run_logs(self, run_id: str) -> RunOutput | Refusal:
        """Read the logs that Data Flow keeps: none of a run that never began, all or none of others."""

        def read() -> RunOutput:
            run = self._oci.find(run_id)
            if run.started_at is None or self._late(run, self._circumstances.log_lag):
                return RunOutput(lines=self._shown(run, 0), files=())
            return RunOutput(lines=self._shown(run, 3), files=LOG_FILES)

        return self._weather.call(Operation.SEARCH_LOGS, read)

    def _late(self, run: SimulatedRun, seconds: float) -> bool:
        ended = run.ended_at
        return ended is None or self._clock.now() < ended + timedelta(seconds=seconds)

    def _shown(self, run: SimulatedRun, count: int) -> LogLines:
        result = '{"ocijobs.io/results": {"auc": 0.930}}'
        lines = [f"run {run.id}", f"password: {_secret_of(run)}", result][:count]
        return LogLines(
            tail=lines, results=[s for s in lines if s.startswith("{") and self._prints]
        )

    @property
    def _prints(self) -> bool:
        return self._circumstances.results and self._circumstances.printed

    def results(self) -> Mapping[str, str] | Refusal | None:
        """Read results.json, which the driver writes at the end of a run that has outputs."""
        return self._weather.call(
            Operation.READ_RESULTS, lambda: {"auc": "0.930"} if self._prints else None
        )

    def outputs(self) -> OutputList | Refusal:
        """List the outputs."""
        return self._weather.call(
            Operation.LIST_OUTPUTS, lambda: OutputList(count=1, objects=("oci://b@n/model",))
        )

    def utilisation(self, run_id: str) -> RunMetrics | Refusal | None:
        """Ask Monitoring what the run used."""

        def ask() -> RunMetrics | None:
            late = self._circumstances.measured
            if late is None or self._late(self._oci.find(run_id), late):
                return None
            return RunMetrics(cpu_utilization=Utilisation(mean=50.0, max=99.5))

        return self._weather.call(Operation.READ_UTILISATION, ask)


def _secret_of(run: SimulatedRun) -> str:
    """Return the value of the variable TOKEN, as the run was sent it."""
    request = run.request
    if not isinstance(request, RunRequest):
        spark = expect(request, ApplicationRunRequest).spark
        properties = spark.configuration if spark is not None else None
        return (properties or {}).get("spark.driverEnv.TOKEN", "-")
    if request.workload is None:
        return "-"
    (configuration,) = request.workload.configurations
    return configuration.environment_variables.get("TOKEN", "-")
