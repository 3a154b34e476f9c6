"""A wall clock that is set: what a process remembers is as long ago as before."""

from __future__ import annotations

import ast
import asyncio
import re
from dataclasses import fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import ocijobs
from ocijobs.api.shared.metadata import ObjectKey
from ocijobs.backends.records import Refusal, RefusalKind, RunState
from ocijobs.clock import StepAwareClock, wall_time
from ocijobs.controller.memory import Memory
from ocijobs.reconcile.actions.calls import Call, Operation
from ocijobs.reconcile.idempotency import Evidence
from ocijobs.reconcile.known.identity import IdentityKnown
from ocijobs.reconcile.known.job import JobKnown
from ocijobs.reconcile.known.oci_jobs import Removal, Watched
from ocijobs.reconcile.known.run import RunKnown
from ocijobs.reconcile.known.sources import SourcesRead
from ocijobs.reconcile.known.sweep import SweepKnown
from ocijobs.reconcile.stepped import stepped
from ocijobs.testing import ManualClock, make_run_record

KEY = ObjectKey("OCIJob", "team-a", "job")
HOURS = [2, -2]


@pytest.mark.parametrize("hours", HOURS)
def test_who_listens_is_told_before_anybody_reads_the_time(hours: int) -> None:
    clock = ManualClock()
    aware = StepAwareClock(clock)
    told: list[timedelta] = []
    aware.listen(told.append)
    before = aware.now()
    clock.advance(3600)
    clock.step(1)
    assert aware.now() == before + timedelta(seconds=3601)
    assert told == []
    clock.step(hours * 3600)
    assert aware.now() == before + timedelta(hours=1 + hours, seconds=1)
    assert [round(by.total_seconds()) for by in told] == [hours * 3600 + 1]
    aware.now()
    assert len(told) == 1


@pytest.mark.parametrize("hours", HOURS)
def test_a_moment_that_was_noted_before_the_step_is_of_the_clock_after_it(hours: int) -> None:
    """Over an await, the wall clock may be set."""
    clock = ManualClock()
    moment = clock.monotonic()
    clock.advance(5)
    clock.step(hours * 3600)
    assert wall_time(clock, moment) == clock.now() - timedelta(seconds=5)


def _remembered(at: datetime, record: Any) -> list[Any]:
    """Return something with every time that memory keeps."""
    refusal = Refusal(kind=RefusalKind.THROTTLED, message="", until=at)
    calls = {Operation.CREATE: Call(at=at, tries=1, refusal=refusal)}
    evidence = Evidence(token="t", empty_at=(at, at), calls=calls)
    run = RunKnown(
        evidence=evidence,
        record=record,
        told_at=at,
        ended_at=at,
        unlisted_at=at,
        poll_refusal=refusal,
        absent_at=(at,),
        values_at=at,
        written_at=at,
        calls=calls,
    )
    removal = Removal(
        job_id="x", listed_at=at, requested_at=at, seen_at=at, absent_at=(at,), calls=calls
    )
    job = JobKnown(
        evidence=evidence,
        sources=SourcesRead(checked_at=at, generation=1),
        removal=removal,
        written_at=at,
        first_read_at=at,
        watched=Watched(job_id="x", at=at, absent_at=(at,)),
        calls=calls,
    )
    return [run, job, SweepKnown(written_at=at)]


@pytest.mark.parametrize("hours", HOURS)
def test_all_that_was_noted_moves_and_what_oci_told_stays(hours: int) -> None:
    by, at = timedelta(hours=hours), ManualClock().now()
    record = make_run_record(RunState.IN_PROGRESS)
    moved = [stepped(known, by) for known in _remembered(at, record)]
    assert moved == _remembered(at + by, record)


def test_no_time_of_memory_is_left_out_of_what_is_tried_here() -> None:
    """A field for another time has to be put into `_remembered`."""
    at = ManualClock().now()
    for known in _remembered(at, make_run_record(RunState.IN_PROGRESS)):
        for field in fields(known):
            if "datetime" in str(field.type):
                assert getattr(known, field.name), f"{type(known).__name__}.{field.name}"


