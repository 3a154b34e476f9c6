"""Spark jobs and their runs on Data Flow: simulated runs, real requests."""

from collections import Counter
from typing import Any

import pytest
from tests.support import manifests
from tests.support.lives import seen_in_each_state
from tests.support.namespace import Document
from tests.support.patience import patience
from tests.support.rest import until_at_rest
from tests.support.stage import Stage

SIMULATED = {"accepted": 0.5, "inProgress": 1}


@pytest.fixture
def flow(stage: Stage) -> Stage:
    """A stage whose identity has a bucket for code."""
    stage.identity(artifactBucketUri=f"{stage.bucket('code')}/spark")
    return stage


def has_phase(name: str) -> Any:
    return lambda run: run["status"].get("phase") == name


def is_ready(document: Document) -> bool:
    return any(
        c["type"] == "Ready"
        and c["status"] == "True"
        and c.get("observedGeneration") == document["metadata"]["generation"]
        for c in document["status"].get("conditions", ())
    )


def _job(stage: Stage, name: str = "job") -> Document:
    return stage.until("OCIJob", name, is_ready)


def test_a_spark_job_is_an_application_with_its_code_at_an_address_of_its_own(flow: Stage) -> None:
    files = {"main.py": "import words\n", "words.py": "N = 1\n"}
    manifest = manifests.spark_job(
        files=files,
        machines={
            "numExecutors": 2,
            "executorShape": "VM.Standard.E4.Flex",
            "executorShapeConfig": {"ocpus": 2, "memoryInGBs": 32},
            "dynamicAllocation": {"minExecutors": 1, "maxExecutors": 4},
            "sparkConfiguration": {"spark.sql.shuffle.partitions": "8"},
            "logsBucketUri": f"oci://logs@{flow.emulator.namespace}/",
        },
        code={"entrypoint": "main.py", "parameters": [{"name": "day", "value": "2026-01-01"}]},
        env=[{"name": "GREETING", "value": "hello"}],
        args=["--day", "${day}", "--greet", "$(GREETING)"],
        maximumRuntimeInMinutes=30,
    )
    flow.apply(manifest)
    status = _job(flow)["status"]
    application = flow.flow().get_application(status["jobId"]).data
    folder = status["artifact"]["uri"]
    assert application.file_uri == f"{folder}/main.py"
    assert application.arguments == ["--day", "${day}", "--greet", "hello"]
    assert application.num_executors == 2
    assert application.max_duration_in_minutes == 30
    assert application.executor_shape_config.ocpus == 2
    configuration = application.configuration
    assert configuration["dataflow.auth"] == "resource_principal"
    assert configuration["spark.driverEnv.GREETING"] == "hello"
    assert configuration["spark.executorEnv.GREETING"] == "hello"
    assert configuration["spark.dynamicAllocation.maxExecutors"] == "4"
    assert configuration["spark.sql.shuffle.partitions"] == "8"
    assert configuration["spark.submit.pyFiles"] == f"{folder}/modules.zip"
    assert status["backend"] == "DataFlow"
    place = folder.partition("/spark/")[2].split("/")
    assert place[1:] == [flow.namespace, status["artifact"]["sha256"]]
    assert flow.objects_in("code") == sorted(
        f"spark/{'/'.join(place)}/{name}" for name in ("main.py", "modules.zip")
    )


