"""Machines, groups of nodes and mounts: what a spec leaves open, and how ADS writes sources."""

from __future__ import annotations

from typing import Any

import pytest

from ocijobs.api.job.machines.storage_mount import FileStorageMount, ObjectStorageMount
from ocijobs.api.job.spec import OCIJobSpec
from ocijobs.backends.data_science.compute import (
    compute,
    mounts,
    node_groups,
    node_machine,
    shape_names,
    unresolved_sources,
)
from ocijobs.testing import make_job, make_ocid, make_spark_job

TARGET, EXPORT = make_ocid("mounttarget"), make_ocid("export")
ADDRESS = "10.0.0.5:/code"


def spec(**infrastructure: Any) -> OCIJobSpec:
    """Return the spec of a job with that infrastructure added to the builder's."""
    job = make_job()
    given = job.spec.infrastructure.data_science_job
    assert given is not None
    document = given.document() | infrastructure
    return OCIJobSpec.model_validate(
        job.spec.document() | {"infrastructure": {"dataScienceJob": document}}
    )


def mounted(**source: Any) -> OCIJobSpec:
    """Return the spec of a job that mounts a source."""
    return spec(storageMounts=[{"destinationDirectoryName": "data", **source}])


@pytest.mark.parametrize(
    ("src", "source"),
    [
        ("oci://bucket@ns/a/b", ObjectStorageMount(namespace="ns", bucket="bucket", prefix="a/b")),
        ("oci://bucket@ns", ObjectStorageMount(namespace="ns", bucket="bucket", prefix=None)),
        (f"{TARGET}:{EXPORT}", FileStorageMount(mount_target_id=TARGET, export_id=EXPORT)),
    ],
)
def test_a_source_as_ads_writes_it_says_what_is_mounted(src: str, source: Any) -> None:
    written = mounted(src=src)
    assert unresolved_sources(written) == ()
    (mount,) = mounts(written, {})
    assert (mount.source, mount.directory_name) == (source, "data")


def test_an_address_is_what_oci_was_asked_about() -> None:
    written = mounted(src=ADDRESS)
    assert unresolved_sources(written) == (ADDRESS,)
    found = FileStorageMount(mount_target_id=TARGET, export_id=EXPORT)
    (mount,) = mounts(written, {ADDRESS: found})
    assert mount.source == found


def test_a_bucket_that_is_given_by_its_fields_needs_no_source() -> None:
    bucket = {"namespace": "ns", "bucket": "bucket"}
    written = mounted(objectStorage=bucket)
    (mount,) = mounts(written, {})
    assert mount.source == ObjectStorageMount(namespace="ns", bucket="bucket", prefix=None)


def test_spark_has_neither_machines_of_data_science_nor_mounts() -> None:
    spark = make_spark_job().spec
    assert (compute(spark), node_groups(spark), mounts(spark, {})) == (None, (), ())
    assert shape_names(spark) == {}


def test_a_node_has_of_the_job_what_its_group_does_not_say() -> None:
    groups = [
        {"name": "same", "replicas": 2},
        {"name": "own", "replicas": 1, "shapeName": "VM.Standard2.1"},
    ]
    job = spec(jobNodeGroups=groups)
    given = job.infrastructure.data_science_job
    assert given is not None
    assert compute(job) is None
    same, own = (node_machine(given, group) for group in node_groups(job))
    assert (same.shape_name, same.size) == (given.shape_name, given.job_shape_config_details)
    assert (own.shape_name, own.size) == ("VM.Standard2.1", None)
    where = "spec.infrastructure.dataScienceJob"
    assert shape_names(job)[f"{where}.jobNodeGroups[1].shapeName"] == "VM.Standard2.1"
