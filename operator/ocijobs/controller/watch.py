"""The watch: kopf brings every change of our kinds to the store. The only module that knows kopf.

kopf is used for what it does well: watching for ever, through restarts of the API server and expired versions. It
handles nothing, adds no finalizers or annotations, and keeps no state; what it misses, the periodic list finds.

It runs in a thread with a loop of its own, since in ours it would take the signals and, at its end, cancel every
task that was begun after it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import kopf

from ocijobs.api.crd import KINDS
from ocijobs.api.kueue import KUEUE_GROUP, KUEUE_VERSION, LABEL_RUN
from ocijobs.api.metadata import ObjectKey
from ocijobs.api.names import GROUP, VERSION
from ocijobs.controller.store import Store

OURS = tuple((GROUP, VERSION, kind.plural) for kind in KINDS)
"""All of our kinds."""

WORKLOADS = ((KUEUE_GROUP, KUEUE_VERSION, "workloads"),)
"""What Kueue has of our runs; only where Kueue is."""

Resources = tuple[tuple[str, str, str], ...]
"""Group, version and plural of what is watched."""

_END_SECONDS = 10.0

_CLOSING_SECONDS = 0.25
"""Time in which TLS connections close, which nothing tells of.

Source: https://docs.aiohttp.org/en/stable/client_advanced.html#graceful-shutdown
"""


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
        ended = loop.run_in_executor(
            thread, lambda: asyncio.run(_operate(store, feed, namespaces, resources, stop))
        )
        try:
            await asyncio.shield(ended)
        except asyncio.CancelledError:
            stop.set()
            await asyncio.wait([ended], timeout=_END_SECONDS)
            raise
        except Exception as error:
            raise WatchEndedError(f"the watch has ended: {error}") from error
    raise WatchEndedError("the watch has ended; kopf's log says why")


async def _operate(
    store: Store,
    feed: Callable[[Callable[[], object]], None],
    namespaces: tuple[str, ...],
    resources: Resources,
    stop: threading.Event,
) -> None:
    registry = kopf.OperatorRegistry()
    kopf.on.login(registry=registry)(_login)
    for resource in resources:
        kopf.on.event(*resource, registry=registry, id="store")(_handler(store, feed))
    await kopf.operator(
        registry=registry,
        settings=_settings(),
        standalone=True,
        clusterwide=not namespaces,
        namespaces=namespaces,
        stop_flag=stop,
    )
    # The loop ends with this function, and would leave them open.
    await asyncio.sleep(_CLOSING_SECONDS)


def _handler(store: Store, feed: Callable[[Callable[[], object]], None]) -> Any:
    async def take(event: kopf.RawEvent, **_: Any) -> None:
        document: dict[str, Any] = dict(event["object"])
        meta = document["metadata"]
        if event["type"] == "DELETED":
            key = ObjectKey(document["kind"], meta.get("namespace", ""), meta["name"])
            feed(lambda: store.remove(key, meta["uid"]))
        else:
            feed(lambda: store.put(document))

    return take


def _login(**kwargs: Any) -> kopf.ConnectionInfo | None:
    """Take the pod's service account, else the kubeconfig."""
    return kopf.login_with_service_account(**kwargs) or kopf.login_with_kubeconfig(**kwargs)


def _settings() -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    # Otherwise kopf wants to list all definitions and namespaces of the cluster, for a minute, before it watches.
    settings.scanning.disabled = True
    settings.queueing.idle_timeout = 0.5
    settings.watching.server_timeout = 600
    settings.watching.connect_timeout = 10
    settings.watching.chunk_size = 500
    # There may be thousands of Workloads, of pods and of others.
    settings.watching.label_selectors[WORKLOADS[0]] = LABEL_RUN
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 10
    return settings
