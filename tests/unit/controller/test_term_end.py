"""A term has ended when its calls to OCI have: a thread goes on whatever becomes of who awaits it."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.support.patience import patience

from ocijobs.controller import term
from ocijobs.controller.term import CallsUnderWayError

pytestmark = pytest.mark.asyncio


async def test_a_call_that_is_under_way_is_awaited_and_one_that_waits_is_not_made() -> None:
    threads, begun, answered = ThreadPoolExecutor(1), threading.Event(), threading.Event()
    made = []

    def call() -> None:
        begun.set()
        answered.wait()
        made.append("first")

    threads.submit(call)
    waiting = threads.submit(made.append, "second")
    await asyncio.to_thread(begun.wait)
    ending = asyncio.create_task(term._ended(threads, patience(30)))
    await asyncio.sleep(0)
    assert not ending.done()
    answered.set()
    await ending
    assert (made, waiting.cancelled()) == (["first"], True)


async def test_a_call_that_does_not_end_is_no_reason_to_go_on() -> None:
    threads, begun, answered = ThreadPoolExecutor(1), threading.Event(), threading.Event()

    def call() -> None:
        begun.set()
        answered.wait()

    threads.submit(call)
    await asyncio.to_thread(begun.wait)
    with pytest.raises(CallsUnderWayError, match="have not ended"):
        await term._ended(threads, 0.01)
    answered.set()
