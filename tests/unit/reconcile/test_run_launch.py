"""What a run is launched with: the job's own, its overrides, and what it can't have; and what it waits for before."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.unit.reconcile.decided_jobs import plan_of, request_of

from ocijobs.api.job.spec import OCIJob
from ocijobs.api.job.status import AdoptedJob, ResolvedName
from ocijobs.api.run.binding import BoundApplication
from ocijobs.api.run.phase import Phase
from ocijobs.api.run.status import Attempt, OCIJobRunStatus
from ocijobs.api.shared.conditions import ConditionType, find
from ocijobs.api.shared.dependency import Dependency, DependencyKind
from ocijobs.api.shared.metadata import OwnerReference
from ocijobs.api.shared.names import ANNOTATION_SCHEDULED_TIME
from ocijobs.api.shared.reasons import Reason
from ocijobs.backends.data_science.machines import Compute
from ocijobs.backends.data_science.requests import (
    LogConfiguration,
    MultiNode,
    NoLog,
    RunRequest,
    SingleNode,
)
from ocijobs.backends.job_record import JobRecord
from ocijobs.backends.records import JobState, Refusal, RefusalKind
from ocijobs.backends.values import ValueKey, Values
from ocijobs.reconcile.actions.calls import Operation
from ocijobs.reconcile.actions.objects import CreateObject
from ocijobs.reconcile.actions.runs import RefreshJob
from ocijobs.reconcile.blocking import Blocker
from ocijobs.reconcile.decision import Decision
from ocijobs.reconcile.dependencies import DependencyView, Relations
from ocijobs.reconcile.job.decide import decide_job
from ocijobs.reconcile.known.job import JobKnown
from ocijobs.reconcile.run.decide import decide_run
from ocijobs.reconcile.run.gates import Launch
from ocijobs.reconcile.run.observation import RunObservation
from ocijobs.reconcile.run.prelaunch import prepare
from ocijobs.reconcile.serving import bind_job
from ocijobs.testing import (
    COMPARTMENT,
    PROJECT,
    REGION,
    SETTLED,
    START,
    make_caller,
    make_identity_view,
    make_job,
    make_job_observation,
    make_metadata,
    make_ocid,
    make_ready_job,
    make_ready_spark_job,
    make_run,
    make_run_observation,
    make_spark_job,
)

IMAGE = "iad.ocir.io/ns/image"
SCIENCE = {"data_science_job": {"shape_name": "VM.Standard2.1"}}
TARGET = {
    "compute_target_id": make_ocid("datasciencecomputetarget"),
    "resource_request": {"ocpus": 1, "memory_in_gbs": 16},
}
GROUPS = [{"name": "first", "args": ["--first"]}, {"name": "second", "replicas": 2}]


def nodes() -> OCIJob:
    """Return a job of two groups of nodes."""
    given = {**SCIENCE["data_science_job"], "job_node_groups": GROUPS}
    return make_ready_job(infrastructure={"data_science_job": given})


def launching(job: OCIJob | None = None, **run: Any) -> RunObservation:
    """Return a run of a job, which is Ready unless another is given."""
    held = make_metadata("run", finalizer=True)
    return make_run_observation(run=make_run(metadata=held, **run), job=job or make_ready_job())


def launched(job: OCIJob | None = None, **run: Any) -> RunRequest:
    """Return the request of a run of a Data Science job."""
    launch = prepare(launching(job, **run), SETTLED)
    assert isinstance(launch, Launch)
    assert isinstance(launch.request, RunRequest)
    return launch.request


def started(job: OCIJob | None = None, **run: Any) -> SingleNode:
    """Return what a run on one machine is sent to start."""
    workload = launched(job, **run).workload
    assert isinstance(workload, SingleNode)
    return workload


def ready(decision: Decision[OCIJobRunStatus]) -> tuple[str, str]:
    """Return reason and message of Ready."""
    condition = find(decision.status.conditions, ConditionType.READY)
    assert condition is not None
    return condition.reason, condition.message


def refused(o: RunObservation) -> tuple[str, str]:
    """Return why a run has failed before it was launched."""
    decision = decide_run(o, SETTLED)
    assert decision.status.phase is Phase.FAILED
    return ready(decision)


# What is sent.


def test_a_run_that_overrides_nothing_is_sent_nothing() -> None:
    request = launched()
    assert (request.workload, request.infrastructure, request.log) == (None, None, None)


def test_what_a_run_overrides_is_sent_whole() -> None:
    job = make_ready_job(env=[{"name": "A", "value": "1"}], args=["--job"])
    sent = started(job, args=["--run"]).configuration
    assert sent.command_line_arguments == "--run"
    assert sent.environment_variables["A"] == "1"
    assert started(job, maximum_runtime_in_minutes=5).configuration.maximum_runtime_in_minutes == 5


def test_a_run_s_machine_replaces_the_job_s_field_by_field() -> None:
    flex = {"shape_name": "VM.Standard3.Flex", "job_shape_config_details": {"ocpus": 2}}
    machine = launched(infrastructure=flex).infrastructure
    assert isinstance(machine, Compute)
    assert (machine.shape_name, machine.block_storage_size_in_gbs) == ("VM.Standard3.Flex", 50)
    larger = launched(infrastructure={"block_storage_size_in_gbs": 99}).infrastructure
    assert isinstance(larger, Compute)
    assert (larger.shape_name, larger.block_storage_size_in_gbs) == ("VM.Standard2.1", 99)


def test_a_machine_of_a_group_is_sent_with_what_the_group_starts() -> None:
    request = launched(nodes(), infrastructure={"shape_name": "VM.Standard2.2"})
    assert request.infrastructure is None
    assert isinstance(request.workload, MultiNode)
    first, second = request.workload.groups
    assert first.machine.shape_name == second.machine.shape_name == "VM.Standard2.2"
    assert first.configuration.command_line_arguments == "--first"
    assert second.configuration.command_line_arguments is None


@pytest.mark.parametrize(
    ("logging", "log"),
    [
        ({"enable_logging": False}, NoLog()),
        (
            {"log_group_id": make_ocid("loggroup", "b")},
            LogConfiguration(log_group_id=make_ocid("loggroup", "b"), log_id=None),
        ),
    ],
)
def test_output_goes_where_the_run_says(logging: dict[str, Any], log: object) -> None:
    assert launched(logging=logging).log == log


def test_another_image_has_another_digest() -> None:
    container = {
        "image": IMAGE,
        "image_digest": "sha256:" + "ab" * 32,
        "entrypoint": ["run"],
        "cmd": ["a"],
    }
    job = make_ready_job(runtime={"container": container})
    same = started(job, container={"cmd": ["b"]}).container
    assert same is not None
    assert (same.image, same.entrypoint, same.cmd) == (IMAGE, ("run",), ("b",))
    assert same.image_digest == container["image_digest"]
    other = started(job, container={"image": f"{IMAGE}:2"}).container
    assert other is not None
    assert (other.image, other.image_digest, other.cmd) == (f"{IMAGE}:2", None, ("a",))


@pytest.mark.parametrize("job", [make_ready_job(), nodes()], ids=["one machine", "groups"])
def test_what_a_schedule_makes_is_told_its_time_on_every_node(job: OCIJob) -> None:
    meta = make_metadata("run", annotations={ANNOTATION_SCHEDULED_TIME: "2026-01-01T02:00:00Z"})
    launch = prepare(make_run_observation(run=make_run(metadata=meta), job=job), SETTLED)
    assert isinstance(launch, Launch)
    assert isinstance(launch.request, RunRequest)
    assert launch.request.workload is not None
    for configuration in launch.request.workload.configurations:
        variables = configuration.environment_variables
        assert variables["OCIJOBS_SCHEDULED_TIME"] == "2026-01-01T02:00:00Z"


def test_a_published_conda_environment_is_where_its_address_says() -> None:
    conda = {"type": "published", "uri": "oci://envs@ns/conda/pack"}
    source = {"inline": {"main.py": "print()"}}
    job = make_ready_job(runtime={"script": {"source": source, "conda": conda}})
    variables = started(job, args=["x"]).configuration.environment_variables
    assert {name: value for name, value in variables.items() if "CONDA" in name} == {
        "CONDA_ENV_TYPE": "published",
        "CONDA_ENV_NAMESPACE": "ns",
        "CONDA_ENV_BUCKET": "envs",
        "CONDA_ENV_OBJECT_NAME": "conda/pack",
        "CONDA_ENV_REGION": REGION,
    }


def test_a_conda_environment_of_the_service_is_named_by_its_slug() -> None:
    conda = {"type": "service", "slug": "generalml_p311_cpu_x86_64_v1"}
    source = {"inline": {"main.py": "print()"}}
    job = make_ready_job(runtime={"script": {"source": source, "conda": conda}})
    variables = started(job, args=["x"]).configuration.environment_variables
    assert variables["CONDA_ENV_TYPE"] == "service"
    assert variables["CONDA_ENV_SLUG"] == conda["slug"]


def test_a_run_s_value_takes_the_job_s_vault_secret_back() -> None:
    secret = {"name": "TOKEN", "value_from": {"vault_secret_ref": {"secret_id": make_ocid("vs")}}}
    job = make_ready_job(env=[secret])
    kept = started(job, args=["x"]).configuration.environment_variables
    assert kept["OCIJOBS_VAULT_TOKEN"] == make_ocid("vs")
    variables = started(job, env=[{"name": "TOKEN", "value": "mine"}]).configuration
    assert variables.environment_variables["OCIJOBS_VAULT_TOKEN"] == ""
    assert variables.environment_variables["TOKEN"] == "mine"


# What people are told of the machines.


def bound(job: OCIJob, **run: Any) -> dict[str, Any]:
    """Return what a run's binding says of its machines."""
    launch = prepare(launching(job, **run), SETTLED)
    assert isinstance(launch, Launch)
    fields = ("shape_name", "ocpus", "memory_in_gbs", "nodes", "compute_target_id")
    return {name: getattr(launch.binding, name) for name in fields if getattr(launch.binding, name)}


