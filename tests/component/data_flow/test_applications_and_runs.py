"""Applications and runs of Data Flow: which calls are made, and what comes of them."""

import json
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from tests.component.data_flow.conftest import LASTING, SPARK, Flow, made
from tests.unit.cloud.scripted_oci import PRINCIPAL

from ocijobs.backends.data_flow.requests import ApplicationRequest
from ocijobs.backends.data_science.requests import (
    JobConfiguration,
    JobRequest,
    JobSettings,
    RunRequest,
    SingleNode,
)
from ocijobs.backends.records import (
    Absent,
    JobState,
    Refusal,
    RefusalKind,
    RunRecord,
    RunState,
    RunTotals,
)
from ocijobs.backends.requests import Tags
from ocijobs.testing import PROJECT, make_ocid

pytestmark = pytest.mark.asyncio

NO_TAGS = Tags(freeform={}, defined={})
ENDED = ("SUCCEEDED", "FAILED", "CANCELED", "STOPPED")


@pytest.fixture
def token() -> str:
    """A token, and an owner, that no other test has."""
    return uuid4().hex


async def ended(flow: Flow, run: RunRecord) -> RunRecord:
    """Return the run when it is over."""
    flow.emulator.wait_for_run(run.id, *ENDED)
    found = made(await flow.infrastructure.look_up_run(PRINCIPAL, flow.emulator.tenancy, run.id))
    assert isinstance(found, RunRecord)
    return found


async def test_an_application_is_made_once_for_a_token_and_reads_as_what_it_was_made_of(
    flow: Flow, token: str
) -> None:
    request = flow.request(token)
    work = flow.infrastructure.create_job(PRINCIPAL, request, token)
    first, calls = await flow.calls(work)
    assert calls == ["CreateApplication 200"]
    record = made(first)
    assert (record.owner, record.state) == (token, JobState.ACTIVE)
    again = made(await flow.infrastructure.create_job(PRINCIPAL, request, token))
    assert again.id == record.id

    looked = flow.infrastructure.look_up_job(PRINCIPAL, flow.emulator.tenancy, record.id)
    found, calls = await flow.calls(looked)
    assert calls == ["GetApplication 200"]
    assert not isinstance(found, Absent | Refusal)
    content = found.content
    assert isinstance(content, ApplicationRequest)
    # OCI adds tags of its own.
    tags = replace(content.settings.tags, defined={})
    assert replace(content, settings=replace(content.settings, tags=tags)) == request


async def test_the_oldest_living_application_of_the_owner_is_found(flow: Flow, token: str) -> None:
    gone = await flow.application(token)
    assert await flow.infrastructure.delete_job(PRINCIPAL, gone.id) is None
    request = flow.request(token)
    oldest, younger = [
        made(await flow.infrastructure.create_job(PRINCIPAL, request, f"{token}-{number}"))
        for number in range(2)
    ]
    assert oldest.id != younger.id
    search = flow.infrastructure.search_jobs(PRINCIPAL, flow.emulator.tenancy, None, token)
    found, calls = await flow.calls(search)
    assert found is not None
    assert made(found).id == oldest.id
    assert calls == ["ListApplications 200"]
    nobody = flow.infrastructure.search_jobs(PRINCIPAL, flow.emulator.tenancy, None, "nobody")
    assert await nobody is None


async def test_what_is_not_in_the_whole_list_is_absent(flow: Flow) -> None:
    oci, tenancy = flow.infrastructure, flow.emulator.tenancy
    unknown = make_ocid("dataflowapplication", "unknown")
    found, calls = await flow.calls(oci.look_up_job(PRINCIPAL, tenancy, unknown))
    assert found == Absent()
    assert calls == ["GetApplication 404", "ListApplications 200"]
    unknown = make_ocid("dataflowrun", "unknown")
    run, calls = await flow.calls(oci.look_up_run(PRINCIPAL, tenancy, unknown))
    assert run == Absent()
    assert calls[0] == "GetRun 404"
    assert set(calls[1:]) == {"ListRuns 200"}


