"""kopf, told to watch and to do nothing else. The only module that knows it.

kopf is used for what it does well: watching for ever, through restarts of the API server and expired versions. It
handles nothing, adds no finalizers or annotations, and keeps no state; what it misses, the periodic list finds.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import kopf

from ocijobs.api.kueue import KUEUE_GROUP, KUEUE_VERSION, LABEL_RUN
from ocijobs.api.metadata import ObjectKey
from ocijobs.controller.store import Store

_CLOSING_SECONDS = 0.25
"""Time in which TLS connections close, which nothing tells of.

Source: https://docs.aiohttp.org/en/stable/client_advanced.html#graceful-shutdown
"""


async def operate(
    store: Store,
    feed: Callable[[Callable[[], object]], None],
    namespaces: tuple[str, ...],
    resources: tuple[tuple[str, str, str], ...],
    stop: threading.Event,
) -> None:
    """Watch until told to stop, or until kopf gives up.

    Args:
        store: what is fed.
        feed: has a change made where the store is.
        namespaces: which are watched; all if none are named.
        resources: group, version and plural of what is watched.
        stop: is set to end it.
    """
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
    settings.watching.label_selectors[KUEUE_GROUP, KUEUE_VERSION, "workloads"] = LABEL_RUN
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 10
    return settings
