"""Job runs that really run, as the SDK sees them."""

import io
import json
import os
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import oci
import pytest
from oci.data_science import models
from oci.exceptions import ServiceError

Zip = Callable[[Mapping[str, str]], bytes]


def configuration(**fields: Any) -> Any:
    return models.DefaultJobConfigurationDetails(**fields)


def run_of(cloud: Any, log_group: str, artifact: bytes, **job: Any) -> Any:
    """The end of a run of an artifact, with a log."""
    name = job.pop("name", "main.py")
    log = cloud.auto_log(log_group)
    made = cloud.job(artifact, name, job_log_configuration_details=log, **job)
    return cloud.ended(cloud.start(made.id).id)


def test_a_script_runs_and_its_output_is_in_the_log(cloud: Any, log_group: str) -> None:
    script = b"import sys\nprint('arguments', sys.argv[1:])\nprint('oh', file=sys.stderr)\n"
    run = run_of(cloud, log_group, script, arguments="--alpha 0.1 'two words'")
    assert run.lifecycle_state == "SUCCEEDED"
    assert run.lifecycle_details == (
        "Job run artifact execution succeeded. Infrastructure de-provisioning."
    )
    assert run.time_accepted < run.time_started < run.time_finished
    assert run.log_details.log_group_id == log_group
    assert cloud.lines(run) == ["arguments ['--alpha', '0.1', 'two words']", "oh"]


def test_states_and_details_come_in_the_documented_order(own: Callable[..., Any]) -> None:
    cloud = own()
    cloud.emulator.set_rate(0)
    run = cloud.start(cloud.job(WAITS).id)
    seen: list[tuple[str, str]] = []
    while not seen or seen[-1][0] == "ACCEPTED":
        got = cloud.data_science.get_job_run(run.id).data
        if (got.lifecycle_state, got.lifecycle_details) not in seen:
            seen.append((got.lifecycle_state, got.lifecycle_details))
        # Less than any stage takes, so that none is passed over.
        cloud.emulator.advance(0.004)
    assert seen == [
        ("ACCEPTED", ""),
        ("ACCEPTED", "Infrastructure provisioning."),
        ("ACCEPTED", "Infrastructure provisioned."),
        ("ACCEPTED", "Job run bootstrap starting."),
        ("ACCEPTED", "Job run bootstrap complete. Artifact execution starting."),
        ("IN_PROGRESS", "Job run artifact execution in progress."),
    ]
    release(cloud, run.id)
    assert cloud.ended(run.id).lifecycle_state == "SUCCEEDED"


WAITS = b"""
import pathlib, time
print("begun")
while not pathlib.Path("go").exists():
    time.sleep(0.02)
print("done")
"""


def release(cloud: Any, run_id: str) -> None:
    """Let a run of WAITS end."""
    (Path(cloud.emulator.run(run_id)["directory"]) / "home" / "go").touch()


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("import sys; sys.exit(3)", 3),
        ("def broken(:", 1),
        ("raise RuntimeError", 1),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", 137),
    ],
    ids=["exit 3", "a syntax error", "an exception", "a signal"],
)
def test_the_exit_code_is_in_the_details(
    cloud: Any, log_group: str, script: str, code: int
) -> None:
    run = run_of(cloud, log_group, script.encode())
    assert run.lifecycle_state == "FAILED"
    assert run.lifecycle_details == f"Job run artifact execution failed with exit code {code}."


def test_the_code_of_a_signal_is_a_rule(own: Callable[..., Any]) -> None:
    cloud = own(rules={"signal_exit_code": "1"})
    script = b"import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    run = cloud.ended(cloud.start(cloud.job(script).id).id)
    assert run.lifecycle_details == "Job run artifact execution failed with exit code 1."


def test_projects_are_checked_or_not(own: Callable[..., Any]) -> None:
    cloud = own(mode="simulated")
    unknown = "ocid1.datascienceproject.oc1.iad.unknown"
    job = cloud.job(b"")
    with pytest.raises(ServiceError) as caught:
        cloud.start(job.id, project_id=unknown)
    assert caught.value.status == 404
    cloud.emulator.set_rules(project_check=False)
    assert cloud.start(job.id, project_id=unknown).project_id == unknown
    assert cloud.job(None, project_id=unknown).project_id == unknown


def test_a_shell_script_runs(cloud: Any, log_group: str) -> None:
    run = run_of(cloud, log_group, b'echo "args: $@"; exit 4', name="run.sh", arguments="a b")
    assert run.lifecycle_details.endswith("exit code 4.")
    assert cloud.lines(run) == ["args: a b"]


