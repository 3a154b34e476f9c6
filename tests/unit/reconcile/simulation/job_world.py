"""All that an OCIJob lives in: the API server, its code, its runs, its identity, and OCI."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from tests.unit.reconcile.simulation.api_server import ApiServer
from tests.unit.reconcile.simulation.identity import SimulatedIdentity
from tests.unit.reconcile.simulation.oci_applications import SimulatedApplications
from tests.unit.reconcile.simulation.oci_jobs import SimulatedJobs
from tests.unit.reconcile.simulation.weather import Weather

from ocijobs.api.job.spec import OCIJob
from ocijobs.api.run.phase import Phase
from ocijobs.api.shared.conditions import ConditionType, is_true
from ocijobs.api.shared.environment import EnvVar
from ocijobs.api.shared.model import DeletionPolicy
from ocijobs.api.shared.names import ANNOTATION_REQUESTED_AT
from ocijobs.backends.records import Refusal, RefusalKind
from ocijobs.reconcile.actions.calls import Operation
from ocijobs.reconcile.actions.jobs import ReadSources
from ocijobs.reconcile.job.observation import RunView
from ocijobs.reconcile.known.sources import SourceNamed, SourcesRead
from ocijobs.testing import (
    CODE_BUCKET,
    NAMESPACE,
    START,
    ManualClock,
    make_job,
    make_sources,
    make_spark_job,
)

ODD_MICROSECONDS = timedelta(microseconds=123456)
"""Nobody's clock shows whole seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCircumstances:
    """What does not change in a history.

    Attributes:
        lag: by how many seconds OCI's lists are late; less than the time between two searches.
        activation: how many seconds OCI takes to activate a job.
        deletion: how many seconds OCI takes to delete a job.
        records_hold: whether OCI refuses to delete a job while records of its runs remain.
        history_limit: spec.revisionHistoryLimit.
        retain: whether spec.deletionPolicy is Retain.
        spark: whether it is a Spark job, whose OCI jobs are applications of Data Flow.
        remote: whether the code is outside of the cluster.
    """

    lag: float = 0
    activation: float = 0
    deletion: float = 0
    records_hold: bool = False
    history_limit: int = 1
    retain: bool = False
    spark: bool = False
    remote: bool = False