async def test_a_404_alone_proves_nothing(flow: Flow, token: str) -> None:
    oci, tenancy = flow.infrastructure, flow.emulator.tenancy
    application = await flow.application(token)
    run = await flow.run(application.id, token)
    for operation in ("GetApplication", "GetRun"):
        flow.emulator.add_fault(operation, status=404, code="NotAuthorizedOrNotFound", count=1)
    job = await oci.look_up_job(PRINCIPAL, tenancy, application.id)
    assert not isinstance(job, Absent | Refusal)
    assert (job.id, job.content) == (application.id, None)
    found = await oci.look_up_run(PRINCIPAL, tenancy, run.id)
    assert isinstance(found, RunRecord)
    assert (found.id, found.complete) == (run.id, False)
    for operation in ("GetRun", "ListRuns"):
        flow.emulator.add_fault(operation, status=404, code="NotAuthorizedOrNotFound", count=1)
    assert isinstance(await oci.look_up_run(PRINCIPAL, tenancy, run.id), Refusal)
    await oci.cancel_run(PRINCIPAL, run.id)


async def test_settings_are_changed_in_place(flow: Flow, token: str) -> None:
    application = await flow.application(token)
    settings = replace(
        flow.request(token).settings,
        display_name="team-a/renamed",
        spark=replace(SPARK, num_executors=3, arguments=(), parameters={}),
    )
    work = flow.infrastructure.update_job(PRINCIPAL, application.id, settings)
    refusal, calls = await flow.calls(work)
    assert (refusal, calls) == (None, ["UpdateApplication 200"])
    changed = flow.client.get_application(application.id).data
    assert (changed.display_name, changed.num_executors) == ("team-a/renamed", 3)
    assert (changed.arguments, changed.parameters) == ([], [])


async def test_a_run_is_made_once_for_a_token_and_found_by_its_owner(
    flow: Flow, token: str
) -> None:
    oci, tenancy = flow.infrastructure, flow.emulator.tenancy
    application = await flow.application(token)
    own = replace(SPARK, parameters={"day": "friday"}, num_executors=1)
    run = await flow.run(application.id, token, spark=own)
    assert (run.job_id, run.owner, run.complete) == (application.id, token, True)
    assert (await flow.run(application.id, token, spark=own)).id == run.id
    sent = flow.client.get_run(run.id).data
    assert [(each.name, each.value) for each in sent.parameters] == [("day", "friday")]
    found, calls = await flow.calls(oci.search_runs(PRINCIPAL, tenancy, application.id, token))
    assert found is not None
    assert (made(found).id, calls) == (run.id, ["ListRuns 200"])
    assert await oci.search_runs(PRINCIPAL, tenancy, application.id, "nobody") is None
    await oci.cancel_run(PRINCIPAL, run.id)


async def test_a_run_that_has_ended_tells_what_it_used_and_when(flow: Flow, token: str) -> None:
    application = await flow.application(token)
    plan = {"inProgress": [1, 1], "dataReadInBytes": 1000, "dataWrittenInBytes": 10}
    record = await ended(flow, await flow.run(application.id, token, plan))
    assert (record.state, record.complete) == (RunState.SUCCEEDED, True)
    totals = record.totals
    assert totals is not None
    assert totals.milliseconds is not None
    assert totals == RunTotals(
        ocpus=3, read_bytes=1000, written_bytes=10, milliseconds=totals.milliseconds
    )
    assert totals.milliseconds >= 1000
    assert record.accepted_at is not None
    assert record.started_at is not None
    assert record.finished_at is not None
    assert record.started_at < record.finished_at
    listed = made(
        await flow.infrastructure.list_runs(PRINCIPAL, flow.emulator.tenancy, job_id=application.id)
    )
    assert [(run.id, run.totals, run.complete) for run in listed] == [(record.id, totals, False)]


async def test_lists_of_the_poll_have_one_filter_and_all_pages(flow: Flow, token: str) -> None:
    oci, tenancy = flow.infrastructure, flow.emulator.tenancy
    application = await flow.application(token)
    runs = [await flow.run(application.id, f"{token}-{number}") for number in range(101)]
    listed, calls = await flow.calls(oci.list_runs(PRINCIPAL, tenancy, job_id=application.id))
    assert [run.id for run in made(listed)] == [run.id for run in runs]
    assert calls == ["ListRuns 200"] * 2
    active = await oci.count_active_runs(PRINCIPAL, tenancy, application.id)
    assert active == 101

    flow.emulator.wait_for_run(runs[-1].id, "IN_PROGRESS")
    running = made(await oci.list_runs(PRINCIPAL, tenancy, state=RunState.IN_PROGRESS))
    assert runs[-1].id in {run.id for run in running}

    single, calls = await flow.calls(oci.list_runs(PRINCIPAL, tenancy, run_id=runs[0].id))
    assert [(run.id, run.complete) for run in made(single)] == [(runs[0].id, True)]
    assert calls == ["GetRun 200"]
    unknown = make_ocid("dataflowrun", "unknown")
    assert await oci.list_runs(PRINCIPAL, tenancy, run_id=unknown) == ()

    for run in runs:
        flow.emulator.force_run(run.id, "SUCCEEDED")
    assert await oci.count_active_runs(PRINCIPAL, tenancy, application.id) == 0


