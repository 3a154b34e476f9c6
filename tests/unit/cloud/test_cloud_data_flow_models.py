"""Data Flow's models and ours: what is sent is what was asked for, and what comes back is what was sent."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oci.data_flow import models

from ocijobs.api.job.machines.data_flow import ApplicationType, SparkLanguage
from ocijobs.backends.data_flow.requests import (
    ApplicationCode,
    ApplicationRequest,
    ApplicationRunRequest,
    ApplicationSettings,
    SparkMachine,
    SparkSettings,
)
from ocijobs.backends.records import JobState, LogAddress, RunState, RunTotals
from ocijobs.backends.requests import Tags
from ocijobs.cloud.data_flow_models import (
    application_record,
    application_run_record,
    create_application_details,
    create_run_details,
    update_application_details,
)
from ocijobs.cloud.refusals import MalformedAnswerError
from ocijobs.testing import COMPARTMENT, make_ocid

APPLICATION, RUN = make_ocid("dataflowapplication"), make_ocid("dataflowrun")
LOG = LogAddress(log_group_id=make_ocid("loggroup"), log_id=make_ocid("log"))
CREATED = datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)
UPDATED = CREATED + timedelta(minutes=10)

_WORD = st.text(st.sampled_from("abc-"), min_size=1, max_size=4)
_WORDS = st.dictionaries(_WORD, _WORD, max_size=3)
_MAYBE = st.none() | _WORD
_MINUTES = st.none() | st.integers(1, 100)
_MACHINES = st.builds(SparkMachine, shape=_WORD) | st.builds(
    SparkMachine, shape=_WORD, ocpus=st.just(2.0), memory_in_gbs=st.just(16.0)
)
_SPARK = st.builds(
    SparkSettings,
    driver=_MACHINES,
    executor=_MACHINES,
    num_executors=st.integers(1, 9),
    configuration=_WORDS,
    parameters=_WORDS,
    arguments=st.lists(_WORD, max_size=3).map(tuple),
    archive_uri=_MAYBE,
    logs_bucket_uri=_MAYBE,
    warehouse_bucket_uri=_MAYBE,
    metastore_id=_MAYBE,
    pool_id=_MAYBE,
    log=st.sampled_from([None, LOG]),
    max_duration_in_minutes=_MINUTES,
    idle_timeout_in_minutes=_MINUTES,
)
_SETTINGS = st.builds(
    ApplicationSettings,
    display_name=_WORD,
    description=_MAYBE,
    tags=st.builds(Tags, freeform=_WORDS, defined=st.dictionaries(_WORD, _WORDS, max_size=2)),
    code=st.builds(
        ApplicationCode,
        language=st.sampled_from(SparkLanguage),
        spark_version=_WORD,
        file_uri=_MAYBE,
        class_name=_MAYBE,
        private_endpoint_id=_MAYBE,
    ),
    spark=_SPARK,
)
_REQUESTS = st.builds(
    ApplicationRequest,
    compartment_id=st.just(COMPARTMENT),
    type=st.sampled_from(ApplicationType),
    settings=_SETTINGS,
)

LEAST = SparkSettings(
    driver=SparkMachine(shape="VM.Standard2.1"),
    executor=SparkMachine(shape="VM.Standard2.1"),
    num_executors=1,
    configuration=None,
    parameters=None,
    arguments=None,
)


def sent(details: Any) -> dict[str, Any]:
    """Return the fields that are sent: those of the SDK's model that are not None."""
    values = {name: getattr(details, name) for name in details.attribute_map}
    return {name: value for name, value in values.items() if value is not None}


def application(**fields: Any) -> Any:
    base = {"id": APPLICATION, "compartment_id": COMPARTMENT, "lifecycle_state": "ACTIVE"}
    return models.Application(**{**base, **fields})


def run(state: str = "ACCEPTED", **fields: Any) -> Any:
    return models.Run(
        **{
            "id": RUN,
            "application_id": APPLICATION,
            "compartment_id": COMPARTMENT,
            "lifecycle_state": state,
            "time_created": CREATED,
            "time_updated": UPDATED,
            **fields,
        }
    )


@given(_REQUESTS)
def test_an_application_reads_as_what_it_was_made_of(request: ApplicationRequest) -> None:
    made = application(**sent(create_application_details(request)))
    record = application_record(made, complete=True)
    assert (record.unreadable, record.content) == (None, request)
    assert application_record(made).content is None


