"""All that an OCIJobRun lives in: the API server, its job, its identity, its Secret, and OCI."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tests.unit.reconcile.simulation.api_server import ApiServer
from tests.unit.reconcile.simulation.identity import SimulatedIdentity
from tests.unit.reconcile.simulation.oci_runs import SimulatedRuns
from tests.unit.reconcile.simulation.oci_spark_runs import SimulatedSparkRuns
from tests.unit.reconcile.simulation.run_circumstances import Circumstances
from tests.unit.reconcile.simulation.run_outputs import RunOutputs
from tests.unit.reconcile.simulation.run_queue import QUEUE_LABEL, SimulatedQueue
from tests.unit.reconcile.simulation.weather import Weather

from ocijobs.api.job.spec import OCIJob
from ocijobs.api.run.binding import JobBinding
from ocijobs.api.run.spec import OCIJobRun
from ocijobs.api.shared.dependency import DependencyKind
from ocijobs.api.shared.environment import EnvVar, ReferencedValue
from ocijobs.api.shared.metadata import OwnerReference
from ocijobs.backends.records import Refusal, RunState
from ocijobs.backends.values import ValueKey, Values
from ocijobs.reconcile.actions.calls import Operation
from ocijobs.reconcile.dependencies import DependencyView, Relations
from ocijobs.reconcile.serving import bind_job
from ocijobs.testing import (
    START,
    ManualClock,
    make_caller,
    make_metadata,
    make_ready_job,
    make_ready_spark_job,
    make_run,
)

ODD_MICROSECONDS = timedelta(microseconds=123456)
"""Nobody's clock shows whole seconds."""


IGNORES = {"action": "Ignore", "on_exit_codes": {"operator": "In", "values": [3]}}
IGNORES_DETAILS = {"action": "Ignore", "on_lifecycle_details": {"pattern": "exception"}}
"""Failures that the policy ignores: those that simulated runs have. Data Flow tells no exit code."""

_SWEEP = OwnerReference(kind="OCIJobSweep", name="sweep", uid="uid-of-sweep", controller=True)

UPSTREAM = (DependencyKind.RUN, "upstream")


