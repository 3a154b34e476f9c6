"""What a run of a Spark job is sent, and what it can't have."""

from __future__ import annotations

from typing import Any

import pytest

from ocijobs.api.job.machines.data_flow import ApplicationType, SparkLanguage
from ocijobs.api.run.phase import Phase
from ocijobs.api.run.spec import OCIJobRun
from ocijobs.api.run.status import Attempt, OCIJobRunStatus
from ocijobs.api.shared.environment import ReferencedValue
from ocijobs.api.shared.names import ANNOTATION_SCHEDULED_TIME
from ocijobs.backends.data_flow.requests import (
    ApplicationCode,
    ApplicationRequest,
    ApplicationRunRequest,
    ApplicationSettings,
    SparkMachine,
    SparkSettings,
)
from ocijobs.backends.records import RunState
from ocijobs.backends.requests import Tags
from ocijobs.backends.values import ValueKey, Values
from ocijobs.reconcile.actions.objects import RemoveFinalizer
from ocijobs.reconcile.known.job import JobKnown
from ocijobs.reconcile.known.run import RunKnown
from ocijobs.reconcile.run.decide import decide_run
from ocijobs.reconcile.run.gates import Launch
from ocijobs.reconcile.run.observation import RunObservation
from ocijobs.reconcile.run.prelaunch import await_launch, prepare
from ocijobs.testing import (
    COMPARTMENT,
    SETTLED,
    make_job_record,
    make_metadata,
    make_ocid,
    make_ready_spark_job,
    make_run,
    make_run_observation,
    make_spark_run_record,
    make_submission,
)

APPLICATION = make_ocid("dataflowapplication", "elsewhere")
E4, A1 = "VM.Standard.E4.Flex", "VM.Standard.A1.Flex"
SIZE = {"ocpus": 4, "memory_in_gbs": 64}
SECRET = {"name": "TOKEN", "value_from": {"secret_key_ref": {"name": "secret", "key": "token"}}}
VAULT = {"name": "KEY", "value_from": {"vault_secret_ref": {"secret_id": make_ocid("vaultsecret")}}}
ON_EXIT_CODES = {"action": "Ignore", "on_exit_codes": {"operator": "In", "values": [3]}}
PROPERTIES = {
    "dataflow.auth": "resource_principal",
    "spark.driverEnv.DEPTH": "4",
    "spark.executorEnv.DEPTH": "4",
}


def observed(run: OCIJobRun | None = None, **job: Any) -> RunObservation:
    """Return a run of a Spark job that has a variable and an argument."""
    given = {"env": [{"name": "DEPTH", "value": "4"}], "args": ["--n", "$(DEPTH)"], **job}
    return make_run_observation(run=run or make_run(), job=make_ready_spark_job(**given))


def elsewhere(**spec: Any) -> RunObservation:
    """Return a run of an application that was made elsewhere."""
    machine = SparkMachine(shape=E4, ocpus=2, memory_in_gbs=32)
    settings = ApplicationSettings(
        display_name="theirs",
        description=None,
        tags=Tags(freeform={}, defined={}),
        code=ApplicationCode(
            language=SparkLanguage.PYTHON,
            spark_version="3.5.0",
            file_uri="oci://b@n/main.py",
            class_name=None,
            private_endpoint_id=None,
        ),
        spark=SparkSettings(
            driver=machine,
            executor=machine,
            num_executors=3,
            configuration={"spark.theirs": "hunter2"},
            parameters={"name": "theirs"},
            arguments=("theirs",),
        ),
    )
    content = ApplicationRequest(
        compartment_id=COMPARTMENT,
        type=ApplicationType.BATCH,
        settings=settings,
    )
    record = make_job_record(id=APPLICATION, content=content)
    return make_run_observation(
        run=make_run(job_ref=None, job_id=APPLICATION, **spec),
        job=None,
        job_known=JobKnown(record=record),
    )


def launched(o: RunObservation) -> Launch:
    """Return the launch, which nothing hinders."""
    launch = prepare(o, SETTLED)
    assert isinstance(launch, Launch), launch
    return launch


