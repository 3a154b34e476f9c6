"""What was seen last: older news is no news, and what is gone does not come back."""

from __future__ import annotations

from typing import Any

import pytest

from ocijobs.api.shared.metadata import ObjectKey
from ocijobs.controller.entry import Entry
from ocijobs.controller.store import Store

KEY = ObjectKey("OCIJobRun", "team-a", "run")


def run(version: int, *, uid: str = "uid-1", job: str = "train", **spec: Any) -> dict[str, Any]:
    """Return an OCIJobRun as the API server shows it."""
    return {
        "apiVersion": "ocijobs.io/v1alpha1",
        "kind": "OCIJobRun",
        "metadata": {
            "name": "run",
            "namespace": "team-a",
            "uid": uid,
            "resourceVersion": str(version),
            "generation": 1,
            "creationTimestamp": "2026-01-01T00:00:00Z",
        },
        "spec": {"jobRef": {"name": job}, **spec},
    }


def seen(entry: Entry | None) -> str | None:
    """Return the resourceVersion that was seen, if anything was."""
    return None if entry is None else entry.metadata.resource_version


def test_only_what_is_newer_is_taken() -> None:
    store = Store()
    assert store.put(run(9))
    assert not store.put(run(9))
    assert not store.put(run(8))
    # By number, not by letters.
    assert store.put(run(10))
    assert seen(store.get(KEY)) == "10"


def test_what_is_gone_does_not_come_back_by_late_news() -> None:
    store = Store()
    store.put(run(9))
    store.remove(KEY, "uid-1")
    assert not store.put(run(11))
    assert store.get(KEY) is None
    assert store.put(run(12, uid="uid-2"))


def test_the_end_of_a_former_object_is_not_the_end_of_the_one_that_has_its_name_now() -> None:
    store = Store()
    store.put(run(9))
    store.put(run(12, uid="uid-2"))
    store.remove(KEY, "uid-1")
    assert seen(store.get(KEY)) == "12"


def test_runs_are_found_by_the_job_that_they_name() -> None:
    store = Store()
    store.put(run(9))
    assert [entry.key for entry in store.runs_of("team-a", "train")] == [KEY]
    assert store.runs_of("team-b", "train") == []
    # Created anew for another job, and nobody saw the deletion.
    store.put(run(12, uid="uid-2", job="other"))
    assert store.runs_of("team-a", "train") == []
    assert [entry.key for entry in store.runs_of("team-a", "other")] == [KEY]
    store.remove(KEY)
    assert store.runs_of("team-a", "other") == []
    assert list(store.of_kind("OCIJobRun", "team-a")) == []


def test_a_run_that_has_ended_is_none_of_those_that_wait_or_are_active() -> None:
    store = Store()
    store.put(run(9))
    assert [found.metadata.name for found in store.open_runs_of("team-a", "train")] == ["run"]
    store.put(run(10) | {"status": {"phase": "Succeeded"}})
    assert store.open_runs_of("team-a", "train") == []
    assert len(store.runs_of("team-a", "train")) == 1


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (run(1, env="x"), "spec.env: "),
        (run(1, cancel="maybe"), "spec.cancel: "),
    ],
)
def test_what_cant_be_read_is_kept_with_what_is_wrong_with_it(
    document: dict[str, Any], problem: str
) -> None:
    store = Store()
    assert store.put(document)
    entry = store.get(KEY)
    assert entry is not None
    assert entry.resource is None
    assert problem in (entry.problem or "")
    assert entry.document == document


def test_listeners_are_told_of_every_change_and_of_nothing_else() -> None:
    store = Store()
    told: list[tuple[str | None, str | None]] = []

    def listen(key: ObjectKey, before: Entry | None, after: Entry | None) -> None:
        assert key == KEY
        told.append((seen(before), seen(after)))

    store.listen(listen)
    store.put(run(1))
    store.put(run(1))
    store.put(run(2))
    store.remove(KEY, "uid-0")
    store.remove(KEY, "uid-1")
    store.remove(KEY, "uid-1")
    assert told == [(None, "1"), ("1", "2"), ("2", None)]