def test_a_zip_runs_from_its_entry_point(cloud: Any, log_group: str, zipped: Zip) -> None:
    artifact = zipped(
        {
            "package/main.py": "from module import NAME\nimport os\nprint(NAME, os.getcwd())",
            "package/module.py": "NAME = 'module'",
        }
    )
    run = run_of(
        cloud,
        log_group,
        artifact,
        name="package.zip",
        environment={"JOB_RUN_ENTRYPOINT": "package/main.py"},
    )
    [line] = cloud.lines(run)
    name, directory = line.split()
    assert name == "module"
    assert Path(directory).name == "decompressed_artifact"


def test_a_tar_runs_from_its_entry_point(cloud: Any, log_group: str) -> None:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        script = b"echo from tar"
        info = tarfile.TarInfo("code/run.sh")
        info.size = len(script)
        archive.addfile(info, io.BytesIO(script))
    run = run_of(
        cloud,
        log_group,
        content.getvalue(),
        name="code.tar.gz",
        environment={"JOB_RUN_ENTRYPOINT": "code/run.sh"},
    )
    assert cloud.lines(run) == ["from tar"]


def test_a_runtime_yaml_gives_variables_that_the_job_overrides(
    cloud: Any, log_group: str, zipped: Zip
) -> None:
    artifact = zipped(
        {
            "main.py": "import os; print(os.environ['A'], os.environ['B'])",
            "jobruntime.yaml": "JOB_RUN_ENTRYPOINT: main.py\nA: yaml\nB: 5\n",
        }
    )
    run = run_of(cloud, log_group, artifact, name="a.zip", environment={"A": "job"})
    assert cloud.lines(run) == ["job 5"]


@pytest.mark.parametrize(
    ("name", "files", "environment", "reason"),
    [
        ("a.jar", None, {}, "a.jar can't be executed: this emulator runs .py and .sh"),
        ("a.zip", None, {"JOB_RUN_ENTRYPOINT": "x"}, "a.zip can't be unpacked"),
        ("a.zip", {"main.py": ""}, {}, "an archive needs JOB_RUN_ENTRYPOINT"),
        (
            "a.zip",
            {"main.py": ""},
            {"JOB_RUN_ENTRYPOINT": "other.py"},
            "JOB_RUN_ENTRYPOINT 'other.py' is no file of the artifact",
        ),
        (
            "a.zip",
            {"../evil.py": ""},
            {"JOB_RUN_ENTRYPOINT": "../evil.py"},
            "'../evil.py' leads out of the archive's directory",
        ),
        ("a.zip", {"jobruntime.yaml": "- a"}, {}, "jobruntime.yaml must be a map"),
        ("a.zip", {"jobruntime.yaml": "a: ["}, {}, "jobruntime.yaml can't be read"),
        (
            "main.py",
            None,
            {"CONDA_ENV_TYPE": "service", "CONDA_ENV_SLUG": "tensorflow_v9"},
            "the conda environment 'tensorflow_v9' does not exist",
        ),
        ("main.py", None, {"CONDA_ENV_TYPE": "published"}, "needs CONDA_ENV_NAMESPACE"),
        ("main.py", None, {"CONDA_ENV_TYPE": "own"}, "CONDA_ENV_TYPE must be service or published"),
    ],
)
def test_what_can_not_run_fails_at_bootstrap_and_says_why(
    cloud: Any,
    zipped: Zip,
    *,
    name: str,
    files: Mapping[str, str] | None,
    environment: dict[str, str],
    reason: str,
) -> None:
    artifact = b"x" if files is None else zipped(files)
    run = cloud.ended(cloud.start(cloud.job(artifact, name, environment=environment).id).id)
    assert run.lifecycle_state == "FAILED"
    assert run.lifecycle_details.startswith("Job run bootstrap failed: ")
    assert reason in run.lifecycle_details
    assert run.time_started is None


def test_arguments_that_can_not_be_split_fail_the_run(cloud: Any) -> None:
    run = cloud.ended(cloud.start(cloud.job(b"", arguments="'open").id).id)
    assert "commandLineArguments can't be split" in run.lifecycle_details


