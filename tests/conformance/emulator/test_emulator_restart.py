"""State survives: a stop, a kill, and what becomes of processes then."""

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import oci
import pytest

from oci_emulator.testing import Emulator, EmulatorError

SLEEPER = b"import os, signal; print(os.getpid()); signal.pause()"


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def gone(cloud: Any, *pids: int) -> None:
    """Wait until processes are no more."""
    oci.wait_until(
        cloud.identity,
        cloud.identity.list_regions(),
        evaluate_response=lambda _: not any(alive(pid) for pid in pids),
        max_interval_seconds=0.05,
        max_wait_seconds=60,
        fetch_func=lambda response: response,
    )


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_restart_loses_nothing(own_process: Callable[..., Any], how: str) -> None:
    cloud = own_process(rules={"default_page_size": 7})
    emulator = cloud.emulator
    group = cloud.log_group()
    compartment = "ocid1.compartment.oc1..kept"
    emulator.add_compartment(compartment)
    user = emulator.add_user("bob")
    emulator.set_mode("simulated", plans=[{"match": {"displayName": "bad"}, "outcome": "FAILED"}])
    emulator.advance(1000)
    job = cloud.job(b"print(1)", job_log_configuration_details=cloud.auto_log(group))
    emulator.set_mode("process")
    run = cloud.ended(cloud.start(job.id).id)
    bucket = oci.object_storage.models.CreateBucketDetails(name="b", compartment_id=cloud.tenancy)
    cloud.object_storage.create_bucket(emulator.namespace, bucket)
    cloud.object_storage.put_object(emulator.namespace, "b", "o", b"content")
    before = {
        "urls": (emulator.http, emulator.proxy),
        "rules": emulator.rules(),
        "mode": emulator.control("GET", "mode"),
        "counts": emulator.counts(),
        "job": str(cloud.data_science.get_job(job.id).data),
        "artifact": cloud.data_science.get_job_artifact_content(job.id).data.content,
        "run": str(cloud.data_science.get_job_run(run.id).data),
        "lines": cloud.lines(run),
        "object": cloud.object_storage.get_object(emulator.namespace, "b", "o").data.content,
        "compartments": {c.id for c in cloud.identity.list_compartments(cloud.tenancy).data},
    }
    asked = sum(sum(counts.values()) for counts in before["counts"].values())
    time = emulator.now()
    getattr(emulator, how)()
    emulator.start()
    assert emulator.now() >= time
    after = {
        "urls": (emulator.http, emulator.proxy),
        "rules": emulator.rules(),
        "mode": emulator.control("GET", "mode"),
        "counts": before["counts"],
        "job": str(cloud.data_science.get_job(job.id).data),
        "artifact": cloud.data_science.get_job_artifact_content(job.id).data.content,
        "run": str(cloud.data_science.get_job_run(run.id).data),
        "lines": cloud.lines(run),
        "object": cloud.object_storage.get_object(emulator.namespace, "b", "o").data.content,
        "compartments": {c.id for c in cloud.identity.list_compartments(cloud.tenancy).data},
    }
    assert after == before
    assert compartment in after["compartments"]
    assert emulator.last_seq() >= asked
    assert type(cloud)(emulator, user.config).data_science.list_jobs(cloud.tenancy).status == 200


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_processes_end_with_the_emulator_and_are_reported_lost(
    own_process: Callable[..., Any], how: str
) -> None:
    cloud = own_process()
    job = cloud.job(SLEEPER)
    running, canceling = cloud.start(job.id), cloud.start(job.id)
    pids = [
        cloud.emulator.wait_for_run(run.id, "IN_PROGRESS")["pids"][0]
        for run in (running, canceling)
    ]
    cloud.emulator.set_rate(0)
    cloud.data_science.cancel_job_run(canceling.id)
    getattr(cloud.emulator, how)()
    cloud.emulator.start()
    gone(cloud, *pids)
    lost = cloud.data_science.get_job_run(running.id).data
    assert lost.lifecycle_state == "FAILED"
    assert lost.lifecycle_details == (
        "Job run infrastructure failed: the process was lost, as the emulator was stopped while it"
        " ran."
    )
    cloud.emulator.set_rate(1)
    assert cloud.ended(canceling.id).lifecycle_state == "CANCELED"


def test_orphans_end_though_the_emulator_never_starts_again(
    own_process: Callable[..., Any],
) -> None:
    cloud = own_process()
    run = cloud.start(cloud.job(SLEEPER).id)
    pid = cloud.emulator.wait_for_run(run.id, "IN_PROGRESS")["pids"][0]
    cloud.emulator.kill()
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    assert select.select([descriptor], [], [], 60)[0], "it ends"
    os.close(descriptor)


