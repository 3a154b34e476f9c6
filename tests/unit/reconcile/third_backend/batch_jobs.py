"""Histories of a job of a third service, in which nothing is changed in place: what is edited is another revision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.support.batch import BATCH, SHAPE, BatchJobRequest
from tests.unit.reconcile.simulation.job_history import JobCommand
from tests.unit.reconcile.simulation.job_laws import JobLaws
from tests.unit.reconcile.simulation.job_scenario import JobScenario
from tests.unit.reconcile.simulation.job_shell import JobShell
from tests.unit.reconcile.simulation.job_world import JobCircumstances, JobWorld
from tests.unit.reconcile.simulation.laws import demand
from tests.unit.reconcile.simulation.oci_jobs import SimulatedJob, SimulatedJobs
from tests.unit.reconcile.simulation.scenario import Scenario

from ocijobs.api.job.spec import OCIJob
from ocijobs.api.job.status import OCIJobStatus
from ocijobs.api.shared.metadata import ObjectMeta
from ocijobs.backends.requests import JobCreation, expect
from ocijobs.reconcile.actions.action import Action
from ocijobs.reconcile.actions.jobs import (
    CreateJob,
    DeleteCode,
    FindName,
    ListShapes,
    UpdateJob,
)
from ocijobs.testing import make_job


@dataclass
class BatchJob(SimulatedJob):
    """A job that stays as it was made."""

    @property
    def content(self) -> JobCreation:
        """What would make the job."""
        return self.request


class BatchJobs(SimulatedJobs):
    """The jobs of one compartment. Nobody changes one."""

    kind = BATCH.job_type

    def _made(self, ocid: str, request: JobCreation) -> SimulatedJob:
        return BatchJob(ocid, request, request.settings)

    def variables_of(self, job: SimulatedJob) -> Mapping[str, str]:
        """Return the variables that tasks have which have none of their own."""
        return expect(job.request, BatchJobRequest).variables

    def change_settings(self) -> None:
        """Do nothing: there is no call for it."""


class BatchJobWorld(JobWorld):
    """The surroundings of a job of Batch."""

    def _oci(self) -> SimulatedJobs:
        return BatchJobs(self.clock, self.weather)

    def _job(self, source: dict[str, Any], given: dict[str, Any]) -> OCIJob:
        machines = {"data_science_job": {"shape_name": SHAPE}}
        return make_job(infrastructure=machines, runtime={"script": source}, **given)


class BatchJobLaws(JobLaws):
    """The laws of all jobs, and those of Batch."""

    def on_call(self, seen: ObjectMeta, action: Action) -> None:
        """Batch is asked for what it has, and is sent its own requests."""
        super().on_call(seen, action)
        unknown = UpdateJob | ListShapes | FindName | DeleteCode
        demand(not isinstance(action, unknown), "Batch is asked for what it has")
        if isinstance(action, CreateJob):
            demand(isinstance(action.request, BatchJobRequest), "a request's service")
            demand(action.backend == BATCH.name, "a creation tells its service")

    def on_write(self, uid: str, former: OCIJobStatus, after: OCIJobStatus) -> None:
        """A status tells of Batch."""
        super().on_write(uid, former, after)
        demand(after.backend in {None, BATCH.name}, "a status tells the service")
        demand(after.project_id is None, "jobs of Batch are in no project")


class BatchJobScenario(JobScenario):
    """One job of Batch from its creation to its deletion."""

    def __init__(self, circumstances: JobCircumstances) -> None:
        self.world = BatchJobWorld(circumstances)
        self.laws = BatchJobLaws(self.world)
        self.shell = JobShell(self.world, self.laws)
        Scenario.__init__(self, self.world.weather, self.shell)


def batch_job_history(
    circumstances: JobCircumstances, history: Sequence[JobCommand]
) -> BatchJobScenario:
    """Play a history to the end, all laws watched."""
    scenario = BatchJobScenario(circumstances)
    scenario.play(history)
    scenario.finish()
    return scenario