@given(_SETTINGS)
def test_an_update_has_all_that_can_change_and_nothing_else(settings: ApplicationSettings) -> None:
    details = update_application_details(settings)
    assert {"type", "compartment_id"}.isdisjoint(details.attribute_map)
    made = application(**sent(details))
    content = application_record(made, complete=True).content
    assert isinstance(content, ApplicationRequest)
    assert content.settings == settings
    assert details.description == (settings.description or "")


def test_what_is_none_is_not_sent() -> None:
    request = ApplicationRunRequest(
        compartment_id=COMPARTMENT,
        job_id=APPLICATION,
        display_name="run",
        tags=Tags(freeform={"ocijobs_owner": "c/u/0"}, defined={}),
        spark=None,
    )
    bare = {"application_id", "compartment_id", "display_name", "freeform_tags", "defined_tags"}
    assert sent(create_run_details(request)).keys() == bare
    with_spark = ApplicationRunRequest(
        compartment_id=COMPARTMENT,
        job_id=APPLICATION,
        display_name="run",
        tags=Tags(freeform={}, defined={}),
        spark=LEAST,
    )
    machines = {"driver_shape", "executor_shape", "num_executors"}
    assert sent(create_run_details(with_spark)).keys() == bare | machines


def test_an_application_of_a_command_is_one_that_can_not_be_kept() -> None:
    record = application_record(application(execute="spark-submit x.py"), complete=True)
    assert record.content is None
    assert "execute" in (record.unreadable or "")


def test_an_application_of_later_days_is_told_as_unreadable() -> None:
    record = application_record(
        application(lifecycle_state="SLEEPING", type="QUANTUM", language="PYTHON"), complete=True
    )
    assert record.state is JobState.UNKNOWN
    assert "ApplicationType" in (record.unreadable or "")


def test_a_run_that_has_ended_has_its_times_from_what_data_flow_counts() -> None:
    record = application_run_record(
        run(
            "SUCCEEDED",
            run_duration_in_milliseconds=61_500,
            total_o_cpu=4,
            data_read_in_bytes=10,
            data_written_in_bytes=0,
            application_log_config=models.ApplicationLogConfig(
                log_group_id=LOG.log_group_id, log_id=LOG.log_id
            ),
            freeform_tags={"ocijobs_owner": "c/u/0"},
        ),
        complete=True,
    )
    ended = UPDATED.replace(microsecond=0)
    assert (record.accepted_at, record.finished_at) == (CREATED.replace(microsecond=0), ended)
    assert record.started_at == ended - timedelta(seconds=62)
    assert record.totals == RunTotals(ocpus=4, read_bytes=10, written_bytes=0, milliseconds=61_500)
    assert (record.log, record.owner, record.job_id) == (LOG, "c/u/0", APPLICATION)


@pytest.mark.parametrize("state", ["ACCEPTED", "IN_PROGRESS", "CANCELING", "STOPPING", "ODD"])
def test_a_run_that_has_not_ended_has_no_times_but_that_of_its_creation(state: str) -> None:
    record = application_run_record(run(state, run_duration_in_milliseconds=5000), complete=False)
    assert (record.started_at, record.finished_at) == (None, None)
    assert record.accepted_at is not None
    assert record.state is (RunState(state) if state != "ODD" else RunState.UNKNOWN)


@pytest.mark.parametrize("milliseconds", [None, 0])
def test_a_run_without_a_duration_never_started(milliseconds: int | None) -> None:
    record = application_run_record(
        run("CANCELED", run_duration_in_milliseconds=milliseconds), complete=False
    )
    assert record.started_at is None
    assert record.finished_at is not None
    assert (record.totals is None) == (milliseconds is None)


def test_half_the_address_of_a_log_is_none() -> None:
    half = models.ApplicationLogConfig(log_group_id=LOG.log_group_id)
    assert (
        application_run_record(run("ACCEPTED", application_log_config=half), complete=True).log
        is None
    )


@pytest.mark.parametrize("missing", ["id", "compartment_id", "lifecycle_state"])
def test_an_answer_that_lacks_what_all_have_is_none(missing: str) -> None:
    without: dict[str, Any] = {missing: None}
    with pytest.raises(MalformedAnswerError):
        application_record(application(**without))
    with pytest.raises(MalformedAnswerError):
        application_run_record(run(**without), complete=True)
