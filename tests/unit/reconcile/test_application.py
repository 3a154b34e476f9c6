"""What a Spark job is on Data Flow: its configuration, its plan, and where an application is not as it says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ocijobs.api.identity import IdentityDefaults
from ocijobs.api.job.machines.data_flow import ApplicationType
from ocijobs.api.job.spec import OCIJob
from ocijobs.api.job.status import Artifact, Revision
from ocijobs.api.shared.conditions import ConditionType, find
from ocijobs.backends.data_flow.application import added, application_of
from ocijobs.backends.data_flow.backend import DATA_FLOW
from ocijobs.backends.data_flow.requests import ApplicationRequest, SparkMachine, SparkSettings
from ocijobs.backends.differences import all_differences, setting_differences
from ocijobs.backends.requests import NameKind
from ocijobs.backends.revision import adopted_name, job_request
from ocijobs.reconcile.actions.jobs import FindName
from ocijobs.reconcile.blocking import Blocker
from ocijobs.reconcile.job.adoption import adopt
from ocijobs.reconcile.job.decide import decide_job
from ocijobs.reconcile.job.observation import JobObservation
from ocijobs.reconcile.job.place import Place, find_place
from ocijobs.reconcile.job.plan import Plan, make_plan
from ocijobs.reconcile.known.job import JobKnown
from ocijobs.testing import (
    CODE_BUCKET,
    COMPARTMENT,
    LOG_GROUP,
    NAMESPACE,
    SETTLED,
    START,
    make_caller,
    make_identity_view,
    make_job_input,
    make_job_observation,
    make_job_record,
    make_metadata,
    make_ocid,
    make_sources,
    make_spark_job,
)

SHA256 = "ab" * 32
FOLDER = f"{CODE_BUCKET}/cluster/{NAMESPACE}/{SHA256}"
CODE = Artifact(
    name="main.py",
    sha256=SHA256,
    size=1,
    uri=FOLDER,
    libraries=("modules.zip", "a.jar", "b.jar"),
)
CONDA = {"type": "published", "uri": "oci://envs@n/conda/spark"}
FLEX = {"ocpus": 2, "memory_in_gbs": 32}
SECRET = {"name": "TOKEN", "value_from": {"secret_key_ref": {"name": "secret", "key": "token"}}}
POOL = make_ocid("dataflowpool")
APPLICATION = make_ocid("dataflowapplication", "elsewhere")


# Configuration.


def requested(job: OCIJob, *, artifact: Artifact | None = CODE) -> ApplicationRequest:
    """Return what the job's application is made with."""
    made = make_job_input(job=job, project_id=None, artifact=artifact)
    request = job_request(DATA_FLOW, made, "v1-a")
    assert isinstance(request, ApplicationRequest)
    return request


def settings_of(artifact: Artifact | None = None, **spec: Any) -> SparkSettings:
    """Return what an application says of its runs."""
    return requested(make_spark_job(**spec), artifact=artifact).settings.spark


def configured(artifact: Artifact | None = None, **spec: Any) -> dict[str, str]:
    """Return the properties of an application."""
    return dict(settings_of(artifact, **spec).configuration or {})


def test_runs_have_rights_of_their_own_unless_the_job_says_otherwise() -> None:
    assert configured() == {"dataflow.auth": "resource_principal"}
    given = {"spark_configuration": {"dataflow.auth": "delegation_token"}}
    assert configured(data_flow=given) == {"dataflow.auth": "delegation_token"}


def test_jars_and_modules_beside_the_code_are_added_to_those_that_the_job_names() -> None:
    given = {
        "spark.jars": "oci://b@n/theirs.jar",
        "spark.submit.pyFiles": "oci://b@n/theirs.zip",
        "spark.archives": "oci://b@n/theirs.tar.gz",
    }
    found = configured(CODE, data_flow={"spark_configuration": given}, spark={"conda": CONDA})
    assert found == {
        "dataflow.auth": "resource_principal",
        "spark.jars": f"{FOLDER}/a.jar,{FOLDER}/b.jar,oci://b@n/theirs.jar",
        "spark.submit.pyFiles": f"{FOLDER}/modules.zip,oci://b@n/theirs.zip",
        "spark.archives": "oci://envs@n/conda/spark#conda,oci://b@n/theirs.tar.gz",
    }


def test_lists_grow_and_other_properties_are_replaced() -> None:
    former = {"spark.jars": "a", "spark.files": "", "x": "1", "y": "1"}
    further = {"spark.jars": "b", "spark.files": "c", "x": "2"}
    assert added(former, further) == {"spark.jars": "a,b", "spark.files": "c", "x": "2", "y": "1"}