class JobWorld:
    """The surroundings of one OCIJob name."""

    def __init__(self, circumstances: JobCircumstances) -> None:
        self.circumstances = circumstances
        self.clock = ManualClock(START + ODD_MICROSECONDS)
        self.weather = Weather(self.clock)
        self.identity = SimulatedIdentity()
        self.applications = SimulatedApplications(self.clock, self.weather)
        self.applications.needed = self._needed
        self.oci = self._oci()
        self.oci.lag = timedelta(seconds=circumstances.lag)
        self.oci.activation = timedelta(seconds=circumstances.activation)
        self.oci.deletion = timedelta(seconds=circumstances.deletion)
        self.oci.records_hold = circumstances.records_hold and not circumstances.spark
        self.api: ApiServer[OCIJob] = ApiServer()
        self.code = 1
        self.code_there = True
        self.code_valid = True
        self.code_poison = False
        """Whether the process comes to its end that reads the code."""
        self.code_in_use: frozenset[str] = frozenset()
        """Folders of code that another job has."""
        self.wanted_after: datetime | None = None
        self.runs: tuple[RunView, ...] = ()
        self._launched = 0
        self.create_job()

    def _oci(self) -> SimulatedJobs:
        if self.circumstances.spark:
            return self.applications
        return SimulatedJobs(self.clock, self.weather)

    # What users do.

    def create_job(self) -> None:
        """Create the object; where one of that name is, nothing happens."""
        if self.api.object is not None:
            return
        self.runs = ()
        policy = DeletionPolicy.RETAIN if self.circumstances.retain else DeletionPolicy.DELETE
        source: dict[str, Any] = {"source": {"config_map": {"name": "code"}}}
        if self.circumstances.remote:
            source = {"source": {"object_storage": {"uri": "oci://code@team/train/"}}}
        given: dict[str, Any] = {
            "deletion_policy": policy,
            "revision_history_limit": self.circumstances.history_limit,
        }
        self.api.create(self._job(source, given), self.clock.now())

    def _job(self, source: dict[str, Any], given: dict[str, Any]) -> OCIJob:
        if self.circumstances.spark:
            return make_spark_job(spark=source, **given)
        return make_job(runtime={"script": source}, **given)

    def edit_variables(self, value: str) -> None:
        """Set the job's variable: another revision, or a former one again; in place of Spark."""
        self.api.edit_spec(env=(EnvVar(name="VARIANT", value=value),))

    def edit_spark(self, version: str) -> None:
        """Set the version of Spark: another revision of a Spark job, with the same code."""
        job = self.api.object
        given = job.spec.infrastructure.data_flow if job is not None else None
        if job is not None and given is not None:
            edited = given.model_copy(update={"spark_version": version})
            infrastructure = job.spec.infrastructure.model_copy(update={"data_flow": edited})
            self.api.edit_spec(infrastructure=infrastructure)

    def others_take_code(self) -> None:
        """Let another job have the code that this one has: the folder is one."""
        self.others_drop_code()
        uri = f"{CODE_BUCKET}/cluster/{NAMESPACE}/{self.artifact}"
        self.code_in_use = frozenset({uri})
        self.applications.folders[uri] = self.artifact

    def others_drop_code(self) -> None:
        """Let that job go, with the code unless this one has it."""
        dropped, self.code_in_use = self.code_in_use, frozenset()
        for uri in dropped:
            if not self._needed(uri):
                self.applications.folders.pop(uri, None)

    def _needed(self, uri: str) -> bool:
        """Whether a job goes on having a folder of code, as the API server tells it."""
        job = self.api.object
        going = job is None or (job.metadata.deleting and not job.spec.retained)
        kept = () if job is None or going else job.status.revisions
        ours = {r.artifact.uri for r in kept if r.artifact is not None and not r.removing}
        return uri in self.code_in_use or uri in ours

    def misconfigure(self) -> None:
        """Set a variable that is reserved."""
        self.api.edit_spec(env=(EnvVar(name="JOB_OCID", value="x"),))

    def rename(self) -> None:
        """Change what OCI changes in place."""
        if self.api.object is not None:
            former = self.api.object.spec.display_name or "name"
            self.api.edit_spec(display_name=f"{former[:20]}'")

    def request(self) -> None:
        """Ask for the sources to be read."""
        self.api.annotate(ANNOTATION_REQUESTED_AT, self.clock.now().isoformat())

    def change_code(self) -> None:
        """Change the ConfigMap, of which nobody tells the operator."""
        self.code += 1

    def revert_code(self) -> None:
        """Give the ConfigMap its former content back."""
        self.code = max(1, self.code - 1)

    def restore_code(self) -> None:
        """Let the ConfigMap be there, with code that can be run."""
        self.code_there = self.code_valid = True
        self.code_poison = False

    # Runs.

    def launch(self) -> None:
        """Let a run be launched, as soon as the job has read its sources for it."""
        self.wanted_after = self.clock.now()
        job = self.api.object
        ready = job is not None and is_true(job.status.conditions, ConditionType.READY)
        remote = self.oci.find(job.status.job_id) if job is not None else None
        if remote is None or not ready or not self.oci.living(remote):
            return
        self._launched += 1
        run = RunView(
            name=f"run-{self._launched}",
            phase=Phase.ACCEPTED,
            live=True,
            job_id=remote.id,
            accepted_time=self.clock.now().replace(microsecond=0),
        )
        self.runs = (*self.runs, run)
        self.oci.active[remote.id] += 1

    def end_run(self) -> None:
        """Let the oldest live run end."""
        run = next((run for run in self.runs if run.live), None)
        if run is None or run.job_id is None:
            return
        self.runs = tuple(
            replace(r, live=False, job_id=None, phase=Phase.SUCCEEDED) if r is run else r
            for r in self.runs
        )
        self._end_in_oci(run.job_id)

    def launch_elsewhere(self) -> None:
        """Let somebody run the newest OCI job from the console."""
        if self.oci.jobs and self.oci.living(self.oci.jobs[-1]):
            self.oci.active[self.oci.jobs[-1].id] += 1

    def end_all_runs(self) -> None:
        """Let all runs end, ours and others'."""
        while any(run.live for run in self.runs):
            self.end_run()
        self.end_elsewhere()

    def end_elsewhere(self) -> None:
        """Let the runs end that are none of ours."""
        for job_id in list(self.oci.active):
            ours = sum(run.live and run.job_id == job_id for run in self.runs)
            for _ in range(self.oci.active[job_id] - ours):
                self._end_in_oci(job_id)

    def _end_in_oci(self, job_id: str) -> None:
        self.oci.active[job_id] -= 1
        self.oci.records[job_id] += 1

    # What the shell reads.

    def sources(
        self, job: OCIJob, action: ReadSources, now: datetime
    ) -> SourcesRead | SourceNamed | Refusal:
        """Read the code, and build the artifact; or ask a remote source for its version."""
        return self.weather.call(Operation.READ_SOURCES, lambda: self._answer(job, action, now))

    def _answer(
        self, job: OCIJob, action: ReadSources, now: datetime
    ) -> SourcesRead | SourceNamed | Refusal:
        read = self._sources(job, now)
        if not self.circumstances.remote or read.missing is not None:
            return read
        version = f"{self.code} {self.code_valid} {self.code_poison}"
        if action.version is not None:
            if self.code_poison:
                return Refusal(kind=RefusalKind.DIED, message="the process that read it ended")
            return replace(read, version=action.version)
        if action.served is not None and action.served.version == version:
            return replace(read, version=version)
        return SourceNamed(
            checked_at=now, generation=read.generation, requested=read.requested, version=version
        )

    def _sources(self, job: OCIJob, now: datetime) -> SourcesRead:
        meta = job.metadata
        read = make_sources(
            checked_at=now,
            generation=meta.generation,
            requested=meta.annotations.get(ANNOTATION_REQUESTED_AT, ""),
        )
        if not self.code_there:
            return replace(read, digest="", sha256="", missing="there is no ConfigMap code")
        if not self.code_valid:
            return replace(read, digest="", sha256="", invalid="spec.runtime: no file is Python")
        name = "main.py" if self.circumstances.spark else read.name
        return replace(read, digest=f"{self.code:064x}", sha256=self.artifact, name=name)

    @property
    def artifact(self) -> str:
        """SHA-256 of the artifact that the code makes."""
        return f"{self.code + 0xA000:064x}"

    # The end.

    def heal(self) -> None:
        """Let everything work that the job needs, from now on, and let its runs end."""
        self.weather.clear()
        self.identity.heal()
        if RefusalKind.INVALID in self.weather.refused:
            # What OCI refused for good is tried again under other circumstances only.
            self.identity.renew()
        self.restore_code()
        job = self.api.object
        if job is not None and any(variable.name == "JOB_OCID" for variable in job.spec.env):
            self.edit_variables("healed")
        self.end_all_runs()