class RunWorld:
    """The surroundings of one OCIJobRun name."""

    def __init__(self, circumstances: Circumstances) -> None:
        self.circumstances = circumstances
        self.clock = ManualClock(START + ODD_MICROSECONDS)
        self.weather = Weather(self.clock)
        self.oci = self._oci()
        self.oci.lag = timedelta(seconds=circumstances.lag)
        self.oci.log_known_from = circumstances.log or RunState.DELETED
        self.left = RunOutputs(self.clock, self.weather, self.oci, circumstances)
        self.api: ApiServer[OCIJobRun] = ApiServer()
        self.secrets: list[str] = []
        self.secret_there = True
        self.change_secret()
        self.job: OCIJob | None = None
        self.application_env: dict[str, str | None] = {}
        """What the OCI job has of variables."""
        self._jobs = 0
        self.create_job()
        self.identity = SimulatedIdentity()
        self.shared: JobBinding | None = None
        """The job as the run's sweep is bound to it."""
        if circumstances.swept and self.job is not None:
            self.shared = bind_job(self.job, make_caller())
        self.upstream: DependencyView | None = None
        self.queue = SimulatedQueue(self.clock, served=circumstances.kueue)
        self.create_run()

    def _oci(self) -> SimulatedRuns:
        given = self.circumstances
        if given.on_data_flow:
            return SimulatedSparkRuns(self.clock, self.weather, stream=given.stream)
        return SimulatedRuns(self.clock, self.weather)

    @property
    def jobs_made(self) -> int:
        """How many OCIJobs of the name there were."""
        return self._jobs

    # What users do.

    def create_run(self) -> None:
        """Create the object; where one of that name is, nothing happens."""
        policy = "Delete" if self.circumstances.delete_record else "Retain"
        given = self.circumstances
        reference = {"kind": "OCIJobRun", "name": "upstream", "result": "best"}
        env = [{"name": "BEST", "value_from": {"result_ref": reference}}] if given.waits else []
        ignored = IGNORES_DETAILS if given.on_data_flow else IGNORES
        run = make_run(
            metadata=make_metadata("run").model_copy(
                update={
                    "labels": QUEUE_LABEL if given.queued else {},
                    "owner_references": (_SWEEP,) if given.swept else (),
                }
            ),
            deletion_policy=policy,
            backoff_limit=given.backoff_limit,
            failure_policy={"rules": [ignored]} if given.ignores else None,
            active_deadline_seconds=given.deadline,
            pre_running_deadline_seconds=given.pre_running,
            ttl_seconds_after_finished=300 if given.expires else None,
            env=env,
        )
        self.api.create(run, self.clock.now())

    def end_upstream(self, *, succeeded: bool) -> None:
        """Let the run end that this one waits for; an end is final."""
        if self.upstream is None:
            self.upstream = DependencyView(
                uid="uid-of-upstream",
                phase="Succeeded" if succeeded else "Failed",
                ended=True,
                succeeded=succeeded,
                values={"result:best": "ridge"} if succeeded else {},
            )

    @property
    def relations(self) -> Relations:
        """What is around the run."""
        return Relations(views={UPSTREAM: self.upstream} if self.upstream is not None else {})

    def create_job(self) -> None:
        """Create the OCIJob under a new uid, ready to serve."""
        if self.job is None:
            self._jobs += 1
            self._sync(generation=1)

    def edit_job(self) -> None:
        """Change the OCIJob, which is not taken up yet."""
        if self.job is not None:
            meta, spec = self.job.metadata, self.job.spec
            changed = meta.model_copy(update={"generation": meta.generation + 1})
            env = tuple(EnvVar.model_validate(v) for v in self._env(changed.generation))
            edited = {"metadata": changed, "spec": spec.model_copy(update={"env": env})}
            self.job = self.job.model_copy(update=edited)

    def sync_job(self) -> None:
        """Let the OCIJob's last change become another OCI job; an application is changed in place."""
        job = self.job
        if job is None or job.status.observed_generation == job.metadata.generation:
            return
        self._sync(generation=job.metadata.generation, deleted=job.metadata.deletion_timestamp)

    def delete_job(self) -> None:
        """Delete the OCIJob, which goes when `remove_job` is called."""
        if self.job is not None:
            meta = self.job.metadata.model_copy(update={"deletion_timestamp": self.clock.now()})
            self.job = self.job.model_copy(update={"metadata": meta})

    def remove_job(self) -> None:
        """Let an OCIJob go that is being deleted."""
        if self.job is not None and self.job.metadata.deleting:
            self.job = None

    def _env(self, generation: int) -> list[dict[str, Any]]:
        """Return the job's variables. An application has them changed in place, so that they tell how old it is."""
        plain = f"x{generation}" if self.circumstances.on_data_flow else "x"
        env: list[dict[str, Any]] = [{"name": "PLAIN", "value": plain}]
        if self.circumstances.secret:
            selector = {"name": "secret", "key": "token"}
            env.append({"name": "TOKEN", "value_from": {"secret_key_ref": selector}})
        return env

    def _sync(self, *, generation: int, deleted: datetime | None = None) -> None:
        uid = f"uid-of-job-{self._jobs}"
        meta = make_metadata("job", uid=uid, generation=generation, finalizer=True, deleted=deleted)
        given, results = self.circumstances, ["auc"] if self.circumstances.results else None
        if given.on_data_flow:
            self.job = make_ready_spark_job(
                metadata=meta,
                revision=f"v1-{self._jobs}",
                data_flow={"type": "STREAMING"} if given.stream else None,
                env=self._env(generation),
                results=results,
            )
        else:
            self.job = make_ready_job(
                metadata=meta,
                revision=f"v1-{self._jobs}-{generation}",
                env=self._env(generation),
                outputs={"uri": "oci://b@n/$(JOB_RUN_OCID)"} if given.outputs else None,
                results=results,
            )
        assert self.job.status.job_id is not None
        self.oci.jobs.add(self.job.status.job_id)
        self.application_env = {v.name: v.value for v in self.job.spec.env}

    def change_secret(self) -> None:
        """Give the Secret another value."""
        self.secrets.append(f"hunter{len(self.secrets)}-secret")

    # What the shell reads.

    def values(self, keys: tuple[tuple[ValueKey, bool], ...]) -> Values | Refusal:
        """Read the Secret."""
        return self.weather.call(Operation.READ_VALUES, lambda: self._values(keys))

    def _values(self, keys: tuple[tuple[ValueKey, bool], ...]) -> Values:
        if not self.secret_there:
            return Values(values={}, missing=("there is no Secret secret",))
        version = str(len(self.secrets))
        item = ReferencedValue(kind="Secret", name="secret", uid="u", resource_version=version)
        return Values(values={key: self.secrets[-1] for key, _ in keys}, objects=(item,))

    # The end.

    def heal(self) -> None:
        """Let everything work that the run needs, from now on."""
        self.weather.clear()
        self.identity.heal()
        self.secret_there = True
        self.end_upstream(succeeded=True)
        self.api.edit_spec(suspend=False)
        self.queue.generous = True
        self.queue.activate(active=True)
        self.queue.admit()
        if self.job is not None and self.job.metadata.deleting:
            self.job = None
        self.create_job()
        self.sync_job()