def test_executors_that_come_and_go_are_tracked_without_a_shuffle_service() -> None:
    found = configured(data_flow={"dynamic_allocation": {"min_executors": 2, "max_executors": 8}})
    prefix = "spark.dynamicAllocation."
    assert {k.removeprefix(prefix): v for k, v in found.items() if k.startswith(prefix)} == {
        "enabled": "true",
        "shuffleTracking.enabled": "true",
        "minExecutors": "2",
        "maxExecutors": "8",
    }


def test_variables_are_driver_s_and_executors_and_stand_in_arguments() -> None:
    env = [{"name": "A", "value": "1"}, {"name": "B", "value": "$(A)2"}, SECRET]
    spark = settings_of(env=env, args=["--b", "$(B)", "${parameter}"])
    assert spark.configuration == {
        "dataflow.auth": "resource_principal",
        "spark.driverEnv.A": "1",
        "spark.executorEnv.A": "1",
        "spark.driverEnv.B": "12",
        "spark.executorEnv.B": "12",
    }
    assert spark.arguments == ("--b", "12", "${parameter}")


def test_executors_have_the_driver_s_machine_unless_they_have_one_of_their_own() -> None:
    driver = SparkMachine(shape="VM.Standard.E4.Flex", ocpus=1, memory_in_gbs=16)
    assert (settings_of().driver, settings_of().executor) == (driver, driver)
    other = {"executor_shape": "VM.Standard.E4.Flex", "executor_shape_config": FLEX}
    executor = SparkMachine(shape="VM.Standard.E4.Flex", ocpus=2, memory_in_gbs=32)
    assert settings_of(data_flow=other).executor == executor
    fixed = {"executor_shape": "VM.Standard2.1"}
    assert settings_of(data_flow=fixed).executor == SparkMachine(shape="VM.Standard2.1")


def test_the_code_is_where_its_content_says() -> None:
    request = requested(make_spark_job())
    assert request.settings.code.file_uri == f"{FOLDER}/main.py"
    assert requested(make_spark_job(), artifact=None).settings.code.file_uri is None


# The plan.


def planned(o: JobObservation) -> Plan | Blocker | None:
    """Return what the job is to be."""
    place = find_place(o, make_caller(), None)
    assert isinstance(place, Place)
    return make_plan(o, place, SETTLED)


def observed(job: OCIJob, **changes: Any) -> JobObservation:
    """Return a Spark job whose sources were read."""
    known = JobKnown(sources=make_sources(name="main.py"))
    return make_job_observation(**{"job": job, "known": known, **changes})


def test_without_a_bucket_for_the_code_the_identity_is_named() -> None:
    job = make_spark_job(data_flow={"artifact_bucket_uri": None})
    found = planned(observed(job))
    assert isinstance(found, Blocker)
    assert (found.reason, found.terminal) == ("InvalidSpec", True)
    assert found.message == (
        "spec.infrastructure.dataFlow.artifactBucketUri: is not set, and OCIIdentity default has no "
        "spec.defaults.artifactBucketUri: set one of the two"
    )


def test_the_identity_s_bucket_serves_a_job_that_names_none() -> None:
    defaults = IdentityDefaults(log_group_id=LOG_GROUP, artifact_bucket_uri="oci://all@namespace/")
    job = make_spark_job(data_flow={"artifact_bucket_uri": None})
    plan = planned(observed(job, identity=make_identity_view(defaults=defaults)))
    assert isinstance(plan, Plan)
    assert plan.artifact is not None
    assert plan.artifact.uri == f"oci://all@namespace/cluster/{NAMESPACE}/{SHA256}"


def test_a_job_of_spark_needs_no_project_and_is_in_none() -> None:
    plan = planned(observed(make_spark_job()))
    assert isinstance(plan, Plan)
    assert plan.request.project_id is None