def test_a_binding_tells_of_the_machines() -> None:
    assert bound(nodes()) == {"shape_name": "VM.Standard2.1", "nodes": 3}
    on_target = make_ready_job(infrastructure={"data_science_job": {"compute_target": TARGET}})
    assert bound(on_target) == {"compute_target_id": TARGET["compute_target_id"]}


# What can't be had.


@pytest.mark.parametrize(
    ("run", "words"),
    [
        ({"spark": {"num_executors": 2}}, "spec.spark: OCIJob job runs no Spark"),
        ({"container": {"image": IMAGE}}, "spec.container: OCIJob job runs no container"),
        ({"args": ["x" * 2_000, "x" * 2_000]}, "spec.args: the command line has 4001 characters"),
        ({"env": [{"name": "JOB_OCID", "value": "x"}]}, "spec.env: JOB_OCID: reserved for OCI"),
        (
            {"env": [{"name": name, "value": "x" * 20_000} for name in "AB"]},
            "spec.env: names and values of all variables, merged with the job's,",
        ),
    ],
)
def test_what_the_job_can_t_be_run_with_ends_the_run(run: dict[str, Any], words: str) -> None:
    reason, message = refused(launching(**run))
    assert reason == Reason.INVALID_SPEC
    assert message.startswith(words)