def test_memory_has_its_times_move() -> None:
    memory, at, by = Memory(), ManualClock().now(), timedelta(hours=-2)
    memory.learn_run("uid", lambda known: known.called(Operation.SEARCH, at=at))
    memory.learn_identity(KEY, lambda known: known.called(Operation.VERIFY, at=at))
    memory.note_sources_checked("uid", at)
    memory.want_refresh(KEY, at)
    memory.clock_stepped(by)
    assert memory.run("uid").calls[Operation.SEARCH].at == at + by
    assert memory.identity(KEY).calls[Operation.VERIFY].at == at + by
    assert memory.sources_checked_at("uid") == at + by
    assert memory.refresh_after(KEY) == at + by


MONOTONIC = {"_without_status_since"}
"""Tables whose times are of the monotonic clock, which nobody sets."""


def test_nothing_in_memory_is_left_where_it_was() -> None:
    """Every table of Memory that has times in it is moved: one that is added later, too."""
    memory = Memory()
    at = ManualClock().now()
    tables = {
        name: table
        for name, table in vars(memory).items()
        if isinstance(table, dict) and name not in MONOTONIC
    }
    for table in tables.values():
        table["key"] = at
    memory.clock_stepped(timedelta(hours=2))
    assert {name: table["key"] - at for name, table in tables.items()} == dict.fromkeys(
        tables, timedelta(hours=2)
    )


KEEPS_NO_WALL_TIME = ("controller", "cloud", "kube", "artifact")
"""Packages whose objects keep what they were told: in Memory, or by the monotonic clock."""


def test_wall_time_is_kept_by_nothing_but_memory() -> None:
    """An attribute that is set to `clock.now()`, as the tracker's `since` was, would be of a clock that was set."""
    found = []
    for package in KEEPS_NO_WALL_TIME:
        for path in Path(ocijobs.__file__).parent.joinpath(package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                targets = (
                    node.targets
                    if isinstance(node, ast.Assign)
                    else [node.target]
                    if isinstance(node, ast.AnnAssign | ast.AugAssign)
                    else []
                )
                kept = any(isinstance(each, ast.Attribute | ast.Subscript) for each in targets)
                if kept and ".now()" in ast.unparse(node):
                    found.append(f"{path.name}: {ast.unparse(node)}")
    assert found == []


def test_the_wall_clock_is_read_after_what_is_awaited() -> None:
    """A name that has the wall time, and is used after an await, may be of a clock that was set meanwhile."""
    found = []
    for package in KEEPS_NO_WALL_TIME:
        for path in Path(ocijobs.__file__).parent.joinpath(package).rglob("*.py"):
            for function in ast.walk(ast.parse(path.read_text())):
                if isinstance(function, ast.AsyncFunctionDef):
                    found += [f"{path.name}: {name}" for name in _kept_over_an_await(function)]
    assert found == []


def _kept_over_an_await(function: ast.AsyncFunctionDef) -> list[str]:
    assigned = {
        target.id: node.end_lineno or node.lineno
        for node in ast.walk(function)
        if isinstance(node, ast.Assign)
        and re.search(r"^\(?[\w., ]*clock\.now\(\)", ast.unparse(node.value))
        for target in ast.walk(node.targets[0])
        if isinstance(target, ast.Name)
    }
    awaits = [node.lineno for node in ast.walk(function) if isinstance(node, ast.Await)]
    return [
        f"{function.name}: {node.id}, line {node.lineno}"
        for node in ast.walk(function)
        if isinstance(node, ast.Name)
        and isinstance(node.ctx, ast.Load)
        and node.id in assigned
        and any(assigned[node.id] < line < node.lineno for line in awaits)
    ]


def test_who_is_woken_is_woken_by_the_monotonic_clock() -> None:
    async def sleep() -> None:
        clock = ManualClock()
        task = asyncio.create_task(StepAwareClock(clock).sleep(5))
        await asyncio.sleep(0)
        clock.step(7200)
        assert not task.done()
        clock.advance(5)
        await task

    asyncio.run(sleep())


def test_an_identity_without_times_is_the_same() -> None:
    assert stepped(IdentityKnown(), timedelta(hours=1)) == IdentityKnown()
