"""Bodies are held against the models of the services, strictly."""

import contextlib
import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oci_emulator.schema import catalogue
from oci_emulator.schema.models import Mismatch, Models

DATA_SCIENCE = catalogue.service("datascience")

JOB: dict[str, Any] = {
    "projectId": "ocid1.datascienceproject.oc1.iad.a",
    "compartmentId": "ocid1.compartment.oc1..a",
    "jobConfigurationDetails": {
        "jobType": "DEFAULT",
        "environmentVariables": {"ALPHA": "1"},
        "maximumRuntimeInMinutes": 5,
    },
    "jobInfrastructureConfigurationDetails": {
        "jobInfrastructureType": "ME_STANDALONE",
        "shapeName": "VM.Standard.E4.Flex",
        "blockStorageSizeInGBs": 50,
        "jobShapeConfigDetails": {"ocpus": 1, "memoryInGBs": 16.5},
    },
    "jobStorageMountConfigurationDetailsList": [
        {
            "storageType": "OBJECT_STORAGE",
            "destinationDirectoryName": "data",
            "namespace": "n",
            "bucket": "b",
        }
    ],
    "freeformTags": {"team": "a"},
    "definedTags": {"Operations": {"CostCenter": 42}},
}


def changed(path: str, value: Any) -> dict[str, Any]:
    """The job with a value at a dotted path."""
    document = copy.deepcopy(JOB)
    *parents, last = path.split(".")
    place: Any = document
    for parent in parents:
        place = place[int(parent)] if parent.isdigit() else place[parent]
    place[last] = value
    return document


def test_a_body_that_fits_is_given_back() -> None:
    assert DATA_SCIENCE.models.check("CreateJobDetails", JOB) == JOB


def test_null_is_the_same_as_absent() -> None:
    document = {**JOB, "description": None}
    assert DATA_SCIENCE.models.check("CreateJobDetails", document) == JOB


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("projectId", 5, "projectId: must be a string, not an integer"),
        ("projektId", "x", "projektId: is not a field of this model"),
        (
            "jobConfigurationDetails.environmentVariables",
            {"A": 1},
            "jobConfigurationDetails.environmentVariables.A: must be a string, not an integer",
        ),
        (
            "jobConfigurationDetails.maximumRuntimeInMinutes",
            1.5,
            "jobConfigurationDetails.maximumRuntimeInMinutes: must be an integer, not a number",
        ),
        (
            "jobConfigurationDetails.maximumRuntimeInMinutes",
            True,
            "jobConfigurationDetails.maximumRuntimeInMinutes: must be an integer, not a boolean",
        ),
        (
            "jobConfigurationDetails.maximumRuntimeInMinutes",
            1 << 63,
            "jobConfigurationDetails.maximumRuntimeInMinutes: must be an integer of 64 bits",
        ),
        (
            "jobInfrastructureConfigurationDetails.jobShapeConfigDetails.ocpus",
            10**400,
            (
                "jobInfrastructureConfigurationDetails.jobShapeConfigDetails.ocpus: must be a"
                " number of 64 bits"
            ),
        ),
        (
            "jobConfigurationDetails.jobType",
            "SPECIAL",
            "jobConfigurationDetails.jobType: must be one of DEFAULT, EMPTY, not 'SPECIAL'",
        ),
        (
            "jobInfrastructureConfigurationDetails.jobInfrastructureType",
            "STANDALONE",
            "jobInfrastructureConfigurationDetails.subnetId: is required",
        ),
        (
            "jobInfrastructureConfigurationDetails.subnetId",
            "ocid1.subnet",
            "jobInfrastructureConfigurationDetails.subnetId: is not a field of this model",
        ),
        (
            "jobInfrastructureConfigurationDetails.jobShapeConfigDetails.cpuBaseline",
            "BASELINE_2",
            (
                "jobInfrastructureConfigurationDetails.jobShapeConfigDetails.cpuBaseline: must be one"
                " of BASELINE_1_1, BASELINE_1_2, BASELINE_1_8, not 'BASELINE_2'"
            ),
        ),
        (
            "jobStorageMountConfigurationDetailsList.0.bucket",
            [],
            "jobStorageMountConfigurationDetailsList[0].bucket: must be a string, not a list",
        ),
        (
            "jobStorageMountConfigurationDetailsList",
            {},
            "jobStorageMountConfigurationDetailsList: must be a list, not an object",
        ),
        ("freeformTags", ["a"], "freeformTags: must be an object, not a list"),
    ],
)
def test_what_does_not_fit_is_named_with_its_path(path: str, value: Any, message: str) -> None:
    with pytest.raises(Mismatch) as caught:
        DATA_SCIENCE.models.check("CreateJobDetails", changed(path, value))
    assert str(caught.value) == message