def test_a_run_of_spark_lives_as_any_other(flow: Stage) -> None:
    totals = {"dataReadInBytes": 1000, "dataWrittenInBytes": 10}
    flow.emulator.set_mode(default={"accepted": 0.2, "inProgress": 600, **totals})
    flow.apply(manifests.spark_job())
    _job(flow)
    seen_in_each_state(flow, manifests.run())
    flow.emulator.advance(600)
    status = flow.until("OCIJobRun", "run", has_phase("Succeeded"))["status"]
    run = flow.flow().get_run(status["jobRunId"]).data
    assert run.display_name == f"{flow.namespace}/run"
    assert status["backend"] == "DataFlow"
    assert status["lifecycleState"] == "SUCCEEDED"
    assert "exitCode" not in status
    metrics = status["metrics"]
    assert (metrics["dataReadInBytes"], metrics["dataWrittenInBytes"]) == (1000, 10)
    assert metrics["totalOCpu"] == 2
    assert metrics["runDurationInMilliseconds"] == run.run_duration_in_milliseconds
    assert status["startTime"] <= status["completionTime"]
    assert {file["name"] for file in status["logs"]["files"]} > {"spark_application_stdout.log.gz"}
    assert "data-flow/runs/details" in status["consoleUrl"]
    until_at_rest(flow.operator)
    assert Counter(sub for sub, _ in flow.writes("OCIJobRun", "run")) == {"": 2, "status": 4}
    columns = flow.kubectl("get", "ocijobruns").splitlines()
    assert "DataFlow" in columns[1]


def test_settings_change_in_place_and_code_makes_another_application(flow: Stage) -> None:
    flow.apply(manifests.spark_job())
    first = _job(flow)["status"]
    flow.apply(manifests.spark_job(machines={"numExecutors": 3}, args=["--all"]))
    second = _job(flow)["status"]
    assert (second["jobId"], second["revision"]) == (first["jobId"], first["revision"])
    application = flow.flow().get_application(first["jobId"]).data
    assert (application.num_executors, application.arguments) == (3, ["--all"])
    flow.apply(manifests.spark_job(files={"main.py": "print('other')\n"}))
    third = _job(flow)["status"]
    assert third["jobId"] != first["jobId"]
    assert len(flow.objects_in("code")) == 2
    flow.apply(manifests.spark_job(files={"main.py": "print('other')\n"}, revisionHistoryLimit=0))
    flow.until("OCIJob", "job", lambda job: len(job["status"]["revisions"]) == 1)
    assert len(flow.objects_in("code")) == 1


@pytest.mark.settings(drift_interval_seconds=2)
def test_what_is_changed_in_oci_is_set_back(flow: Stage) -> None:
    flow.apply(manifests.spark_job(args=["--all"]))
    job_id = _job(flow)["status"]["jobId"]
    client = flow.flow()
    before = client.get_application(job_id).data
    other = {"arguments": ["--none"], "numExecutors": 5, "fileUri": before.file_uri + "c"}
    client.update_application(other, job_id)
    told = flow.until_event("job", "DriftCorrected")
    assert "runtime.spark.source" in told
    after = client.get_application(job_id).data
    assert (after.num_executors, after.arguments) == (1, ["--all"])
    assert after.file_uri == before.file_uri


def test_code_goes_with_the_last_job_that_has_it(flow: Stage) -> None:
    flow.apply(manifests.spark_job("one"), manifests.spark_job("two"))
    one, two = _job(flow, "one")["status"], _job(flow, "two")["status"]
    assert one["artifact"]["uri"] == two["artifact"]["uri"]
    flow.delete("OCIJob", "one")
    flow.until_gone("OCIJob", "one")
    assert len(flow.objects_in("code")) == 1
    flow.delete("OCIJob", "two")
    flow.until_gone("OCIJob", "two")
    assert flow.objects_in("code") == []
    states = {flow.flow().get_application(job["jobId"]).data.lifecycle_state for job in (one, two)}
    assert states == {"DELETED"}