def test_runs_that_waited_go_on_after_a_kill(own_process: Callable[..., Any]) -> None:
    cloud = own_process(places=1)
    first = cloud.start(cloud.job(SLEEPER).id)
    waiting = [cloud.start(cloud.job(b"print(1)").id) for _ in range(2)]
    cloud.emulator.wait_for_run(first.id, "IN_PROGRESS")
    cloud.emulator.kill()
    cloud.emulator.start()
    assert [cloud.ended(run.id).lifecycle_state for run in (first, *waiting)] == [
        "FAILED",
        "SUCCEEDED",
        "SUCCEEDED",
    ]


def test_simulated_runs_go_on_as_if_nothing_had_been(own_process: Callable[..., Any]) -> None:
    cloud = own_process(mode="simulated")
    emulator = cloud.emulator
    emulator.set_mode(default={"accepted": 60, "inProgress": 3600})
    emulator.set_rate(0)
    run = cloud.start(cloud.job().id)
    emulator.advance(61)
    assert cloud.data_science.get_job_run(run.id).data.lifecycle_state == "IN_PROGRESS"
    emulator.kill()
    emulator.start()
    assert cloud.data_science.get_job_run(run.id).data.lifecycle_state == "IN_PROGRESS"
    emulator.advance(3600)
    ended = cloud.ended(run.id)
    assert ended.lifecycle_state == "SUCCEEDED"
    assert (ended.time_finished - ended.time_started).total_seconds() == pytest.approx(3600, abs=1)


def test_what_was_acknowledged_survives_a_kill(own_process: Callable[..., Any]) -> None:
    cloud = own_process(mode="simulated")
    job = cloud.job()
    made = [cloud.start(job.id).id for _ in range(20)]
    cloud.emulator.kill()
    cloud.emulator.start()
    found = cloud.data_science.list_job_runs(cloud.tenancy, limit=100).data
    assert {run.id for run in found} == set(made)


def test_a_state_directory_has_one_emulator(cloud: Any) -> None:
    command = [sys.executable, "-m", "oci_emulator", "serve", "--state", str(cloud.emulator.state)]
    second = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert second.returncode == 1
    assert second.stdout == ""
    assert f"with the process id {cloud.emulator.pid}" in second.stderr


def test_a_port_that_was_asked_for_must_be_free(cloud: Any, tmp_path: Path) -> None:
    port = cloud.emulator.http.rpartition(":")[2]
    command = [sys.executable, "-m", "oci_emulator", "serve", "--state", str(tmp_path)]
    second = subprocess.run(
        [*command, "--http-port", port], capture_output=True, text=True, check=False, timeout=60
    )
    assert second.returncode == 1
    assert f"port {port} is taken" in second.stderr


def test_a_port_that_was_taken_meanwhile_is_replaced(tmp_path: Path) -> None:
    with Emulator(tmp_path / "a") as first:
        port = first.http.rpartition(":")[2]
    with Emulator(tmp_path / "b") as blocker:
        blocker.stop()
        blocker._arguments += ["--http-port", port]
        blocker.start()
        with Emulator(tmp_path / "a") as again:
            assert again.http != blocker.http


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--rule", "speed=fast"], "there is no rule 'speed'"),
        (["--rule", "speed"], "'speed' is not NAME=VALUE"),
        (["--region", "mars-1"], "there is no region 'mars-1'"),
        (["--mode", "dream"], "'dream' is not one of"),
    ],
)
def test_wrong_options_are_explained(tmp_path: Path, arguments: list[str], message: str) -> None:
    command = [sys.executable, "-m", "oci_emulator", "serve", "--state", str(tmp_path)]
    result = subprocess.run(
        [*command, *arguments], capture_output=True, text=True, check=False, timeout=60
    )
    assert result.returncode != 0
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_the_announcement_is_one_line_of_json_and_keys_are_private(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "oci_emulator", "serve", "--state", str(tmp_path / "state")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        announcement = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read() == ""
    assert process.returncode == 0
    assert {
        "http",
        "proxy",
        "ca",
        "config",
        "tenancy",
        "project",
        "region",
        "namespace",
        "pid",
    } <= (announcement.keys())
    config = Path(announcement["config"])
    assert config.stat().st_mode & 0o777 == 0o600
    assert (config.parent / "key.pem").stat().st_mode & 0o777 == 0o600


def test_an_emulator_that_can_not_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(EmulatorError, match="there is no rule 'nonsense'"):
        Emulator(tmp_path / "state", rules={"nonsense": 1}).start()