def test_a_missing_field_is_told_from_a_wrong_one() -> None:
    document = {**JOB}
    del document["compartmentId"]
    with pytest.raises(Mismatch, match="compartmentId: is required") as caught:
        DATA_SCIENCE.models.check("CreateJobDetails", document)
    assert caught.value.missing


def test_a_missing_discriminator_is_told() -> None:
    document = changed("jobConfigurationDetails", {"environmentVariables": {}})
    with pytest.raises(Mismatch, match=r"jobConfigurationDetails\.jobType: is required"):
        DATA_SCIENCE.models.check("CreateJobDetails", document)


def test_unknown_fields_can_be_let_through() -> None:
    document = {**JOB, "surprise": 1}
    models = DATA_SCIENCE.models
    assert models.check("CreateJobDetails", document, refuse_unknown=False) == JOB


@pytest.mark.parametrize("value", ["yesterday", "2026-01-01", "2026-01-01T00:00:00"])
def test_times_are_rfc_3339_with_their_zone(value: str) -> None:
    search = catalogue.service("loggingsearch").models
    body = {"timeStart": value, "timeEnd": "2026-01-02T00:00:00Z", "searchQuery": "search"}
    with pytest.raises(Mismatch, match=r"timeStart: must be an RFC 3339 time"):
        search.check("SearchLogsDetails", body)


def test_models_may_contain_themselves() -> None:
    models = Models({"Tree": {"fields": {"branches": {"type": "list[Tree]"}}}})
    tree: dict[str, Any] = {"branches": [{"branches": []}, {}]}
    assert models.check("Tree", tree) == tree
    with pytest.raises(Mismatch, match=r"branches\[0\]\.leaf: is not a field"):
        models.check("Tree", {"branches": [{"leaf": 1}]})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=10,
)


@given(JSON, st.sampled_from(sorted(DATA_SCIENCE.models.names())))
def test_any_json_fits_or_is_a_mismatch(document: Any, model: str) -> None:
    with contextlib.suppress(Mismatch):
        assert isinstance(DATA_SCIENCE.models.check(model, document), dict)


def test_a_summary_shows_the_fields_of_its_model_only() -> None:
    run = {"id": "x", "lifecycleState": "ACCEPTED", "logDetails": {}, "jobId": "y"}
    listing = DATA_SCIENCE.operations["ListJobRuns"]
    assert DATA_SCIENCE.present(listing, [run]) == [
        {"id": "x", "lifecycleState": "ACCEPTED", "jobId": "y"}
    ]


def test_operations_know_their_paths_parameters_and_bodies() -> None:
    create = DATA_SCIENCE.operations["CreateJobRun"]
    assert (create.method, create.path) == ("POST", "/20190101/jobRuns")
    assert create.body == "CreateJobRunDetails"
    assert create.takes_retry_token
    assert not DATA_SCIENCE.operations["CancelJobRun"].takes_retry_token
    listing = {parameter.name: parameter for parameter in DATA_SCIENCE.operations["ListJobs"].query}
    assert listing["compartmentId"].required
    assert listing["sortOrder"].enum == ("ASC", "DESC")
    assert DATA_SCIENCE.operations["CreateJobArtifact"].streamed
