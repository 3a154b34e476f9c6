"""A run's life, from `kubectl apply` to its end."""

from pathlib import Path

import pytest
import yaml
from tests.support import manifests
from tests.support.namespace import condition
from tests.support.patience import patience
from tests.support.stage import Stage

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.real_runs
def test_a_job_and_its_run_applied_together_end_with_the_output_in_status(stage: Stage) -> None:
    stage.identity(logGroupId=stage.log_group())
    code = "import os\nprint('hello', os.environ['WHO'])\n"
    stage.apply(
        manifests.job(files={"main.py": code}, env=[{"name": "WHO", "value": "nobody"}]),
        manifests.run(env=[{"name": "WHO", "value": "world"}]),
    )
    ended = stage.until_ended("run")
    assert ended["status"]["phase"] == "Succeeded"
    assert ended["status"]["exitCode"] == 0
    assert ended["status"]["logs"]["tail"] == ["hello world"]
    for reason in ("Accepted", "Succeeded"):
        assert stage.until_event("run", reason)


@pytest.mark.real_runs
@pytest.mark.timeout(700)
def test_the_training_example_reports_its_score_and_saves_its_model(stage: Stage) -> None:
    stage.identity(logGroupId=stage.log_group())
    bucket = stage.bucket("models")
    job = (EXAMPLES / "training" / "job.yaml").read_text()
    run = (EXAMPLES / "training" / "run.yaml").read_text()
    stage.kubectl(
        "apply", "-f", "-", stdin=f"{job.replace('oci://models@mytenancy', bucket)}\n---\n{run}"
    )
    name = yaml.safe_load(run)["metadata"]["name"]
    # The first run builds the emulator's conda environment.
    status = stage.until_ended(name, seconds=600)["status"]
    assert status["phase"] == "Succeeded"
    assert float(status["results"]["auc"]) > 0.98
    assert status["results"]["trees"] == "200"
    saved = [address.rsplit("/", 1)[-1] for address in status["outputs"]["objects"]]
    assert saved == ["model.pickle", "results.json"]
    assert condition({"status": status}, "ResultsReady")["status"] == "True"


def test_kubectl_wait_for_complete_ends_with_the_run(stage: Stage) -> None:
    stage.identity()
    stage.apply(manifests.job(), manifests.run())
    done = stage.kubectl(
        "wait", "--for=condition=Complete", "ocijobrun/run", f"--timeout={patience(60)}s"
    )
    assert "condition met" in done


@pytest.mark.own_process
def test_a_run_that_comes_before_its_job_waits_and_then_starts(stage: Stage) -> None:
    stage.identity()
    stage.create(manifests.run())
    waiting = stage.until_reason("OCIJobRun", "run", "WaitingForJob")
    assert "there is no OCIJob job" in condition(waiting, "Ready")["message"]
    assert condition(waiting, "Reconciling")["status"] == "True"
    assert "there is no OCIJob job" in stage.until_event("run", "WaitingForJob")
    stage.create(manifests.job())
    assert stage.until_ended("run")["status"]["phase"] == "Succeeded"


@pytest.mark.real_runs
def test_a_failing_script_ends_the_run_with_its_exit_code_and_last_lines(stage: Stage) -> None:
    stage.identity(logGroupId=stage.log_group())
    code = "import sys\nprint('no such file: data.csv')\nsys.exit(3)\n"
    stage.apply(manifests.job(files={"main.py": code}), manifests.run())
    ended = stage.until_ended("run")
    assert (ended["status"]["phase"], ended["status"]["exitCode"]) == ("Failed", 3)
    assert ended["status"]["logs"]["tail"] == ["no such file: data.csv"]
    failed = condition(ended, "Failed")
    assert (failed["status"], failed["reason"]) == ("True", "RunFailed")
    assert "exit code 3" in failed["message"]
    assert condition(ended, "Stalled")["status"] == "True"
    assert condition(ended, "Complete")["status"] == ""
    assert "exit code 3" in stage.until_event("run", "RunFailed")


