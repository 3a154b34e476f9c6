"""A process that loses the lease begins anew, and nothing is done twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support import busy_operator, manifests
from tests.support.connect_proxy import ConnectProxy, connect_proxy
from tests.support.kills import each_was_created_once
from tests.support.patience import patience
from tests.support.stage import Stage

from ocijobs.testing.process import OperatorProcess

RUNS = [f"run-{number}" for number in range(8)]

# As short as the time-outs of calls to OCI allow.
LEASE = {
    "oci_connect_timeout_seconds": patience(1),
    "oci_read_timeout_seconds": patience(2),
    "lease_duration_seconds": patience(4),
    "lease_renew_seconds": patience(1),
}


def through(proxy: ConnectProxy, kubeconfig: Path) -> None:
    """Have a kubeconfig lead through a proxy."""
    document = yaml.safe_load(kubeconfig.read_text())
    for cluster in document["clusters"]:
        cluster["cluster"]["proxy-url"] = proxy.url
    kubeconfig.write_text(yaml.safe_dump(document))


@pytest.mark.no_operator
@pytest.mark.own_process
def test_a_leader_that_is_cut_off_for_longer_than_its_lease_leads_again(stage: Stage) -> None:
    with connect_proxy() as proxy:
        through(proxy, stage.kubeconfig)
        stage.start_operator(**LEASE)
        stage.identity()
        stage.apply(manifests.job())
        stage.until_synced("job")
        pid = stage.operator.pid
        # Answers that come after the term is over, and ones that never come.
        stage.emulator.add_fault("CreateJobRun", delay=1.5, count=2)
        stage.emulator.add_fault("CreateJobRun", action="drop", count=2)
        stage.apply(*(manifests.run(name) for name in RUNS))
        stage.emulator.wait_for("CreateJobRun", count=2)
        proxy.cut()
        stage.operator.until_told("ocijobs_lease_lost_total 1.0")
        # It tries, and cannot.
        proxy.until_refused(3, patience(30))
        proxy.mend()
        for name in RUNS:
            stage.until_ended(name)
        each_was_created_once(stage, RUNS)
        assert stage.operator.pid == pid
        assert stage.operator.alive
        ready = json.loads(stage.operator.until_ready().fetch("/readyz") or "{}")
        assert set(ready.values()) == {True}
        # Before the way to its cluster ends.
        stage.operator.end()


@pytest.mark.no_operator
@pytest.mark.own_process
def test_a_loop_that_is_busy_loses_no_lease_and_is_named(stage: Stage, tmp_path: Path) -> None:
    """Two replicas, of which the leader's loop is busy for several times as long as a lease lasts."""
    busy = 5 * LEASE["lease_duration_seconds"]

    def launch(command: list[str], **options: Any) -> subprocess.Popen[bytes]:
        _, _, _, *arguments = command
        own = [sys.executable, "-m", "tests.support.busy_operator", str(busy), *arguments]
        return subprocess.Popen(own, **options)

    settings = stage.settings(**LEASE)
    (tmp_path / "leader").mkdir()
    leader = OperatorProcess(stage.kubeconfig, tmp_path / "leader", settings, launch)
    with leader:
        leader.until_told("ocijobs_leader 1.0")
        with stage.replica(tmp_path / "standby", **LEASE) as standby:
            standby.until_ready()
            holder = _lease(stage)["holderIdentity"]
            os.kill(leader.pid, busy_operator.SIGNAL)
            leader.until_checked("/healthz", {"loop": False, "workers": True})
            leader.until_checked("/healthz", {"loop": True, "workers": True})
            after = _lease(stage)
            assert (after["holderIdentity"], after["leaseTransitions"]) == (holder, 0)
            assert "ocijobs_leader 0.0" in (standby.fetch("/metrics") or "")
            stage.identity()
            stage.apply(manifests.job(), manifests.run())
            stage.until_ended("run")
            lines = [json.loads(line) for line in leader.log.read_text().splitlines()]
            busy_lines = [line for line in lines if line["logger"] == "ocijobs.telemetry.watchdog"]
            assert any("keep_the_loop_busy" in line.get("stack", "") for line in busy_lines)
            told = (leader.fetch("/metrics") or "").splitlines()
            [seconds] = [line for line in told if line.startswith("ocijobs_loop_busy_seconds_sum")]
            assert float(seconds.split()[1]) >= busy


def _lease(stage: Stage) -> dict[str, Any]:
    path = f"/apis/coordination.k8s.io/v1/namespaces/{stage.home}/leases/ocijobs-operator"
    spec: dict[str, Any] = stage.cluster.api().request("GET", path)["spec"]
    return spec
