"""Ingestion of log entries, as the SDK sees it."""

import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import oci
import pytest
from oci.exceptions import ServiceError
from oci.logging import models as logging_models
from oci.loggingingestion import LoggingClient, models


@pytest.fixture
def custom_log(cloud: Any, log_group: str) -> str:
    """The OCID of a fresh custom log."""
    details = logging_models.CreateLogDetails(
        display_name=f"log_{uuid.uuid4().hex}", log_type="CUSTOM"
    )
    return str(cloud.worked(cloud.logging.create_log(log_group, details)))


def put(cloud: Any, log: str, *entries: Any, **fields: Any) -> Any:
    batch = models.LogEntryBatch(
        entries=list(entries),
        source="host-1",
        type="app.output",
        subject="train",
        defaultlogentrytime=datetime.now(UTC),
    )
    details = models.PutLogsDetails(
        **{"specversion": "1.0", "log_entry_batches": [batch], **fields}
    )
    return cloud.client(LoggingClient).put_logs(log, details)


def found(cloud: Any, log_group: str, log: str) -> list[dict[str, Any]]:
    rows = cloud.search(f'SEARCH "{cloud.tenancy}/{log_group}/{log}" | SORT BY datetime ASC')
    return [row["logContent"] for row in rows]


def test_what_is_put_is_found(cloud: Any, log_group: str, custom_log: str) -> None:
    put(cloud, custom_log, models.LogEntry(id="a", data="epoch 1 of 3"))
    [content] = found(cloud, log_group, custom_log)
    assert content["id"] == "a"
    assert content["data"] == {"message": "epoch 1 of 3"}
    assert (content["source"], content["type"], content["subject"]) == (
        "host-1",
        "app.output",
        "train",
    )


def test_an_entry_that_is_an_object_is_found_as_one(
    cloud: Any, log_group: str, custom_log: str
) -> None:
    put(cloud, custom_log, models.LogEntry(id="a", data=json.dumps({"loss": 0.25})))
    [content] = found(cloud, log_group, custom_log)
    assert content["data"] == {"loss": 0.25}


def test_an_entry_has_its_own_time_or_that_of_its_batch(
    cloud: Any, log_group: str, custom_log: str
) -> None:
    early = datetime.now(UTC).replace(microsecond=0)
    put(
        cloud,
        custom_log,
        models.LogEntry(id="own", data="x", time=early),
        models.LogEntry(id="batch", data="y"),
    )
    own, batch = found(cloud, log_group, custom_log)
    assert datetime.fromisoformat(own["time"]) == early
    assert datetime.fromisoformat(batch["time"]) >= early


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"specversion": "2.0"}, "specversion"),
        (
            {
                "log_entry_batches": [
                    models.LogEntryBatch(
                        entries=[],
                        source="s",
                        type="t",
                        defaultlogentrytime=datetime(2026, 1, 1, tzinfo=UTC),
                    )
                ]
            },
            "logEntryBatches[0].entries",
        ),
    ],
)
def test_a_put_that_breaks_a_rule_writes_nothing(
    cloud: Any, log_group: str, custom_log: str, fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(ServiceError) as caught:
        put(cloud, custom_log, models.LogEntry(id="a", data="x"), **fields)
    assert (caught.value.status, caught.value.code) == (400, "InvalidParameter")
    assert caught.value.message.startswith(message)
    assert found(cloud, log_group, custom_log) == []


def test_a_disabled_log_takes_nothing(cloud: Any, log_group: str, custom_log: str) -> None:
    details = logging_models.UpdateLogDetails(display_name="disabled_log", is_enabled=False)
    cloud.worked(cloud.logging.update_log(log_group, custom_log, details))
    with pytest.raises(ServiceError) as caught:
        put(cloud, custom_log, models.LogEntry(id="a", data="x"))
    assert (caught.value.status, caught.value.code) == (409, "IncorrectState")


def test_only_who_may_use_log_content_writes(own: Callable[..., Any]) -> None:
    cloud = own()
    group = cloud.log_group()
    details = logging_models.CreateLogDetails(display_name="private", log_type="CUSTOM")
    log = cloud.worked(cloud.logging.create_log(group, details))
    stranger = cloud.emulator.add_user("stranger", groups=["nobody"])
    config = oci.config.from_file(str(stranger.config))
    client = LoggingClient(config, service_endpoint=cloud.emulator.http)
    batch = models.LogEntryBatch(
        entries=[models.LogEntry(id="a", data="x")],
        source="s",
        type="t",
        defaultlogentrytime=datetime.now(UTC),
    )
    with pytest.raises(ServiceError) as caught:
        client.put_logs(log, models.PutLogsDetails(specversion="1.0", log_entry_batches=[batch]))
    assert (caught.value.status, caught.value.code) == (404, "NotAuthorizedOrNotFound")


@pytest.mark.parametrize("field", ["message", "msg"])
def test_the_field_of_plain_text_is_a_rule(own: Callable[..., Any], field: str) -> None:
    cloud = own(rules={"ingested_text_field": field, "ingested_entry_maximum_bytes": 5})
    group = cloud.log_group()
    details = logging_models.CreateLogDetails(display_name="ruled", log_type="CUSTOM")
    log = cloud.worked(cloud.logging.create_log(group, details))
    put(cloud, log, models.LogEntry(id="a", data="short"))
    assert [content["data"] for content in found(cloud, group, log)] == [{field: "short"}]
    with pytest.raises(ServiceError) as caught:
        put(cloud, log, models.LogEntry(id="b", data="longer"))
    assert caught.value.message.startswith("logEntryBatches[0].entries[0].data: has more than 5")
