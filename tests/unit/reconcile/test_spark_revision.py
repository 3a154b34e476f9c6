"""The revision of a Spark job: what makes another application, and what does not."""

from __future__ import annotations

from typing import Any

import pytest

from ocijobs.backends.data_flow.backend import DATA_FLOW
from ocijobs.backends.revision import revision_name
from ocijobs.testing import (
    CODE_BUCKET,
    COMPARTMENT,
    make_job_input,
    make_ocid,
    make_spark_job,
)

CONDA = {"type": "published", "uri": "oci://envs@n/conda/spark"}
FLEX = {"ocpus": 2, "memory_in_gbs": 32}
SECRET = {"name": "TOKEN", "value_from": {"secret_key_ref": {"name": "secret", "key": "token"}}}
POOL = make_ocid("dataflowpool")


def revision(
    *,
    compartment_id: str = COMPARTMENT,
    bucket_uri: str | None = CODE_BUCKET,
    sources_digest: str = "ef" * 32,
    **spec: Any,
) -> str:
    """Return the revision of a Spark job with that spec."""
    data_flow = {"artifact_bucket_uri": bucket_uri, **spec.pop("data_flow", {})}
    made = make_job_input(
        job=make_spark_job(data_flow=data_flow, **spec),
        compartment_id=compartment_id,
        project_id=None,
    )
    return revision_name(DATA_FLOW, made, sources_digest)


def test_the_name_of_a_spark_jobs_revision_is_pinned() -> None:
    """If this changes, every Spark job of every user is made anew by the next version: never without need."""
    assert revision() == "v1-b263a957738a"


@pytest.mark.parametrize(
    "change",
    [
        {"sources_digest": "cd" * 32},
        {"compartment_id": "ocid1.compartment.oc1..other"},
        {"bucket_uri": "oci://other@namespace"},
        {"data_flow": {"spark_version": "3.2.1"}},
        {"data_flow": {"language": "SQL"}},
        {"data_flow": {"type": "STREAMING"}},
        {"data_flow": {"private_endpoint_id": make_ocid("dataflowprivateendpoint")}},
        {"spark": {"class_name": "org.example.Main"}},
        {"spark": {"entrypoint": "main.py"}},
    ],
    ids=str,
)
def test_what_no_run_can_be_sent_makes_another_application(change: dict[str, Any]) -> None:
    assert revision(**change) != revision()


@pytest.mark.parametrize(
    "change",
    [
        {"display_name": "another"},
        {"description": "words"},
        {"freeform_tags": {"team": "a"}},
        {"env": [{"name": "DEPTH", "value": "4"}]},
        {"env": [SECRET]},
        {"args": ["--fast"]},
        {"results": ["auc"]},
        {"spark": {"conda": CONDA}},
        {"spark": {"parameters": [{"name": "a", "value": "b"}]}},
        {"data_flow": {"num_executors": 9}},
        {"data_flow": {"driver_shape_config": FLEX}},
        {"data_flow": {"spark_configuration": {"spark.sql.shuffle.partitions": "8"}}},
        {"data_flow": {"dynamic_allocation": {"min_executors": 1, "max_executors": 4}}},
    ],
    ids=str,
)
def test_what_is_changed_in_place_makes_none(change: dict[str, Any]) -> None:
    assert revision(**change) == revision()


@pytest.mark.parametrize(
    ("given", "other"),
    [
        ({"maximum_runtime_in_minutes": 10}, {"maximum_runtime_in_minutes": 20}),
        (
            {"spark": {"archive_uri": "oci://b@n/a.zip"}},
            {"spark": {"archive_uri": "oci://b@n/b.zip"}},
        ),
        *(
            ({"data_flow": {field: one}}, {"data_flow": {field: two}})
            for field, one, two in [
                ("pool_id", POOL, make_ocid("dataflowpool", "b")),
                ("metastore_id", make_ocid("metastore"), make_ocid("metastore", "b")),
                ("logs_bucket_uri", "oci://a@n", "oci://b@n"),
                ("warehouse_bucket_uri", "oci://a@n", "oci://b@n"),
            ]
        ),
    ],
    ids=str,
)
def test_what_an_update_can_not_take_away_makes_one_when_it_is_given_and_not_when_it_changes(
    given: dict[str, Any], other: dict[str, Any]
) -> None:
    assert revision(**given) != revision()
    assert revision(**given) == revision(**other)