def test_a_compute_target_has_machines_of_its_own() -> None:
    job = make_ready_job(infrastructure={"data_science_job": {"compute_target": TARGET}})
    message = refused(launching(job, infrastructure={"shape_name": "VM.Standard2.2"}))[1]
    assert message == (
        "spec.infrastructure: OCIJob job runs on a compute target, which has its own"
    )


def test_outputs_go_nowhere_that_the_run_s_variables_do_not_say() -> None:
    job = make_ready_job(outputs={"uri": "oci://b@n/$(WHERE)/$(JOB_RUN_OCID)"})
    assert refused(launching(job))[1] == (
        "spec.outputs.uri of OCIJob job: WHERE: no variable of the run; set it in spec.env"
    )
    launch = prepare(launching(job, env=[{"name": "WHERE", "value": "x"}]), SETTLED)
    assert isinstance(launch, Launch)
    assert launch.binding.outputs_uri == "oci://b@n/x/$(JOB_RUN_OCID)"


def test_an_address_of_outputs_never_shows_a_secret() -> None:
    selector = {"name": "keys", "key": "k"}
    variable = {"name": "WHERE", "value_from": {"secret_key_ref": selector}}
    job = make_ready_job(outputs={"uri": "oci://b@n/$(WHERE)"}, env=[variable])
    o = launching(job)
    values = Values(values={ValueKey("Secret", "keys", "k"): "hunter2"})
    known = o.known.values_answered(values, at=SETTLED, epoch=o.epoch)
    message = refused(replace(o, known=known))[1]
    assert message.endswith("it would show a value of a Secret: use other variables")