def test_a_run_sees_only_what_the_service_gives(
    cloud: Any, log_group: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = b"import json, os; print(json.dumps(dict(os.environ)))"
    run = run_of(cloud, log_group, script, environment={"OWN": "1"})
    [line] = cloud.lines(run)
    environment: dict[str, str] = json.loads(line)
    job = cloud.data_science.get_job(run.job_id).data
    expected = {
        "TENANCY_OCID": cloud.tenancy,
        "PROJECT_OCID": cloud.emulator.project,
        "PROJECT_COMPARTMENT_OCID": cloud.tenancy,
        "JOB_OCID": job.id,
        "JOB_COMPARTMENT_OCID": cloud.tenancy,
        "JOB_ARTIFACT_FILE_NAME": "main.py",
        "JOB_RUN_OCID": run.id,
        "JOB_RUN_COMPARTMENT_OCID": cloud.tenancy,
        "OWN": "1",
        "OCI_RESOURCE_PRINCIPAL_VERSION": "2.2",
        "OCI_RESOURCE_PRINCIPAL_REGION": "us-ashburn-1",
        "HTTPS_PROXY": cloud.emulator.proxy,
    }
    assert expected.items() <= environment.items()
    leaked = {
        name
        for name in os.environ.keys() & environment.keys()
        if name not in {"HOME", "PATH", "LANG", "USER", "SHELL", "TMPDIR", "LC_CTYPE"}
        and os.environ[name] == environment[name]
    }
    assert leaked == set()
    assert Path(environment["HOME"]).is_relative_to(cloud.emulator.state)


def test_overrides_reach_the_process(cloud: Any, log_group: str) -> None:
    script = b"import os, sys; print(os.environ['A'], os.environ['B'], sys.argv[1:])"
    job = cloud.job(
        script,
        environment={"A": "job", "B": "job"},
        arguments="--job",
        job_log_configuration_details=cloud.auto_log(log_group),
    )
    override = configuration(environment_variables={"B": "run"}, command_line_arguments="--run 1")
    run = cloud.start(job.id, job_configuration_override_details=override)
    assert cloud.lines(cloud.ended(run.id)) == ["job run ['--run', '1']"]


def test_an_own_log_is_used_from_the_beginning(cloud: Any, log_group: str) -> None:
    log = cloud.worked(
        cloud.logging.create_log(
            log_group,
            oci.logging.models.CreateLogDetails(display_name="own_log", log_type="CUSTOM"),
        )
    )
    configured = models.JobLogConfigurationDetails(
        enable_logging=True, enable_auto_log_creation=False, log_group_id=log_group, log_id=log
    )
    job = cloud.job(b"print('hello')", job_log_configuration_details=configured)
    run = cloud.start(job.id)
    assert run.log_details.log_id == log
    assert cloud.lines(cloud.ended(run.id)) == ["hello"]


def test_a_missing_log_group_fails_the_run(cloud: Any) -> None:
    job = cloud.job(job_log_configuration_details=cloud.auto_log("ocid1.loggroup.oc1.iad.none"))
    run = cloud.ended(cloud.start(job.id).id)
    assert "the log group ocid1.loggroup.oc1.iad.none or the log does not exist" in (
        run.lifecycle_details
    )


def test_long_lines_and_bytes_that_are_no_text_are_logged(cloud: Any, log_group: str) -> None:
    script = b"import sys; sys.stdout.buffer.write(b'x' * 25000 + b'\\n\\xff\\n')"
    run = run_of(cloud, log_group, script)
    assert [len(line) for line in cloud.lines(run)] == [10000, 10000, 5000, 1]
    assert cloud.lines(run)[-1] == "\ufffd"


def test_output_is_there_while_the_run_goes_on(cloud: Any, log_group: str) -> None:
    job = cloud.job(WAITS, job_log_configuration_details=cloud.auto_log(log_group))
    run = cloud.start(job.id)
    inside = cloud.emulator.wait_for_run(run.id, "IN_PROGRESS")
    run = cloud.data_science.get_job_run(run.id).data
    oci.wait_until(
        cloud.data_science,
        cloud.data_science.get_job_run(run.id),
        evaluate_response=lambda _: cloud.lines(run) == ["begun"],
        max_interval_seconds=0.05,
        max_wait_seconds=60,
    )
    assert inside["pids"]
    release(cloud, run.id)
    assert cloud.lines(cloud.ended(run.id)) == ["begun", "done"]


SLEEPER = b"""
import os, signal, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
print(os.getpid(), child.pid)
signal.pause()
"""


def test_cancel_ends_the_whole_group(cloud: Any, log_group: str) -> None:
    job = cloud.job(SLEEPER, job_log_configuration_details=cloud.auto_log(log_group))
    run = cloud.start(job.id)
    cloud.emulator.wait_for_run(run.id, "IN_PROGRESS")
    run = cloud.data_science.get_job_run(run.id).data
    oci.wait_until(
        cloud.data_science,
        cloud.data_science.get_job_run(run.id),
        evaluate_response=lambda _: cloud.lines(run),
        max_interval_seconds=0.05,
        max_wait_seconds=60,
    )
    pids = [int(pid) for pid in cloud.lines(run)[0].split()]
    assert all(alive(pid) for pid in pids)
    cloud.data_science.cancel_job_run(run.id)
    assert cloud.data_science.get_job_run(run.id).data.lifecycle_state in {"CANCELING", "CANCELED"}
    assert cloud.ended(run.id).lifecycle_state == "CANCELED"
    assert not any(alive(pid) for pid in pids)


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_a_run_that_waits_for_a_place_is_canceled_at_once(own: Callable[..., Any]) -> None:
    cloud = own(places=1)
    job = cloud.job(b"import signal; signal.pause()")
    first, second = cloud.start(job.id), cloud.start(job.id)
    cloud.emulator.wait_for_run(first.id, "IN_PROGRESS")
    waiting = cloud.data_science.get_job_run(second.id).data
    assert waiting.lifecycle_state == "ACCEPTED"
    assert waiting.lifecycle_details in {"", "Infrastructure provisioning."}
    cloud.data_science.cancel_job_run(second.id)
    assert cloud.ended(second.id).lifecycle_state == "CANCELED"
    third = cloud.start(job.id)
    cloud.data_science.cancel_job_run(first.id)
    cloud.emulator.wait_for_run(third.id, "IN_PROGRESS")


def test_a_run_that_finishes_while_it_is_canceled_may_have_succeeded(
    own: Callable[..., Any],
) -> None:
    cloud = own(profile="realistic")
    cloud.emulator.set_rate(0)
    outcomes = {}
    for rule in ("own-outcome", "canceled"):
        cloud.emulator.set_rules(cancel_race=rule)
        run = cloud.start(cloud.job(WAITS).id)
        while cloud.data_science.get_job_run(run.id).data.lifecycle_state == "ACCEPTED":
            cloud.emulator.advance(60)
        cloud.data_science.cancel_job_run(run.id)
        inside = cloud.emulator.run(run.id)
        assert inside["body"]["lifecycleState"] == "CANCELING"
        release(cloud, run.id)
        outcomes[rule] = cloud.ended(run.id).lifecycle_state
    assert outcomes == {"own-outcome": "SUCCEEDED", "canceled": "CANCELED"}


def test_only_what_is_going_on_can_be_canceled(cloud: Any) -> None:
    run = cloud.ended(cloud.start(cloud.job(b"").id).id)
    with pytest.raises(ServiceError) as caught:
        cloud.data_science.cancel_job_run(run.id)
    assert (caught.value.status, caught.value.code) == (409, "IncorrectState")


def test_a_run_is_stopped_at_its_maximum_run_time(own: Callable[..., Any]) -> None:
    cloud = own()
    run = cloud.start(cloud.job(b"import signal; signal.pause()", minutes=2).id)
    cloud.emulator.wait_for_run(run.id, "IN_PROGRESS")
    cloud.emulator.advance(119)
    assert cloud.data_science.get_job_run(run.id).data.lifecycle_state == "IN_PROGRESS"
    cloud.emulator.advance(2)
    final = cloud.ended(run.id)
    assert final.lifecycle_state == "FAILED"
    assert "exceeded its maximum runtime of 2 minutes" in final.lifecycle_details


def test_a_run_needs_an_active_job(cloud: Any) -> None:
    with pytest.raises(ServiceError, match="must be ACTIVE") as caught:
        cloud.start(cloud.job(None).id)
    assert (caught.value.status, caught.value.code) == (409, "IncorrectState")


def test_a_job_with_active_runs_is_not_deleted(own: Callable[..., Any]) -> None:
    cloud = own()
    client = cloud.data_science
    job = cloud.job(b"import signal; signal.pause()")
    run = cloud.start(job.id)
    for code in ("IncorrectState", "Conflict"):
        cloud.emulator.set_rules(active_runs_code=code)
        with pytest.raises(ServiceError, match="has 1 active runs") as caught:
            client.delete_job(job.id, delete_related_job_runs=True)
        assert (caught.value.status, caught.value.code) == (409, code)
    with pytest.raises(ServiceError) as caught:
        client.delete_job_run(run.id)
    assert (caught.value.status, caught.value.code) == (409, "IncorrectState")
    client.cancel_job_run(run.id)
    cloud.ended(run.id)
    with pytest.raises(ServiceError, match="has 1 runs: delete them first"):
        client.delete_job(job.id)
    request = client.delete_job(job.id, delete_related_job_runs=True)
    deleted = request.headers["opc-work-request-id"]
    oci.wait_until(client, client.get_work_request(deleted), "status", "SUCCEEDED")
    assert client.get_job_run(run.id).data.lifecycle_state == "DELETED"


def test_records_of_runs_may_remain_if_the_rule_says_so(own: Callable[..., Any]) -> None:
    cloud = own(rules={"delete_job_with_run_records": "allow"})
    client = cloud.data_science
    job = cloud.job(b"")
    run = cloud.ended(cloud.start(job.id).id)
    request = client.delete_job(job.id).headers["opc-work-request-id"]
    oci.wait_until(client, client.get_work_request(request), "status", "SUCCEEDED")
    assert client.get_job_run(run.id).data.lifecycle_state == "SUCCEEDED"


def test_a_deleted_run_is_shown_as_deleted_for_a_while(own: Callable[..., Any]) -> None:
    cloud = own()
    run = cloud.ended(cloud.start(cloud.job(b"").id).id)
    directory = Path(cloud.emulator.run(run.id)["directory"])
    assert (directory / "home" / "main.py").exists()
    assert not (directory / "principal").exists()
    cloud.data_science.delete_job_run(run.id)
    assert cloud.data_science.get_job_run(run.id).data.lifecycle_state == "DELETED"
    cloud.emulator.advance(3601)
    with pytest.raises(ServiceError) as caught:
        cloud.data_science.get_job_run(run.id)
    assert caught.value.status == 404


def test_a_run_is_updated_only_when_it_runs_or_is_over(own: Callable[..., Any]) -> None:
    cloud = own(mode="simulated")
    cloud.emulator.set_rate(0)
    client = cloud.data_science
    run = cloud.start(cloud.job(b"").id, freeform_tags={"a": "1"})
    details = models.UpdateJobRunDetails(display_name="renamed", freeform_tags={"b": "2"})
    with pytest.raises(ServiceError, match="is ACCEPTED") as caught:
        client.update_job_run(run.id, details)
    assert (caught.value.status, caught.value.code) == (409, "IncorrectState")
    cloud.emulator.advance(60)
    updated = client.update_job_run(run.id, details).data
    assert (updated.display_name, updated.freeform_tags) == ("renamed", {"b": "2"})
    cloud.emulator.set_rules(update_run_while_accepted="allow")
    client.update_job_run(cloud.start(run.job_id).id, details)


def test_a_run_moves_to_another_compartment(cloud: Any) -> None:
    target = "ocid1.compartment.oc1..movedruns"
    cloud.emulator.add_compartment(target)
    run = cloud.ended(cloud.start(cloud.job(b"").id).id)
    details = models.ChangeJobRunCompartmentDetails(compartment_id=target)
    cloud.data_science.change_job_run_compartment(run.id, details)
    assert [found.id for found in cloud.data_science.list_job_runs(target).data] == [run.id]


def test_what_was_not_overridden_is_shown_as_the_rule_says(own: Callable[..., Any]) -> None:
    cloud = own(mode="simulated")
    job = cloud.job(b"")
    kinds = {}
    for rule in ("DEFAULT", "EMPTY"):
        cloud.emulator.set_rules(run_without_override=rule)
        kinds[rule] = cloud.start(job.id).job_configuration_override_details.job_type
    assert kinds == {"DEFAULT": "DEFAULT", "EMPTY": "EMPTY"}


def test_the_log_of_a_run_appears_as_the_rule_says(own: Callable[..., Any]) -> None:
    cloud = own(mode="simulated")
    cloud.emulator.set_rate(0)
    cloud.emulator.set_rules(auto_log_appears="at-creation")
    cloud.emulator.set_rate(1)
    job = cloud.job(b"", job_log_configuration_details=cloud.auto_log(cloud.log_group()))
    cloud.emulator.set_rate(0)
    assert cloud.start(job.id).log_details is not None
    cloud.emulator.set_rules(auto_log_appears="at-provisioning")
    run = cloud.start(job.id)
    assert run.log_details is None
    cloud.emulator.advance(1)
    assert cloud.data_science.get_job_run(run.id).data.log_details is not None


def test_log_groups_are_checked_as_the_rule_says(own: Callable[..., Any]) -> None:
    cloud = own(rules={"log_check": "at-creation"})
    log = cloud.auto_log("ocid1.loggroup.oc1.iad.none")
    with pytest.raises(ServiceError) as caught:
        cloud.job(job_log_configuration_details=log)
    assert caught.value.status == 404