def test_code_of_a_complete_revision_stays_where_it_is_however_it_is_packed_now() -> None:
    """An operator of another version makes other bytes of the same sources."""
    first = planned(observed(make_spark_job()))
    assert isinstance(first, Plan)
    made = Revision(
        name=first.revision,
        job_id=make_ocid("dataflowapplication"),
        settings_digest=first.settings_digest,
        artifact=CODE,
        complete=True,
        last_used_at=START,
    )
    job = make_spark_job()
    status = job.status.model_copy(update={"revisions": (made,)})
    sources = make_sources(name="main.py", sha256="cd" * 32, libraries=("modules.zip",))
    later = observed(job.model_copy(update={"status": status}), known=JobKnown(sources=sources))
    plan = planned(later)
    assert isinstance(plan, Plan)
    assert (plan.revision, plan.artifact) == (first.revision, CODE)
    assert isinstance(plan.request, ApplicationRequest)
    assert plan.request.settings.spark.configuration is not None
    assert plan.request.settings.spark.configuration["spark.submit.pyFiles"] == (
        f"{FOLDER}/modules.zip"
    )


def test_code_of_an_application_that_is_adopted_stays_where_it_is() -> None:
    """What another cluster made has its modules there, too, and nobody puts them anywhere else."""
    sources = make_sources(name="main.py", libraries=("modules.zip",))
    former = planned(
        observed(make_spark_job(), known=JobKnown(sources=sources), cluster_id="another")
    )
    assert isinstance(former, Plan)
    record = make_job_record(
        id=APPLICATION, owner=f"another/uid/{former.revision}", content=former.request
    )
    job = make_spark_job(
        metadata=make_metadata("job", finalizer=True),
        adopt={"ocid": APPLICATION, "former_owner": "another/uid"},
    )
    o = observed(job, known=JobKnown(sources=sources))
    plan = planned(o)
    assert isinstance(plan, Plan)
    status = adopt(o, plan, record, SETTLED).status
    after = planned(replace(o, job=job.model_copy(update={"status": status})))
    assert isinstance(after, Plan)
    assert isinstance(former.request, ApplicationRequest)
    assert isinstance(after.request, ApplicationRequest)
    assert after.request.settings.code == former.request.settings.code
    assert after.request.settings.spark == former.request.settings.spark


def test_a_job_of_the_other_service_is_not_adopted() -> None:
    ocid = make_ocid("datasciencejob")
    job = make_spark_job(adopt={"ocid": ocid})
    status = decide_job(observed(job), SETTLED).status
    ready = find(status.conditions, ConditionType.READY)
    assert ready is not None
    assert (ready.reason, ready.message) == (
        "InvalidSpec",
        f"spec.adopt.ocid: {ocid} is of DataScience, and spec.infrastructure is of DataFlow",
    )


def test_a_pool_that_is_given_by_name_is_found_in_the_job_s_compartment_first() -> None:
    job = make_spark_job(data_flow={"pool_name": "nightly"})
    o = observed(job)
    found = planned(o)
    assert isinstance(found, Blocker)
    assert isinstance(found.action, FindName)
    name = found.action.name
    assert (name.kind, name.name, found.action.compartment_id) == (
        NameKind.POOL,
        "nightly",
        COMPARTMENT,
    )
    assert name.field == "spec.infrastructure.dataFlow.poolName"
    plan = planned(replace(o, known=replace(o.known, names={name: POOL})))
    assert isinstance(plan, Plan)
    assert isinstance(plan.request, ApplicationRequest)
    assert plan.request.settings.spark.pool_id == POOL
    assert [(n.kind, n.id) for n in plan.names] == [("Pool", POOL)]


def test_a_session_has_no_code() -> None:
    job = make_spark_job(data_flow={"type": "SESSION"}, spark={"source": None})
    plan = planned(observed(job, known=JobKnown(sources=make_sources(name="", sha256=""))))
    assert isinstance(plan, Plan)
    assert isinstance(plan.request, ApplicationRequest)
    assert plan.request.settings.code.file_uri is None


# Differences.


def test_each_change_in_place_is_told_by_its_field() -> None:
    wanted = requested(
        make_spark_job(
            args=["a"],
            data_flow={"num_executors": 4, "spark_configuration": {"x": "1"}},
            spark={"parameters": [{"name": "p", "value": "1"}]},
        )
    )
    found = requested(make_spark_job(data_flow={"driver_shape_config": FLEX}))
    differences = setting_differences(DATA_FLOW, wanted.settings, found.settings)
    assert {(d.field, d.wanted, d.found) for d in differences} == {
        ("infrastructure.dataFlow.driverShapeConfig.ocpus", "1.0", "2.0"),
        ("infrastructure.dataFlow.driverShapeConfig.memoryInGBs", "16.0", "32.0"),
        ("infrastructure.dataFlow.executorShapeConfig.ocpus", "1.0", "2.0"),
        ("infrastructure.dataFlow.executorShapeConfig.memoryInGBs", "16.0", "32.0"),
        ("infrastructure.dataFlow.numExecutors", "4", "1"),
        ("infrastructure.dataFlow.sparkConfiguration[x]", "1", "-"),
        ("runtime.spark.parameters[p]", "1", "-"),
        ("args", "('a',)", "-"),
    }