def test_a_pattern_that_is_none_ends_the_run_before_its_launch() -> None:
    rules = [
        {"action": "Fail", "on_exit_codes": {"operator": "In", "values": [3]}},
        {"action": "Fail", "on_lifecycle_details": {"pattern": "(oops"}},
    ]
    reason, message = refused(launching(failure_policy={"rules": rules}))
    assert reason == Reason.INVALID_SPEC
    assert message.startswith("spec.failurePolicy.rules[1].onLifecycleDetails.pattern: ")
    assert message.endswith("give a regular expression in the syntax of RE2")


# Jobs that were made elsewhere.


def adopted(**spec: Any) -> OCIJob:
    """Return an adopted OCI job without a runtime, which runs `--theirs` for 10 minutes."""
    job = make_ready_job(runtime=None, adopt={"ocid": make_ocid()}, **spec)
    theirs = AdoptedJob(
        ocid=make_ocid(),
        kept=True,
        command_line_arguments="--theirs",
        maximum_runtime_in_minutes=10,
    )
    return job.model_copy(update={"status": job.status.model_copy(update={"adopted": theirs})})


def test_of_an_adopted_oci_job_a_run_is_sent_what_the_spec_says_and_the_rest_of_its_block() -> None:
    assert launched(adopted()).workload is None
    sent = started(adopted(env=[{"name": "A", "value": "1"}])).configuration
    assert sent.command_line_arguments == "--theirs"
    assert sent.maximum_runtime_in_minutes == 10
    ours = started(adopted(args=["--ours"], maximum_runtime_in_minutes=5)).configuration
    assert (ours.command_line_arguments, ours.maximum_runtime_in_minutes) == ("--ours", 5)


JOB_ID = make_ocid("datasciencejob", "outside")


def outside(content: Any, job_id: str = JOB_ID, **run: Any) -> RunObservation:
    """Return a run of an OCI job that no OCIJob has."""
    record = JobRecord(
        id=job_id, compartment_id=COMPARTMENT, state=JobState.ACTIVE, content=content
    )
    held = make_metadata("run", finalizer=True)
    given = make_run(metadata=held, job_ref=None, job_id=job_id, **run)
    known = JobKnown().look_up_answered(job_id, record, at=SETTLED, epoch="")
    return make_run_observation(run=given, job=None, job_known=known)