def sent(o: RunObservation) -> SparkSettings | None:
    """Return what a run is sent in place of what its application says."""
    request = launched(o).request
    assert isinstance(request, ApplicationRunRequest)
    return request.spark


def problem(o: RunObservation) -> str:
    """Return why the run ends before it is launched, in words."""
    status = await_launch(o, SETTLED).status
    assert status.phase is Phase.FAILED
    failed = next(c for c in status.conditions if c.type == "Failed")
    assert failed.reason == "InvalidSpec"
    return failed.message


def test_a_run_that_overrides_nothing_is_sent_nothing() -> None:
    assert sent(observed()) is None


@pytest.mark.parametrize(
    "spec",
    [
        {"args": ["--n", "5"]},
        {"env": [{"name": "OTHER", "value": "x"}]},
        {"maximum_runtime_in_minutes": 5},
        {"spark": {"num_executors": 8}},
    ],
    ids=lambda spec: next(iter(spec)),
)
def test_a_run_that_overrides_anything_is_sent_all_of_it(spec: dict[str, Any]) -> None:
    settings = sent(observed(make_run(**spec)))
    assert settings is not None
    assert settings.configuration is not None
    assert PROPERTIES.items() <= settings.configuration.items()
    assert settings.arguments == (("--n", "5") if "args" in spec else ("--n", "4"))
    assert settings.driver == SparkMachine(shape=E4, ocpus=1, memory_in_gbs=16)
    assert settings.num_executors == (8 if "spark" in spec else 1)


def test_a_runs_machines_and_properties_are_laid_over_the_jobs() -> None:
    ours = {
        "executor_shape": E4,
        "executor_shape_config": SIZE,
        "spark_configuration": {"spark.jars": "oci://b@n/ours.jar", "dataflow.auth": "user"},
        "parameters": [{"name": "b", "value": "ours"}],
        "logs_bucket_uri": "oci://logs@n",
    }
    settings = sent(
        observed(
            make_run(spark=ours),
            data_flow={"spark_configuration": {"spark.jars": "oci://b@n/theirs.jar"}},
            spark={"parameters": [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}]},
        )
    )
    assert settings is not None
    assert settings.configuration == PROPERTIES | {
        "dataflow.auth": "user",
        "spark.jars": "oci://b@n/theirs.jar,oci://b@n/ours.jar",
    }
    assert settings.parameters == {"a": "1", "b": "ours"}
    assert settings.driver.shape == E4
    assert settings.executor == SparkMachine(shape=E4, ocpus=4, memory_in_gbs=64)
    assert settings.logs_bucket_uri == "oci://logs@n"


def test_the_time_of_a_schedule_is_a_variable_of_driver_and_executors() -> None:
    annotations = {ANNOTATION_SCHEDULED_TIME: "2026-01-01T12:00:00Z"}
    settings = sent(observed(make_run(metadata=make_metadata("run", annotations=annotations))))
    assert settings is not None
    assert settings.configuration is not None
    told = {k: v for k, v in settings.configuration.items() if v == "2026-01-01T12:00:00Z"}
    assert [name.partition(".OCIJOBS_")[0] for name in told] == [
        "spark.driverEnv",
        "spark.executorEnv",
    ]


def _with_secret(value: str, version: str) -> RunObservation:
    key = ValueKey("Secret", "secret", "token")
    item = ReferencedValue(kind="Secret", name="secret", uid="u", resource_version=version)
    known = RunKnown(values=Values(values={key: value}, objects=(item,)), values_at=SETTLED)
    return make_run_observation(run=make_run(), job=make_ready_spark_job(env=[SECRET]), known=known)


def test_a_request_has_the_same_digest_while_its_secrets_are_the_same_objects() -> None:
    first = launched(_with_secret("hunter1", "1"))
    assert first.request_digest == launched(_with_secret("hunter1", "1")).request_digest
    assert first.request_digest == launched(_with_secret("other", "1")).request_digest
    assert first.request_digest != launched(_with_secret("hunter1", "2")).request_digest
    assert "hunter1" not in repr(first)


