"""Blocks as OCI's JSON: what is unknown is named, and what no manifest says is no difference."""

from __future__ import annotations

import pytest

from ocijobs.backends.compared import fields_said
from ocijobs.backends.data_flow.requests import ApplicationRunRequest
from ocijobs.backends.data_science.documents import job_request_of
from ocijobs.backends.documents import Document, put
from ocijobs.backends.oci_fields import UnknownTypeError
from ocijobs.backends.requests import Tags


def test_a_value_of_later_days_is_named_with_its_place() -> None:
    size = {"ocpus": 1, "memoryInGBs": 16, "cpuBaseline": "BASELINE_1_3"}
    machine = {"jobInfrastructureType": "ME_STANDALONE", "jobShapeConfigDetails": size}
    with pytest.raises(ValueError, match=r"jobShapeConfigDetails\.cpuBaseline: Input should be"):
        job_request_of({"jobInfrastructureConfigurationDetails": machine})


def test_a_mount_of_later_days_is_named() -> None:
    with pytest.raises(UnknownTypeError, match="a storage mount of type TAPE"):
        job_request_of({"jobStorageMountConfigurationDetailsList": [{"storageType": "TAPE"}]})


def test_what_no_field_of_a_manifest_says_is_not_compared() -> None:
    request = ApplicationRunRequest(
        compartment_id="c",
        job_id="j",
        display_name="run",
        tags=Tags(freeform={}, defined={}),
        spark=None,
    )
    assert dict(fields_said(request)) == {"jobRef": "j", "displayName": "run"}


def test_what_is_no_object_holds_nothing() -> None:
    document: Document = {"a": 1}
    put(document, "a.b", 2)
    assert document == {"a": 1}
