"""Our requests as OCI's documents, field for field, and OCI's documents as our records."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import oci
import pytest
from tests.unit.cloud.api_keys import secret
from tests.unit.cloud.scripted_oci import PRINCIPAL

from ocijobs.api.job.machines.shape import CpuBaseline, JobShapeConfigDetails
from ocijobs.backends.data_science.machines import Compute
from ocijobs.backends.data_science.requests import (
    JobConfiguration,
    JobRequest,
    JobSettings,
    LogConfiguration,
    RunRequest,
    SingleNode,
)
from ocijobs.backends.job_record import JobRecord
from ocijobs.backends.records import JobState, LogAddress, RunRecord, RunState
from ocijobs.backends.requests import Tags
from ocijobs.cloud.clients import Clients, Service
from ocijobs.cloud.credentials import parse_api_key
from ocijobs.cloud.data_science_models import (
    create_job_details,
    create_job_run_details,
    job_record,
    run_record,
    update_job_details,
)
from ocijobs.cloud.refusals import MalformedAnswerError
from ocijobs.settings import Settings
from ocijobs.testing import COMPARTMENT, LOG_GROUP, PROJECT, make_ocid

JOB, RUN, LOG, SUBNET = (
    make_ocid(kind) for kind in ("datasciencejob", "datasciencejobrun", "log", "subnet")
)
TAGS = Tags(freeform={"ocijobs_owner": "c/u/0", "team": "x"}, defined={"costs": {"center": "7"}})
CONFIGURATION = JobConfiguration(
    environment_variables={"DEPTH": "3"},
    command_line_arguments="--rate 0.1",
    maximum_runtime_in_minutes=30,
)


def sent(details: Any) -> Any:
    """Return the document that the SDK sends, without what is absent."""
    return _without_none(oci.base_client.BaseClient.sanitize_for_serialization(_SDK, details))


_SDK = (
    Clients(Settings())
    .get(PRINCIPAL, parse_api_key(secret(), region=None, version="v1"), Service.DATA_SCIENCE)
    .base_client
)


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_none(item) for name, item in value.items() if item is not None}
    return value


SHAPE = "VM.Standard.E4.Flex"


def settings(**infrastructure: Any) -> JobSettings:
    return JobSettings(
        display_name="train",
        description="Trains",
        infrastructure=Compute(
            **{"shape_name": SHAPE, "size": None, "block_storage_size_in_gbs": 100} | infrastructure
        ),
        tags=TAGS,
    )


FLEX = JobShapeConfigDetails(ocpus=2, memory_in_gbs=32, cpu_baseline=CpuBaseline.BASELINE_1_2)
FLEX_SENT = {"ocpus": 2.0, "memoryInGBs": 32.0, "cpuBaseline": "BASELINE_1_2"}
MANAGED_SENT = {
    "jobInfrastructureType": "ME_STANDALONE",
    "shapeName": "VM.Standard.E4.Flex",
    "blockStorageSizeInGBs": 100,
}


def test_a_job_is_sent_with_all_its_fields() -> None:
    request = JobRequest(
        compartment_id=COMPARTMENT,
        project_id=PROJECT,
        settings=settings(subnet_id=SUBNET, size=FLEX),
        workload=SingleNode(configuration=CONFIGURATION),
        log=LogConfiguration(log_group_id=LOG_GROUP, log_id=LOG),
    )
    assert sent(create_job_details(request)) == {
        "compartmentId": COMPARTMENT,
        "projectId": PROJECT,
        "displayName": "train",
        "description": "Trains",
        "jobConfigurationDetails": {
            "jobType": "DEFAULT",
            "environmentVariables": {"DEPTH": "3"},
            "commandLineArguments": "--rate 0.1",
            "maximumRuntimeInMinutes": 30,
        },
        "jobInfrastructureConfigurationDetails": {
            "jobInfrastructureType": "STANDALONE",
            "shapeName": "VM.Standard.E4.Flex",
            "blockStorageSizeInGBs": 100,
            "subnetId": SUBNET,
            "jobShapeConfigDetails": FLEX_SENT,
        },
        "jobLogConfigurationDetails": {
            "enableLogging": True,
            "enableAutoLogCreation": False,
            "logGroupId": LOG_GROUP,
            "logId": LOG,
        },
        "jobStorageMountConfigurationDetailsList": [],
        "freeformTags": dict(TAGS.freeform),
        "definedTags": {"costs": {"center": "7"}},
    }


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        (None, {"enableLogging": False}),
        (
            LogConfiguration(log_group_id=LOG_GROUP, log_id=None),
            {"enableLogging": True, "enableAutoLogCreation": True, "logGroupId": LOG_GROUP},
        ),
    ],
)
def test_without_a_subnet_egress_is_managed_and_logs_are_made_as_needed(
    log: LogConfiguration | None, expected: dict[str, Any]
) -> None:
    request = JobRequest(
        compartment_id=COMPARTMENT,
        project_id=PROJECT,
        settings=settings(),
        workload=SingleNode(configuration=CONFIGURATION),
        log=log,
    )
    document = sent(create_job_details(request))
    assert document["jobInfrastructureConfigurationDetails"] == MANAGED_SENT
    assert document["jobLogConfigurationDetails"] == expected


def test_an_update_is_complete_so_that_what_was_removed_goes() -> None:
    changed = JobSettings(
        display_name="train",
        description=None,
        infrastructure=settings().infrastructure,
        tags=Tags(freeform={}, defined={}),
    )
    assert sent(update_job_details(changed)) == {
        "displayName": "train",
        "description": "",
        "jobInfrastructureConfigurationDetails": MANAGED_SENT,
        "jobStorageMountConfigurationDetailsList": [],
        "freeformTags": {},
        "definedTags": {},
    }


@pytest.mark.parametrize("configuration", [CONFIGURATION, None])
def test_a_run_overrides_its_jobs_configuration_whole_or_not_at_all(
    configuration: JobConfiguration | None,
) -> None:
    request = RunRequest(
        compartment_id=COMPARTMENT,
        project_id=PROJECT,
        job_id=JOB,
        display_name="team-a/run",
        tags=TAGS,
        workload=SingleNode(configuration=configuration) if configuration else None,
    )
    document = sent(create_job_run_details(request))
    override = document.pop("jobConfigurationOverrideDetails", None)
    assert override == (
        {
            "jobType": "DEFAULT",
            "environmentVariables": {"DEPTH": "3"},
            "commandLineArguments": "--rate 0.1",
            "maximumRuntimeInMinutes": 30,
        }
        if configuration
        else None
    )
    assert document == {
        "compartmentId": COMPARTMENT,
        "projectId": PROJECT,
        "jobId": JOB,
        "displayName": "team-a/run",
        "freeformTags": dict(TAGS.freeform),
        "definedTags": {"costs": {"center": "7"}},
    }


AT = datetime(2026, 1, 1, 12, 0, 30, 999_999, tzinfo=UTC)
LATER = datetime(2026, 1, 1, 15, 1, 0, tzinfo=UTC)


def remote(kind: Any, **fields: Any) -> Any:
    """Return what the SDK makes of an answer."""
    base = {"id": RUN, "job_id": JOB, "compartment_id": COMPARTMENT, "lifecycle_state": "ACCEPTED"}
    known = set(kind().swagger_types)
    return kind(**{name: value for name, value in (base | fields).items() if name in known})


def test_a_run_is_recorded_in_utc_and_whole_seconds_as_kubernetes_writes_times() -> None:
    run = remote(
        oci.data_science.models.JobRun,
        lifecycle_state="SUCCEEDED",
        lifecycle_details="done",
        time_accepted=AT,
        time_started=AT.astimezone(tz=None) + timedelta(minutes=1),
        time_finished=LATER,
        log_details=oci.data_science.models.JobRunLogDetails(log_group_id=LOG_GROUP, log_id=LOG),
        freeform_tags={"ocijobs_owner": "c/u/0"},
    )
    assert run_record(run, complete=True) == RunRecord(
        id=RUN,
        job_id=JOB,
        compartment_id=COMPARTMENT,
        state=RunState.SUCCEEDED,
        details="done",
        accepted_at=datetime(2026, 1, 1, 12, 0, 30, tzinfo=UTC),
        started_at=datetime(2026, 1, 1, 12, 1, 30, tzinfo=UTC),
        finished_at=LATER,
        log=LogAddress(log_group_id=LOG_GROUP, log_id=LOG),
        owner="c/u/0",
        complete=True,
    )


def test_a_summary_has_no_log_and_is_not_complete() -> None:
    run = remote(oci.data_science.models.JobRunSummary, freeform_tags=None)
    assert run_record(run, complete=False) == RunRecord(
        id=RUN, job_id=JOB, compartment_id=COMPARTMENT, state=RunState.ACCEPTED
    )


@pytest.mark.parametrize("kind", ["Job", "JobSummary"])
def test_a_job_is_recorded_from_an_answer_and_from_a_list(kind: str) -> None:
    job = remote(
        getattr(oci.data_science.models, kind),
        id=JOB,
        lifecycle_state="ACTIVE",
        freeform_tags={"ocijobs_owner": "c/u/v1"},
    )
    assert job_record(job) == JobRecord(
        id=JOB, compartment_id=COMPARTMENT, state=JobState.ACTIVE, owner="c/u/v1"
    )


@pytest.mark.parametrize("state", ["PAUSED", "UNKNOWN_ENUM_VALUE", ""])
def test_a_state_that_nobody_knows_is_unknown(state: str) -> None:
    run = SimpleNamespace(**_run(lifecycle_state=state or "x"))
    assert run_record(run, complete=True).state is RunState.UNKNOWN
    job = SimpleNamespace(
        id=JOB, compartment_id=COMPARTMENT, lifecycle_state=state or "x", freeform_tags={}
    )
    assert job_record(job).state is JobState.UNKNOWN


def test_every_state_of_the_sdk_is_known() -> None:
    models = oci.data_science.models
    for kind, states in ((models.JobRun, RunState), (models.Job, JobState)):
        names = {
            value
            for name, value in vars(kind).items()
            if name.startswith("LIFECYCLE_STATE_") and isinstance(value, str)
        }
        assert names - {state.value for state in states} == set()


@pytest.mark.parametrize("name", ["id", "compartment_id", "lifecycle_state"])
def test_what_every_run_has_must_be_there(name: str) -> None:
    with pytest.raises(MalformedAnswerError):
        run_record(SimpleNamespace(**_run(**{name: None})), complete=True)


def _run(**changes: Any) -> dict[str, Any]:
    return {
        "id": RUN,
        "job_id": JOB,
        "compartment_id": COMPARTMENT,
        "lifecycle_state": "ACCEPTED",
        "lifecycle_details": None,
        "time_accepted": None,
        "time_started": None,
        "time_finished": None,
        "freeform_tags": None,
        **changes,
    }