def test_overrides_are_sent_whole(flow: Stage) -> None:
    flow.apply(
        manifests.spark_job(
            machines={"sparkConfiguration": {"spark.sql.shuffle.partitions": "8"}},
            code={"parameters": [{"name": "day", "value": "1"}, {"name": "hour", "value": "2"}]},
            env=[{"name": "A", "value": "1"}],
            args=["${day}", "${hour}"],
        ),
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "secret"},
            "stringData": {"token": "swordfish"},
        },
        manifests.run(
            env=[
                {"name": "B", "value": "$(A)"},
                {
                    "name": "TOKEN",
                    "valueFrom": {"secretKeyRef": {"name": "secret", "key": "token"}},
                },
            ],
            args=["again", "${day}"],
            spark={
                "numExecutors": 4,
                "sparkConfiguration": {"spark.executor.cores": "1"},
                "parameters": [{"name": "day", "value": "3"}],
            },
        ),
    )
    status = flow.until("OCIJobRun", "run", has_phase("Succeeded"))["status"]
    run = flow.flow().get_run(status["jobRunId"]).data
    assert run.num_executors == 4
    assert run.arguments == ["again", "${day}"]
    assert {p.name: p.value for p in run.parameters} == {"day": "3", "hour": "2"}
    expected = {
        "spark.sql.shuffle.partitions": "8",
        "spark.executor.cores": "1",
        "spark.driverEnv.A": "1",
        "spark.driverEnv.B": "1",
        "spark.driverEnv.TOKEN": "swordfish",
        "dataflow.auth": "resource_principal",
    }
    assert run.configuration.items() >= expected.items()
    assert "swordfish" not in str(flow.get("OCIJobRun", "run"))


def test_cancelling_keeps_the_object_and_the_record(flow: Stage) -> None:
    flow.emulator.set_mode(default={"accepted": 0.2, "inProgress": 3600})
    flow.apply(manifests.spark_job(), manifests.run())
    running = flow.until("OCIJobRun", "run", has_phase("Running"))
    assert running["status"]["startTime"]
    flow.patch("OCIJobRun", "run", {"spec": {"cancel": True}})
    status = flow.until("OCIJobRun", "run", has_phase("Cancelled"))["status"]
    assert status["lifecycleState"] == "CANCELED"


def test_a_suspended_run_is_launched_again(flow: Stage) -> None:
    flow.emulator.set_mode(default={"accepted": 0.2, "inProgress": 3600})
    flow.apply(manifests.spark_job(), manifests.run())
    flow.until("OCIJobRun", "run", has_phase("Running"))
    flow.patch("OCIJobRun", "run", {"spec": {"suspend": True}})
    flow.until("OCIJobRun", "run", has_phase("Suspended"))
    flow.emulator.set_mode(default=SIMULATED)
    flow.patch("OCIJobRun", "run", {"spec": {"suspend": False}})
    status = flow.until("OCIJobRun", "run", has_phase("Succeeded"))["status"]
    states = [attempt["lifecycleState"] for attempt in status["attempts"]]
    assert states == ["CANCELED", "SUCCEEDED"]


@pytest.mark.settings(retry_pause_min_seconds=1)
def test_a_failed_run_is_tried_again_and_a_deadline_ends_it(flow: Stage) -> None:
    flow.emulator.set_mode(default={**SIMULATED, "outcome": "FAILED"})
    flow.apply(
        manifests.spark_job(),
        manifests.run(
            "twice",
            backoffLimit=1,
            failurePolicy={
                "rules": [{"action": "Retry", "onLifecycleDetails": {"pattern": "fail|exit|error"}}]
            },
        ),
    )
    status = flow.until("OCIJobRun", "twice", has_phase("Failed"))["status"]
    assert status["attemptCount"] == 2
    flow.emulator.set_mode(default={"accepted": 0.2, "inProgress": 3600})
    flow.create(manifests.run("late", activeDeadlineSeconds=3))
    status = flow.until("OCIJobRun", "late", has_phase("Failed"))["status"]
    assert status["conditions"][0]["reason"] == "DeadlineExceeded"