def test_a_variable_from_a_secret_is_sent_with_each_run() -> None:
    settings = sent(_with_secret("hunter1", "1"))
    assert settings is not None
    assert settings.configuration is not None
    assert settings.configuration["spark.driverEnv.TOKEN"] == "hunter1"


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"infrastructure": {"block_storage_size_in_gbs": 100}}, "spec.infrastructure"),
        ({"logging": {"enable_logging": False}}, "spec.logging"),
        ({"container": {"image": "iad.ocir.io/n/i:1"}}, "spec.container"),
        (
            {"failure_policy": {"rules": [ON_EXIT_CODES]}},
            "spec.failurePolicy.rules[0].onExitCodes",
        ),
        ({"spark": {"executor_shape": A1, "executor_shape_config": SIZE}}, "spec.spark"),
        ({"env": [VAULT]}, "spec.env: KEY"),
        ({"env": [{"name": "JOB_OCID", "value": "x"}]}, "spec.env: JOB_OCID"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_a_run_of_spark_can_not_have_ends_it_with_the_field_named(
    spec: dict[str, Any], field: str
) -> None:
    assert problem(observed(make_run(**spec))).startswith(f"{field}: ")


def test_a_run_of_a_job_of_data_science_has_no_spark() -> None:
    o = make_run_observation(run=make_run(spark={"num_executors": 2}))
    assert problem(o) == "spec.spark: OCIJob job runs no Spark"


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"env": [{"name": "A", "value": "x"}]}, "spec.env"),
        ({"spark": {"spark_configuration": {"a": "b"}}}, "spec.spark.sparkConfiguration"),
    ],
    ids=["env", "sparkConfiguration"],
)
def test_the_configuration_of_an_application_made_elsewhere_can_not_be_added_to(
    spec: dict[str, Any], field: str
) -> None:
    said = problem(elsewhere(**spec))
    assert said.startswith(f"{field}: ")
    assert APPLICATION in said


def test_a_run_of_an_application_made_elsewhere_that_overrides_nothing_is_sent_nothing() -> None:
    assert sent(elsewhere()) is None


def test_of_what_an_application_made_elsewhere_has_the_arguments_can_be_replaced_alone() -> None:
    machine = SparkMachine(shape=E4, ocpus=2, memory_in_gbs=32)
    o = elsewhere(args=["ours"])
    assert sent(o) == SparkSettings(
        driver=machine,
        executor=machine,
        num_executors=3,
        configuration=None,
        parameters=None,
        arguments=("ours",),
    )
    assert "hunter2" not in str(launched(o).binding.document())


def _ended(*, deleted: bool = False, policy: str = "Delete") -> RunObservation:
    run_id = make_ocid("dataflowrun")
    attempt = Attempt(number=0, job_run_id=run_id, lifecycle_state=RunState.SUCCEEDED)
    job_id = make_ocid("dataflowapplication")
    status = OCIJobRunStatus(
        phase=None if deleted else Phase.SUCCEEDED,
        submit=make_submission(job_id=job_id),
        job_id=job_id,
        job_run_id=run_id,
        attempts=(attempt,),
        observed_generation=1,
    )
    meta = make_metadata("run", finalizer=True, deleted=SETTLED if deleted else None)
    known = RunKnown(record=make_spark_run_record(RunState.CANCELED), ended_at=SETTLED)
    run = make_run(metadata=meta, status=status, deletion_policy=policy)
    return make_run_observation(run=run, job=None, known=known)


@pytest.mark.parametrize("deleted", [False, True], ids=["at the end", "at the deletion"])
def test_that_a_record_stays_which_was_to_go_is_told_when_the_object_is_let_go(
    *, deleted: bool
) -> None:
    decision = decide_run(_ended(deleted=deleted), SETTLED)
    assert decision.actions == (RemoveFinalizer(),)
    (note,) = decision.notes
    assert note.reason == "RecordsRemain"
    assert make_ocid("dataflowrun") in note.message


def test_of_a_record_that_was_to_stay_nothing_is_told() -> None:
    decision = decide_run(_ended(policy="Retain"), SETTLED)
    assert decision.actions == (RemoveFinalizer(),)
    assert decision.notes == ()