def test_a_run_of_an_oci_job_outside_the_cluster_is_sent_the_rest_of_its_block() -> None:
    content = request_of(args=["--theirs"], maximum_runtime_in_minutes=10)
    launch = prepare(outside(content, env=[{"name": "A", "value": "1"}]), SETTLED)
    assert isinstance(launch, Launch)
    assert isinstance(launch.request, RunRequest)
    assert isinstance(launch.request.workload, SingleNode)
    sent = launch.request.workload.configuration
    assert (sent.command_line_arguments, sent.maximum_runtime_in_minutes) == ("--theirs", 10)
    assert (launch.request.project_id, launch.request.compartment_id) == (PROJECT, COMPARTMENT)
    several = request_of(runtime={"container": {"image": IMAGE, "replicas": 2}})
    bare = prepare(outside(several), SETTLED)
    assert isinstance(bare, Launch)
    assert bare.binding.shape_name is None


def test_the_machines_of_an_oci_job_outside_the_cluster_are_not_known() -> None:
    message = refused(outside(request_of(), infrastructure={"shape_name": "VM.Standard2.2"}))[1]
    assert message == (
        f"spec.infrastructure: the machines of {JOB_ID} are not known here: make it an OCIJob"
    )


def test_an_application_outside_the_cluster_has_its_machines_told() -> None:
    fixed: dict[str, Any] = {"driver_shape": "VM.Standard2.1", "driver_shape_config": None}
    request = plan_of(make_job_observation(job=make_spark_job(data_flow=fixed))).request
    launch = prepare(outside(request, make_ocid("dataflowapplication")), SETTLED)
    assert isinstance(launch, Launch)
    template = launch.binding.template
    assert template is not None
    assert isinstance(template.application, BoundApplication)
    assert template.application.driver_shape_config is None
    assert launch.binding.shape_name == "VM.Standard2.1"


def test_a_later_attempt_goes_on_with_the_oci_job_that_the_first_one_read() -> None:
    o = outside(request_of())
    first = decide_run(o, SETTLED).status
    attempt = Attempt(number=0, job_run_id=make_ocid("datasciencejobrun"), lifecycle_state="FAILED")
    status = first.model_copy(update={"submit": None, "attempts": (attempt,)})
    run = o.run.model_copy(update={"status": status})
    again = prepare(replace(o, run=run, job_known=JobKnown()), SETTLED)
    assert isinstance(again, Launch)
    assert again.request.job_id == JOB_ID


# What is waited for.


def blocker(o: RunObservation) -> Blocker:
    """Return what hinders a launch."""
    found = prepare(o, SETTLED)
    assert isinstance(found, Blocker)
    return found


def test_a_run_waits_until_its_job_is_there_is_ready_and_was_read_for_it() -> None:
    assert blocker(make_run_observation(job=None)).message == (
        "spec.jobRef: there is no OCIJob job in namespace team-a"
    )
    assert blocker(launching(make_job())).message == "OCIJob job is not ready yet"
    edited = make_ready_job().model_copy(
        update={"metadata": make_metadata("job", finalizer=True, generation=2)}
    )
    assert blocker(launching(edited)).message == "OCIJob job is not ready yet"
    (action,) = decide_run(replace(launching(), sources_checked_at=None), SETTLED).actions
    assert isinstance(action, RefreshJob)
    going = make_metadata("job", finalizer=True, deleted=START)
    deleted = make_ready_job(metadata=going)
    assert blocker(launching(deleted)).reason is Reason.JOB_DELETED


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"revision": None}, "OCIJob job is not ready: it has no revision"),
        ({"compartment_id": None}, "OCIJob job is not ready"),
        ({"project_id": None}, "OCIJob job is not ready"),
    ],
)
def test_a_job_whose_status_lacks_something_is_not_run(changes: dict[str, Any], words: str) -> None:
    job = make_ready_job()
    job = job.model_copy(update={"status": job.status.model_copy(update=changes)})
    assert blocker(launching(job)).message == words