def test_a_machine_of_a_fixed_shape_has_no_size_to_tell_of() -> None:
    fixed = {"driver_shape": "VM.Standard2.1", "driver_shape_config": None}
    wanted = requested(make_spark_job(data_flow=fixed))
    found = requested(make_spark_job(data_flow={**fixed, "driver_shape": "VM.Standard2.2"}))
    differences = setting_differences(DATA_FLOW, wanted.settings, found.settings)
    assert {d.field for d in differences} == {
        "infrastructure.dataFlow.driverShape",
        "infrastructure.dataFlow.executorShape",
    }


def test_an_application_of_another_type_is_another() -> None:
    wanted = requested(make_spark_job())
    found = replace(wanted, type=ApplicationType.STREAMING)
    (difference,) = all_differences(DATA_FLOW, wanted, found)
    assert (difference.field, difference.wanted, difference.found) == (
        "infrastructure.dataFlow.type",
        "BATCH",
        "STREAMING",
    )


def test_an_application_that_is_adopted_without_a_runtime_is_its_own_revision() -> None:
    job = make_spark_job(runtime=None, adopt={"ocid": APPLICATION})
    sources = make_sources(name="", sha256="", size=0)
    plan = planned(observed(job, known=JobKnown(sources=sources)))
    assert isinstance(plan, Plan)
    assert plan.revision == adopted_name(APPLICATION)


def test_an_application_of_nobody_tells_nothing_of_its_code() -> None:
    """Its files may be anything, so another is made beside it."""
    job = make_spark_job(metadata=make_metadata("job", finalizer=True), adopt={"ocid": APPLICATION})
    o = observed(job)
    plan = planned(o)
    assert isinstance(plan, Plan)
    record = make_job_record(id=APPLICATION, content=plan.request)
    (revision,) = adopt(o, plan, record, SETTLED).status.revisions
    assert revision.name == adopted_name(APPLICATION)


def test_values_of_variables_that_an_application_has_are_not_shown() -> None:
    wanted = requested(make_spark_job(env=[{"name": "A", "value": "1"}]))
    found = requested(make_spark_job(env=[{"name": "A", "value": "hunter2"}]))
    differences = setting_differences(DATA_FLOW, wanted.settings, found.settings)
    assert {(d.field, d.wanted, d.found) for d in differences} == {("env[A]", "1", "another value")}


def test_what_others_added_to_an_application_is_no_difference() -> None:
    found = requested(
        make_spark_job(
            freeform_tags={"theirs": "x"}, data_flow={"spark_configuration": {"theirs": "x"}}
        )
    )
    assert (
        setting_differences(DATA_FLOW, requested(make_spark_job()).settings, found.settings) == ()
    )


def test_what_an_update_does_not_take_away_is_no_difference() -> None:
    found = requested(make_spark_job(spark={"archive_uri": "oci://b@n/theirs.zip"}))
    wanted = requested(make_spark_job())
    assert setting_differences(DATA_FLOW, wanted.settings, found.settings) == ()


def test_arguments_that_others_added_are_one() -> None:
    found = requested(make_spark_job(args=["a"]))
    (difference,) = setting_differences(
        DATA_FLOW, requested(make_spark_job()).settings, found.settings
    )
    assert (difference.field, difference.found) == ("args", "('a',)")


def test_what_makes_another_application_is_told_of_one_that_is_looked_at() -> None:
    wanted = requested(make_spark_job(spark={"class_name": "org.example.Main"}))
    found = requested(make_spark_job(data_flow={"spark_version": "3.2.1"}))
    assert {(d.field, d.wanted, d.found) for d in all_differences(DATA_FLOW, wanted, found)} == {
        ("infrastructure.dataFlow.sparkVersion", "3.5.0", "3.2.1"),
        ("runtime.spark.className", "org.example.Main", "-"),
    }


def test_properties_of_an_application_made_elsewhere_are_not_kept() -> None:
    bound = application_of(
        requested(make_spark_job(data_flow={"spark_configuration": {"key": "hunter2"}}))
    )
    assert bound.configuration == {}
    assert (bound.driver_shape, bound.num_executors) == ("VM.Standard.E4.Flex", 1)