async def test_no_list_is_asked_for_that_data_flow_would_refuse(flow: Flow) -> None:
    oci, tenancy = flow.infrastructure, flow.emulator.tenancy
    with pytest.raises(ValueError, match="one filter, not 2"):
        await oci.list_runs(PRINCIPAL, tenancy, state=RunState.ACCEPTED, job_id="ocid1.x")
    with pytest.raises(ValueError, match="one filter, not 0"):
        await oci.list_runs(PRINCIPAL, tenancy)


async def test_a_run_is_cancelled_and_its_record_stays(flow: Flow, token: str) -> None:
    oci = flow.infrastructure
    application = await flow.application(token)
    run = await flow.run(application.id, token)
    flow.emulator.wait_for_run(run.id, "IN_PROGRESS")
    refusal, calls = await flow.calls(oci.cancel_run(PRINCIPAL, run.id))
    assert (refusal, calls) == (None, ["DeleteRun 204"])
    record = await ended(flow, run)
    assert record.state is RunState.CANCELED
    refusal, calls = await flow.calls(oci.delete_run(PRINCIPAL, run.id))
    assert (refusal is not None, calls) == (True, [])
    assert flow.client.get_run(run.id).data.lifecycle_state == "CANCELED"


@pytest.mark.parametrize(("rule", "kind"), [("accept", None), ("conflict", RefusalKind.CONFLICT)])
async def test_a_run_that_has_ended_is_not_cancelled_any_more(
    flow: Flow, token: str, rule: str, kind: RefusalKind | None
) -> None:
    flow.emulator.set_rules(delete_ended_run=rule)
    application = await flow.application(token)
    run = await ended(flow, await flow.run(application.id, token, {}))
    refusal = await flow.infrastructure.cancel_run(PRINCIPAL, run.id)
    assert (refusal.kind if refusal is not None else None) is kind
    assert (await ended(flow, run)).state is RunState.SUCCEEDED


async def test_an_application_with_active_runs_is_not_deleted(flow: Flow, token: str) -> None:
    oci = flow.infrastructure
    application = await flow.application(token)
    run = await flow.run(application.id, token, LASTING)
    refusal = await oci.delete_job(PRINCIPAL, application.id)
    assert refusal is not None
    assert refusal.kind is RefusalKind.CONFLICT
    flow.emulator.force_run(run.id, "SUCCEEDED")
    assert await oci.delete_job(PRINCIPAL, application.id) is None


async def test_what_is_of_data_science_is_no_request(flow: Flow) -> None:
    settings = JobSettings(display_name="x", description=None, infrastructure=None, tags=NO_TAGS)
    workload = SingleNode(
        configuration=JobConfiguration(
            environment_variables={},
            command_line_arguments=None,
            maximum_runtime_in_minutes=None,
        )
    )
    where: dict[str, Any] = {"compartment_id": flow.emulator.tenancy, "project_id": PROJECT}
    job = JobRequest(settings=settings, workload=workload, log=None, **where)
    run = RunRequest(
        job_id=make_ocid("datasciencejob"), display_name="x", tags=NO_TAGS, workload=None, **where
    )
    with pytest.raises(TypeError, match="JobRequest"):
        await flow.infrastructure.create_job(PRINCIPAL, job, "token")
    with pytest.raises(TypeError, match="JobSettings"):
        await flow.infrastructure.update_job(PRINCIPAL, "ocid1.x", settings)
    with pytest.raises(TypeError, match="RunRequest"):
        await flow.infrastructure.create_run(PRINCIPAL, run, "token")


async def test_secret_values_are_sent_and_not_shown(flow: Flow, token: str) -> None:
    spark = replace(SPARK, configuration={"spark.driverEnv.KEY": "s3cr3t"})
    request = flow.request(token)
    request = replace(request, settings=replace(request.settings, spark=spark))
    assert "s3cr3t" not in repr(request)
    record = made(await flow.infrastructure.create_job(PRINCIPAL, request, token))
    kept = flow.client.get_application(record.id).data.configuration
    assert json.dumps(kept).count("s3cr3t") == 1
