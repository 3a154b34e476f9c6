"""A process that loses the lease begins anew, and nothing is done twice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from tests.support import manifests
from tests.support.connect_proxy import ConnectProxy, connect_proxy
from tests.support.kills import each_was_created_once
from tests.support.patience import patience
from tests.support.stage import Stage

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