def test_deleting_an_active_run_cancels_it_and_its_record_stays(flow: Stage) -> None:
    flow.emulator.set_mode(default={"accepted": 0.2, "inProgress": 3600})
    flow.apply(manifests.spark_job(), manifests.run(deletionPolicy="Delete"))
    running = flow.until("OCIJobRun", "run", has_phase("Running"))
    flow.delete("OCIJobRun", "run")
    flow.until_gone("OCIJobRun", "run")
    run = flow.flow().get_run(running["status"]["jobRunId"]).data
    assert run.lifecycle_state == "CANCELED"
    flow.until_event("run", "RecordsRemain")


def test_a_stream_is_ready_while_it_goes_on(flow: Stage) -> None:
    flow.apply(manifests.spark_job(machines={"type": "STREAMING"}), manifests.run())
    running = flow.until("OCIJobRun", "run", is_ready)
    assert running["status"]["phase"] == "Running"
    assert running["status"]["conditions"][0]["reason"] == "Streaming"
    flow.kubectl("wait", "ocijobrun/run", "--for=condition=Ready", f"--timeout={patience(60)}s")
    until_at_rest(flow.operator)
    writes = len(flow.writes("OCIJobRun", "run"))
    flow.flow().delete_run(running["status"]["jobRunId"])
    ended = flow.until("OCIJobRun", "run", has_phase("Succeeded"))["status"]
    assert ended["lifecycleState"] == "STOPPED"
    assert ended["conditions"][0]["reason"] == "Stopped"
    until_at_rest(flow.operator)
    assert len(flow.writes("OCIJobRun", "run")) <= writes + 3


def test_a_session_waits_for_statements(flow: Stage) -> None:
    job = manifests.spark_job(machines={"type": "SESSION"}, code={"source": None})
    flow.apply(job, manifests.run())
    running = flow.until("OCIJobRun", "run", is_ready)["status"]
    made = flow.flow().create_statement({"code": "1 + 1"}, running["jobRunId"]).data
    assert made.id
    flow.patch("OCIJobRun", "run", {"spec": {"cancel": True}})
    flow.until("OCIJobRun", "run", has_phase("Cancelled"))


def test_a_stream_is_stopped_by_suspend_and_begins_anew(flow: Stage) -> None:
    flow.apply(manifests.spark_job(machines={"type": "STREAMING"}), manifests.run())
    flow.until("OCIJobRun", "run", is_ready)
    flow.patch("OCIJobRun", "run", {"spec": {"suspend": True}})
    flow.until("OCIJobRun", "run", has_phase("Suspended"))
    flow.patch("OCIJobRun", "run", {"spec": {"suspend": False}})
    flow.until("OCIJobRun", "run", is_ready)
    flow.patch("OCIJobRun", "run", {"spec": {"cancel": True}})
    status = flow.until("OCIJobRun", "run", has_phase("Cancelled"))["status"]
    states = [attempt["lifecycleState"] for attempt in status["attempts"]]
    assert states == ["STOPPED", "STOPPED"]


def test_without_a_bucket_for_code_the_spec_is_invalid(stage: Stage) -> None:
    stage.identity()
    stage.apply(manifests.spark_job())
    job = stage.until_reason("OCIJob", "job", "InvalidSpec")
    message = job["status"]["conditions"][0]["message"]
    assert "spec.infrastructure.dataFlow.artifactBucketUri: is not set" in message
    assert "OCIIdentity default has no spec.defaults.artifactBucketUri" in message


def test_what_a_run_of_spark_can_not_have_is_said(flow: Stage) -> None:
    flow.apply(
        manifests.spark_job(),
        manifests.run("codes", failurePolicy={"rules": [_exit_codes()]}),
        manifests.run("machines", infrastructure={"shapeName": "VM.Standard2.1"}),
    )
    for name, field in (("codes", "onExitCodes"), ("machines", "spec.infrastructure")):
        run = flow.until("OCIJobRun", name, has_phase("Failed"))
        ready = run["status"]["conditions"][0]
        assert ready["reason"] == "InvalidSpec"
        assert field in ready["message"]


def _exit_codes() -> Document:
    return {"action": "Retry", "onExitCodes": {"operator": "In", "values": [3]}}