@pytest.mark.real_runs
def test_a_syntax_error_is_in_the_last_lines(stage: Stage) -> None:
    stage.identity(logGroupId=stage.log_group())
    stage.apply(manifests.job(files={"main.py": "def broken(:\n"}), manifests.run())
    ended = stage.until_ended("run")
    assert (ended["status"]["phase"], ended["status"]["exitCode"]) == ("Failed", 1)
    # Lines may arrive after the end; the status gets them when the log has settled.
    told = stage.until(
        "OCIJobRun", "run", lambda o: "SyntaxError" in str(o["status"].get("logs", {}).get("tail"))
    )
    assert told["status"]["phase"] == "Failed"


@pytest.mark.real_runs
def test_a_job_edited_while_its_run_waits_is_run_as_edited(stage: Stage) -> None:
    group = stage.log_group()
    stage.apply(manifests.job(files={"main.py": "print('first')\n"}), manifests.run())
    stage.until_reason("OCIJobRun", "run", "WaitingForJob")
    stage.apply(manifests.job(files={"main.py": "print('second')\n"}))
    stage.identity(logGroupId=group)
    assert stage.until_ended("run")["status"]["logs"]["tail"] == ["second"]


@pytest.mark.real_runs
def test_a_config_map_edited_in_the_same_apply_is_the_code_that_runs(stage: Stage) -> None:
    stage.identity(logGroupId=stage.log_group())
    job = manifests.job()
    job["spec"]["runtime"]["script"]["source"] = {"configMap": {"name": "code"}}

    def code(text: str) -> dict[str, object]:
        return {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "code"},
            "data": {"main.py": text},
        }

    stage.apply(code("print('first')\n"), job, manifests.run("one"))
    first = stage.until_ended("one")
    # The run comes before the code in this apply, as it may in anybody's.
    stage.apply(manifests.run("two"), job, code("print('second')\n"))
    second = stage.until_ended("two")
    assert first["status"]["logs"]["tail"] == ["first"]
    assert second["status"]["logs"]["tail"] == ["second"]
    assert first["status"]["jobId"] != second["status"]["jobId"]
    revisions = stage.get("OCIJob", "job")["status"]["revisions"]
    assert [r["jobId"] for r in revisions] == [first["status"]["jobId"], second["status"]["jobId"]]


@pytest.mark.real_runs
def test_values_of_secrets_reach_the_code_and_are_masked_in_its_output(stage: Stage) -> None:
    stage.identity(logGroupId=stage.log_group())
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "database"},
        "stringData": {"password": "correct-horse"},
    }
    reference = {"secretKeyRef": {"name": "database", "key": "password"}}
    env = [
        {"name": "PASSWORD", "valueFrom": reference},
        {"name": "URL", "value": "db://user:$(PASSWORD)@host"},
    ]
    code = "import os\nprint(len(os.environ['PASSWORD']), os.environ['URL'])\n"
    stage.apply(manifests.job(files={"main.py": code}, env=env), manifests.run())
    waiting = stage.until_reason("OCIJobRun", "run", "WaitingForValue")
    assert "there is no Secret database" in condition(waiting, "Ready")["message"]
    stage.apply(secret)
    ended = stage.until_ended("run")
    assert ended["status"]["logs"]["tail"] == ["13 db://user:***@host"]
    assert "correct-horse" not in yaml.safe_dump(stage.get("OCIJob", "job"))


def test_settings_change_in_place_and_code_makes_a_new_job(stage: Stage) -> None:
    stage.identity()
    stage.apply(manifests.job())
    first = stage.until_reason("OCIJob", "job", "Synced")["status"]
    stage.patch("OCIJob", "job", {"spec": {"displayName": "renamed"}})
    renamed = stage.until_synced("job")["status"]
    assert renamed["jobId"] == first["jobId"]
    assert stage.emulator.counts()["UpdateJob"] == {"200": 1}
    stage.patch("OCIJob", "job", {"spec": {"args": ["--fast"]}})
    changed = stage.until(
        "OCIJob",
        "job",
        lambda o: o["status"]["jobId"] != first["jobId"] and len(o["status"]["revisions"]) == 2,
    )
    assert changed["status"]["revision"] != first["revision"]
    # Going back finds the former OCI job.
    stage.patch("OCIJob", "job", {"spec": {"args": None}})
    back = stage.until("OCIJob", "job", lambda o: o["status"]["jobId"] == first["jobId"])
    assert back["status"]["revision"] == first["revision"]
    assert len(stage.emulator.journal("CreateJob", status=200)) == 2
