"""The revision of a job: what makes another OCI job, and what does not."""

from __future__ import annotations

from typing import Any

import pytest

from ocijobs.api.identity import IdentityDefaults
from ocijobs.backends.data_science.backend import DATA_SCIENCE
from ocijobs.backends.revision import revision_name
from ocijobs.testing import COMPARTMENT, LOG_GROUP, PROJECT, make_job, make_job_input, make_ocid

SHAPE = {"shape_name": "VM.Standard2.1"}
CONDA = {"type": "service", "slug": "generalml_p311_cpu_x86_64_v1"}


def script(code: str = "print()", **variant: Any) -> dict[str, Any]:
    """Return a runtime with one inline file."""
    return {"script": {"source": {"inline": {"main.py": code}}, **variant}}


def logged(**logging: Any) -> dict[str, Any]:
    """Return the infrastructure of a job that says where its output goes."""
    return {"infrastructure": {"data_science_job": {**SHAPE, "logging": logging}}}


def revision(
    *,
    compartment_id: str = COMPARTMENT,
    project_id: str = PROJECT,
    log_group_id: str | None = LOG_GROUP,
    sources_digest: str = "ab" * 32,
    **spec: Any,
) -> str:
    """Return the revision of a job with that spec."""
    defaults = {"runtime": script(), "env": [{"name": "DEPTH", "value": "4"}], "args": ["--fast"]}
    made = make_job_input(
        job=make_job(**(defaults | spec)),
        compartment_id=compartment_id,
        project_id=project_id,
        defaults=IdentityDefaults(log_group_id=log_group_id),
    )
    return revision_name(DATA_SCIENCE, made, sources_digest)


def test_the_name_is_pinned() -> None:
    """If this changes, every job of every user is made anew by the next version: never without need."""
    assert revision() == "v1-034170badf17"


@pytest.mark.parametrize(
    "change",
    [
        {"sources_digest": "cd" * 32},
        {"runtime": script(conda=CONDA)},
        {"env": [{"name": "DEPTH", "value": "5"}]},
        {"env": []},
        {"args": []},
        {"args": ["--fast", ""]},
        {"maximum_runtime_in_minutes": 10},
        {"outputs": {"uri": "oci://bucket@namespace/x"}},
        {"log_group_id": None},
        logged(enable_logging=False),
        logged(log_group_id=LOG_GROUP, log_id=make_ocid("log")),
        {"compartment_id": "ocid1.compartment.oc1..other"},
        {"project_id": "ocid1.datascienceproject.oc1.iad.other"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_oci_can_t_change_makes_another_revision(change: dict[str, Any]) -> None:
    assert revision(**change) != revision()


@pytest.mark.parametrize(
    "change",
    [
        {"display_name": "another"},
        {"description": "words"},
        {"freeform_tags": {"team": "a"}},
        {"infrastructure": {"data_science_job": {"shape_name": "VM.Standard3.Flex"}}},
        {"revision_history_limit": 1},
        {"results": ["auc"]},
        # The text is in the digest of the sources, wherever it came from.
        {"runtime": script("print() # the same digest")},
        {
            "env": [
                {"name": "DEPTH", "value": "4"},
                {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
            ]
        },
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_is_changed_in_place_or_sent_with_runs_does_not(change: dict[str, Any]) -> None:
    assert revision(**change) == revision()
