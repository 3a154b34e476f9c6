"""Models of Spark read what is written, and write what they have read."""

import pytest
from pydantic import ValidationError
from tests.support import manifests

from ocijobs.api.job.infrastructure import Infrastructure
from ocijobs.api.job.spec import OCIJobSpec
from ocijobs.api.run.spec import OCIJobRunSpec

SESSION = manifests.spark_job(machines={"type": "SESSION"}, code={"source": None})["spec"]


def test_a_session_has_a_runtime_with_nothing_in_it() -> None:
    spec = OCIJobSpec.model_validate(SESSION)
    assert spec.runtime is not None
    assert (spec.runtime.name, spec.runtime.source, spec.runtime.conda) == ("spark", None, None)
    assert spec.document()["runtime"] == {"spark": {}}
    assert OCIJobSpec.model_validate(spec.document()) == spec


def test_so_has_that_of_a_template() -> None:
    run = OCIJobRunSpec.model_validate({"jobTemplate": {"spec": SESSION}})
    assert OCIJobRunSpec.model_validate(run.document()) == run


def test_one_infrastructure_is_read_and_not_more() -> None:
    with pytest.raises(ValidationError, match="exactly one of dataScienceJob and dataFlow"):
        Infrastructure.model_validate({})
