"""Objects as others see them that need to know little of them."""

from __future__ import annotations

from typing import Any

import pytest

from ocijobs.api.shared.metadata import ObjectKey
from ocijobs.api.shared.names import ANNOTATION_SCHEDULED_TIME
from ocijobs.controller.entry import Entry
from ocijobs.controller.views import code_folders, made_view, parse_time
from ocijobs.testing import (
    CODE_BUCKET,
    NAMESPACE,
    START,
    make_metadata,
    make_ready_job,
    make_ready_spark_job,
    make_run,
)


def deleted(**spec: Any) -> Any:
    """Return a Spark job that is being deleted."""
    meta = make_metadata("job", finalizer=True, deleted=START)
    return make_ready_spark_job(metadata=meta, **spec)


def test_a_job_has_its_code_until_it_goes_with_it() -> None:
    (folder,) = code_folders(make_ready_spark_job())
    assert folder.startswith(CODE_BUCKET)
    assert list(code_folders(make_ready_job())) == []
    assert list(code_folders(deleted())) == []
    assert list(code_folders(deleted(deletion_policy="Retain"))) == [folder]


@pytest.mark.parametrize("text", [None, "", "soon", "2026-01-01T12:00:00"])
def test_a_time_that_people_have_changed_is_none(text: str | None) -> None:
    assert parse_time(text) is None
    assert parse_time("2026-01-01T12:00:00Z") == START


def test_a_schedule_sees_what_tells_its_time_and_nothing_else() -> None:
    time = {ANNOTATION_SCHEDULED_TIME: "2026-01-01T12:00:00Z"}
    key = ObjectKey("OCIJobRun", NAMESPACE, "run")

    def seen(annotations: dict[str, str], resource: Any) -> Any:
        meta = make_metadata("run", annotations=annotations)
        return made_view(Entry(key=key, metadata=meta, resource=resource))

    assert seen(time, make_run()).scheduled_time == START
    assert seen({}, make_run()) is None
    assert seen(time, None) is None
