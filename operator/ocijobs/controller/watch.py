"""The watch: kopf brings every change of our kinds to the store.

It runs in a thread with a loop of its own, since in ours it would take the signals and, at its end, cancel every
task that was begun after it. That thread also imports it: an operator is ready, and may lead, before it watches.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from ocijobs.api.crd import KINDS
from ocijobs.api.kueue import KUEUE_GROUP, KUEUE_VERSION
from ocijobs.api.names import GROUP, VERSION
from ocijobs.controller.store import Store

OURS = tuple((GROUP, VERSION, kind.plural) for kind in KINDS)
"""All of our kinds."""

WORKLOADS = ((KUEUE_GROUP, KUEUE_VERSION, "workloads"),)
"""What Kueue has of our runs; only where Kueue is."""

Resources = tuple[tuple[str, str, str], ...]
"""Group, version and plural of what is watched."""

_END_SECONDS = 10.0


class WatchEndedError(RuntimeError):
    """The watch has ended although nobody asked it to; the process is to be restarted."""


async def watch(store: Store, namespaces: tuple[str, ...], resources: Resources = OURS) -> None:
    """Feed the store until cancelled, from the namespaces, or from all if none are named.

    Raises:
        WatchEndedError: if kopf gives up; it does after a minute of refusals by the API server.
    """
    loop = asyncio.get_running_loop()
    stop = threading.Event()

    def feed(change: Callable[[], object]) -> None:
        loop.call_soon_threadsafe(change)

    with ThreadPoolExecutor(1, thread_name_prefix="watch") as thread:
        ended = loop.run_in_executor(thread, _run, store, feed, namespaces, resources, stop)
        try:
            await asyncio.shield(ended)
        except asyncio.CancelledError:
            stop.set()
            await asyncio.wait([ended], timeout=_END_SECONDS)
            raise
        except Exception as error:
            raise WatchEndedError(f"the watch has ended: {error}") from error
    raise WatchEndedError("the watch has ended; kopf's log says why")


def _run(
    store: Store,
    feed: Callable[[Callable[[], object]], None],
    namespaces: tuple[str, ...],
    resources: Resources,
    stop: threading.Event,
) -> None:
    from ocijobs.controller.kopf_watch import operate  # noqa: PLC0415 - in this thread

    asyncio.run(operate(store, feed, namespaces, resources, stop))
