"""An operator that is killed while it launches runs, again and again."""

from collections.abc import Sequence

from tests.support import manifests
from tests.support.patience import patience
from tests.support.stage import Stage

SHORT_LEASE = {
    "oci_connect_timeout_seconds": patience(0.5),
    "oci_read_timeout_seconds": patience(2),
    "lease_duration_seconds": patience(3),
    "lease_renew_seconds": 0.5,
}
"""The next operator leads soon after one that gave nothing back."""


def launch_under_kills(stage: Stage, names: Sequence[str], after_requests: Sequence[int]) -> None:
    """Create runs in as many batches as there are kills, and leave the last operator running.

    Args:
        stage: where no operator runs.
        names: of the runs.
        after_requests: after how many requests to OCI since its batch was created each operator is killed.
    """
    kills = len(after_requests)
    for number, requests in enumerate(after_requests):
        stage.start_operator(**SHORT_LEASE)
        seen = stage.emulator.last_seq()
        stage.apply(*(manifests.run(name) for name in names[number::kills]))
        stage.emulator.wait_for(since=seen, count=requests)
        stage.operator.kill()
    stage.emulator.clear_faults()
    stage.start_operator()


def each_was_created_once(stage: Stage, names: list[str]) -> None:
    """Check that OCI has each run once, and that it is the one that the status names."""
    created = stage.emulator.journal("CreateJobRun", status=200, limit=10_000)
    bound = {stage.get("OCIJobRun", name)["status"]["jobRunId"] for name in names}
    assert {entry.resource_id for entry in created} == bound == {run.id for run in stage.job_runs()}
    assert len(bound) == len(names)
    # A repetition with the same token is answered with what it made before.
    jobs = stage.emulator.journal("CreateJob", status=200)
    assert len({entry.resource_id for entry in jobs}) == 1


def each_run_of_spark_was_created_once(stage: Stage, names: list[str]) -> None:
    """Check that Data Flow has each run once, of one application."""
    bound = {stage.get("OCIJobRun", name)["status"]["jobRunId"] for name in names}
    assert bound == {run.id for run in stage.flow_runs()}
    assert len(bound) == len(names)
    assert len(stage.flow().list_applications(stage.emulator.tenancy).data) == 1