def test_what_lastingly_keeps_a_job_from_being_ready_is_told() -> None:
    o = make_job_observation(identity=make_identity_view(obstacle=(Reason.HELD, "held back")))
    status = decide_job(o, SETTLED).status
    assert blocker(launching(make_job(status=status))).message == (
        "OCIJob job is not ready: Held: held back"
    )


def test_a_run_waits_for_its_job_to_be_read_again() -> None:
    found = blocker(replace(launching(), sources_checked_at=START))
    assert isinstance(found.action, RefreshJob)
    assert found.action.after > START


def test_a_run_without_an_identity_that_can_be_used_waits() -> None:
    unknown = replace(launching(), identity=make_identity_view(region=None))
    assert blocker(unknown) == Blocker()
    blind = make_identity_view(obstacle=(Reason.CREDENTIALS_INVALID, "401"))
    assert blocker(replace(unknown, identity=blind)).message == "401"


def test_most_active_runs_are_waited_for_unless_the_run_is_launched_already() -> None:
    o = replace(launching(make_ready_job(max_active_runs=2)), ahead=2)
    assert blocker(o).message == "spec.maxActiveRuns of OCIJob job is 2: waiting for its turn"
    assert isinstance(prepare(replace(o, ahead=1), SETTLED), Launch)


def test_values_that_are_not_there_are_waited_for() -> None:
    selector = {"name": "keys", "key": "k"}
    o = launching(env=[{"name": "K", "value_from": {"secret_key_ref": selector}}])
    missing = Values(values={}, missing=("Secret keys does not exist",))
    answers: dict[str, Values | Refusal] = {
        "Secret keys does not exist": missing,
        "timed out": Refusal(kind=RefusalKind.UNAVAILABLE, message="timed out"),
    }
    for words, answer in answers.items():
        known = o.known.values_answered(answer, at=SETTLED, epoch=o.epoch)
        found = blocker(replace(o, known=known))
        assert (found.reason, found.message) == (Reason.WAITING_FOR_VALUE, f"spec.env: {words}")
        assert Operation.READ_VALUES in known.calls


# A job of the run's own.

TEMPLATE = {
    "spec": {
        "infrastructure": SCIENCE,
        "runtime": {"script": {"source": {"inline": {"main.py": "print()"}}}},
    }
}


def owning(job: OCIJob | None, **known: Any) -> RunObservation:
    """Return a run that describes its own job."""
    run = make_run(
        metadata=make_metadata("run", finalizer=True), job_ref=None, job_template=TEMPLATE
    )
    o = make_run_observation(run=run, job=job)
    return replace(o, known=replace(o.known, **known))


def test_a_run_makes_the_job_that_it_describes() -> None:
    (action,) = decide_run(owning(None), SETTLED).actions
    assert isinstance(action, CreateObject)
    document: dict[str, Any] = dict(action.document)
    assert (document["kind"], document["metadata"]["name"]) == ("OCIJob", action.name)
    (owner,) = document["metadata"]["ownerReferences"]
    assert owner["uid"] == "uid-of-run"


def test_a_job_that_the_api_server_does_not_take_ends_its_run() -> None:
    assert refused(owning(None, refused="no such field")) == (
        Reason.INVALID_SPEC,
        "spec.jobTemplate: the API server refuses the OCIJob: no such field",
    )


def test_a_job_of_that_name_that_is_another_s_is_not_run() -> None:
    found = blocker(owning(make_ready_job("run")))
    assert found.reason is Reason.NAME_TAKEN
    owner = OwnerReference(kind="OCIJobRun", name="run", uid="uid-of-run", controller=True)
    meta = make_metadata("run", finalizer=True).model_copy(update={"owner_references": (owner,)})
    assert isinstance(prepare(owning(make_ready_job("run", metadata=meta)), SETTLED), Launch)


# Later attempts.


