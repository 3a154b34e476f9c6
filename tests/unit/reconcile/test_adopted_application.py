"""An application made elsewhere that is adopted without its code: what is not said here stays as it is there."""

from __future__ import annotations

from typing import Any

from ocijobs.api.job import OCIJob
from ocijobs.api.job_run import OCIJobRun
from ocijobs.api.job_status import AdoptedJob
from ocijobs.api.run_binding import ReferencedValue
from ocijobs.reconcile.environment import ValueKey, Values
from ocijobs.reconcile.job.configuration import job_request
from ocijobs.reconcile.requests import (
    ApplicationRequest,
    ApplicationRunRequest,
    SparkSettings,
)
from ocijobs.reconcile.run.known import RunKnown
from ocijobs.reconcile.run.launch import Launch, prepare
from ocijobs.testing import (
    COMPARTMENT,
    REGION,
    SETTLED,
    make_ocid,
    make_ready_spark_job,
    make_run,
    make_run_observation,
)

APPLICATION = make_ocid("dataflowapplication", "elsewhere")
SECRET = {"name": "TOKEN", "value_from": {"secret_key_ref": {"name": "secret", "key": "token"}}}


def adopted(**spec: Any) -> OCIJob:
    """Return a job that is Ready with the application, and has no runtime."""
    given = {"runtime": None, "adopt": {"ocid": APPLICATION}, **spec}
    job = make_ready_spark_job(job_id=APPLICATION, **given)
    status = job.status.model_copy(update={"adopted": AdoptedJob(ocid=APPLICATION, kept=True)})
    return job.model_copy(update={"status": status})


def kept(job: OCIJob) -> SparkSettings:
    """Return what the application is changed to in place."""
    request = job_request(
        job,
        cluster_id="cluster",
        revision="v1-a",
        compartment_id=COMPARTMENT,
        project_id=None,
        region=REGION,
        log=None,
        storage_mounts=(),
        artifact=None,
        pool_id=None,
    )
    assert isinstance(request, ApplicationRequest)
    return request.settings.spark


def sent(run: OCIJobRun, job: OCIJob, known: RunKnown | None = None) -> SparkSettings:
    """Return what a run is sent."""
    o = make_run_observation(run=run, job=job, known=known or RunKnown())
    launch = prepare(o, SETTLED)
    assert isinstance(launch, Launch), launch
    assert isinstance(launch.request, ApplicationRunRequest)
    assert launch.request.spark is not None
    return launch.request.spark


def test_arguments_and_parameters_of_an_adopted_application_stay() -> None:
    settings = kept(adopted())
    assert (settings.arguments, settings.parameters) == (None, None)
    settings = sent(make_run(spark={"num_executors": 2}), adopted())
    assert (settings.arguments, settings.parameters) == (None, None)


def test_arguments_that_the_manifest_has_are_the_application_s() -> None:
    assert kept(adopted(args=["ours"])).arguments == ("ours",)


def test_a_run_adds_variables_to_those_of_the_manifest() -> None:
    job = adopted(env=[{"name": "A", "value": "1"}])
    settings = sent(make_run(env=[{"name": "B", "value": "2"}]), job)
    assert settings.configuration == {
        "dataflow.auth": "resource_principal",
        "spark.driverEnv.A": "1",
        "spark.executorEnv.A": "1",
        "spark.driverEnv.B": "2",
        "spark.executorEnv.B": "2",
    }


def test_a_variable_from_a_secret_reaches_the_runs_of_an_adopted_application() -> None:
    key = ValueKey("Secret", "secret", "token")
    item = ReferencedValue(kind="Secret", name="secret", uid="u", resource_version="1")
    values = Values(values={key: "hunter2"}, objects=(item,))
    known = RunKnown(values=values, values_at=SETTLED)
    settings = sent(make_run(), adopted(env=[SECRET]), known)
    assert settings.configuration is not None
    assert settings.configuration["spark.driverEnv.TOKEN"] == "hunter2"
