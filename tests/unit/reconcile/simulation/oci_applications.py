"""Simulated applications of OCI Data Flow, whose code is in folders of Object Storage."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import fields, replace

from tests.unit.reconcile.simulation.oci_jobs import SimulatedJob, SimulatedJobs
from tests.unit.reconcile.simulation.weather import Weather

from ocijobs.api.job.status import Artifact
from ocijobs.backends.data_flow.requests import ApplicationRequest, ApplicationSettings
from ocijobs.backends.records import JobState, Refusal
from ocijobs.backends.requests import JobChange, expect
from ocijobs.reconcile.actions.calls import Operation
from ocijobs.testing import ManualClock


class SimulatedApplications(SimulatedJobs):
    """The applications of one compartment, which are active at once, and the folders of their code.

    Attributes:
        folders: address -> SHA-256 of the code that is there.
        uploaders: address -> uids of the objects whose code it was.
        strays: folders that came back by a request which had timed out.
        needed: told an address, tells whether a job goes on having it.
    """

    kind = "dataflowapplication"
    born = JobState.ACTIVE

    def __init__(self, clock: ManualClock, weather: Weather) -> None:
        super().__init__(clock, weather)
        self.folders: dict[str, str] = {}
        self.uploaders: dict[str, set[str]] = defaultdict(set)
        self.strays: set[str] = set()
        self.needed: Callable[[str], bool] = lambda _: False

    def code_of(self, job: SimulatedJob) -> str | None:
        """Return the SHA-256 of the code that is where the application says."""
        request = job.request
        assert isinstance(request, ApplicationRequest)
        return self.folders.get((request.settings.code.file_uri or "").rpartition("/")[0])

    def variables_of(self, job: SimulatedJob) -> Mapping[str, str]:
        """Return the variables of the driver."""
        settings = expect(job.settings, ApplicationSettings)
        properties = settings.spark.configuration or {}
        prefix = "spark.driverEnv."
        return {k.removeprefix(prefix): v for k, v in properties.items() if k.startswith(prefix)}

    def change_settings(self) -> None:
        """Let somebody change the newest application: also what no update takes away again."""
        super().change_settings()
        if self.jobs and isinstance(settings := self.jobs[-1].settings, ApplicationSettings):
            spark = replace(settings.spark, archive_uri="oci://theirs@namespace/archive.zip")
            self.jobs[-1].settings = replace(settings, spark=spark)

    def update(self, job_id: str, settings: JobChange) -> Refusal | None:
        """UpdateApplication: what is None stays as it is."""
        job = self.find(job_id)
        assert isinstance(settings, ApplicationSettings)
        if job is not None and isinstance(job.settings, ApplicationSettings):
            former, spark = job.settings.spark, settings.spark
            stays = {
                one.name: getattr(former, one.name)
                for one in fields(spark)
                if getattr(spark, one.name) is None
            }
            settings = replace(settings, spark=replace(spark, **stays))
        return super().update(job_id, settings)

    def upload(self, job_id: str, artifact: Artifact) -> Refusal | None:
        """PutObject, unless the code is there: Object Storage knows of no application."""
        self.calls[Operation.UPLOAD] += 1
        job, uri, asked_at = self.find(job_id), artifact.uri, self._clock.now()
        assert job is not None
        assert uri is not None

        def carry_out() -> Refusal | None:
            if uri not in self.folders and self._clock.now() > asked_at:
                self.strays.add(uri)
            self.folders[uri] = artifact.sha256
            self.uploaders[uri].add(job.uid)
            return None

        return self._weather.call(Operation.UPLOAD, carry_out)

    def delete_code(self, uri: str) -> Refusal | None:
        """DeleteObject of all that is in the folder, unless some job has it by now."""
        self.calls[Operation.DELETE_CODE] += 1
        if self.needed(uri):
            return None

        def carry_out() -> None:
            self.folders.pop(uri, None)

        return self._weather.call(Operation.DELETE_CODE, carry_out)