def retrying(job: OCIJob | None) -> RunObservation:
    """Return a run whose first attempt was of a job that is another, or gone, by now."""
    former = make_ready_job(metadata=make_metadata("job", uid="former", finalizer=True))
    launch = prepare(launching(former), SETTLED)
    assert isinstance(launch, Launch)
    attempt = Attempt(number=0, job_run_id=make_ocid("datasciencejobrun"), lifecycle_state="FAILED")
    status = OCIJobRunStatus(binding=launch.binding, attempts=(attempt,), attempt_count=1)
    run = make_run(metadata=make_metadata("run", finalizer=True), status=status)
    return make_run_observation(run=run, job=job)


def test_another_attempt_needs_the_very_job_of_the_first() -> None:
    gone = "the OCIJob job that the run is bound to was deleted: there is nothing to run"
    assert refused(retrying(None)) == (Reason.JOB_DELETED, gone)
    reason, message = refused(retrying(make_ready_job()))
    assert reason == Reason.JOB_DELETED
    assert message.endswith("one of the same name is another: create another OCIJobRun")


def test_another_attempt_waits_for_nothing_but_who_calls() -> None:
    former = make_job(metadata=make_metadata("job", uid="former"))
    o = replace(retrying(former), identity=make_identity_view(region=None))
    assert blocker(o) == Blocker()
    assert isinstance(prepare(retrying(former), SETTLED), Launch)


def test_a_binding_that_lacks_where_the_job_is_launches_nothing() -> None:
    """Fields of a binding are optional, and whoever restores a status may have lost one."""
    o = retrying(make_job(metadata=make_metadata("job", uid="former")))
    binding = o.run.status.binding
    assert binding is not None
    lost = binding.model_copy(update={"compartment_id": None})
    status = o.run.status.model_copy(update={"binding": lost})
    found = blocker(replace(o, run=o.run.model_copy(update={"status": status})))
    assert (found.reason, found.message) == (
        Reason.WAITING_FOR_JOB,
        "the OCI job is not known yet",
    )


def test_runs_of_a_sweep_are_not_settled_again() -> None:
    shared = bind_job(make_ready_job(), make_caller())
    o = replace(launching(), shared=shared)
    assert isinstance(prepare(o, START), Launch)
    waiting = prepare(launching(), START)
    assert isinstance(waiting, Blocker)
    assert waiting.wake_at is not None
    assert waiting.wake_at > START + timedelta(seconds=1)


# Others that a run waits for.


def test_what_a_run_waits_for_is_recorded_before_it_is_launched_and_fails_it_in_vain() -> None:
    o = launching(depends_on=[{"name": "first"}])
    assert ready(decide_run(o, SETTLED))[0] == Reason.WAITING_FOR_DEPENDENCY
    key = (DependencyKind.RUN, "first")
    ended = DependencyView(uid="uid-1", phase="Succeeded", ended=True, succeeded=True)
    met = decide_run(replace(o, relations=Relations(views={key: ended})), SETTLED).status
    assert [(one.name, one.uid) for one in met.dependencies] == [("first", "uid-1")]
    assert isinstance(met.dependencies[0], Dependency)
    assert met.submit is None
    failed = replace(ended, phase="Failed", succeeded=False)
    reason, message = refused(replace(o, relations=Relations(views={key: failed})))
    assert reason == Reason.DEPENDENCY_FAILED
    assert message == "spec.dependsOn: OCIJobRun first has ended as Failed, and not as Succeeded"


# Spark.


def test_a_pool_by_name_is_that_of_the_job_s_status() -> None:
    job = make_ready_spark_job(data_flow={"pool_name": "nightly"})
    pool = ResolvedName(kind="Pool", name="nightly", id=make_ocid("dataflowpool"))
    status = job.status.model_copy(update={"resolved_names": (pool,)})
    template = bind_job(job.model_copy(update={"status": status}), make_caller()).template
    assert template is not None
    assert template.application is not None
    assert template.application.pool_id == pool.id
    bare = bind_job(job, make_caller()).template
    assert bare is not None
    assert bare.application is not None
    assert bare.application.pool_id is None
