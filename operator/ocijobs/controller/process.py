"""The operator as a process: its settings, its cluster, its signals, and how it ends."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from pathlib import Path

from pydantic.alias_generators import to_camel

from ocijobs.controller.operator import Operator
from ocijobs.controller.term import CallsUnderWayError
from ocijobs.kube.login import NoClusterError, load_login
from ocijobs.settings import SETTINGS_FILE_VARIABLE, Settings, SettingsError, load
from ocijobs.telemetry import logs
from ocijobs.telemetry.diagnosis import signals_heeded
from ocijobs.telemetry.metrics import Metrics
from ocijobs.telemetry.server import PortError
from ocijobs.telemetry.watchdog import Watchdog

_LOG = logging.getLogger(__name__)

_SETTINGS_SECONDS = 10.0
"""Seconds between two checks of the settings file."""

UNSTARTED = (SettingsError, NoClusterError, PortError)
"""The operator can't start; the message says what to do."""


def run(port_file: Path | None, *, hold_new: bool) -> int:
    """Run the operator until SIGTERM or SIGINT, and return the exit code.

    Args:
        port_file: where the port of metrics and health is written, if anywhere.
        hold_new: create nothing for objects that are new to this operator, whatever the settings say.

    Raises:
        SettingsError: if the settings are not valid.
        NoClusterError: if no login to a cluster is found.
        PortError: if the port of metrics and health can't be opened.
    """
    settings = load()
    settings = settings.model_copy(update={"hold_new": settings.hold_new or hold_new})
    logs.configure(settings.log_level)
    metrics = Metrics()
    watchdog = Watchdog(metrics.loop_busy_seconds.observe)
    with asyncio.Runner(loop_factory=watchdog.loop_factory) as runner, watchdog:
        return runner.run(_run(settings, port_file, metrics, watchdog))


async def _run(
    settings: Settings, port_file: Path | None, metrics: Metrics, watchdog: Watchdog
) -> int:
    operator = Operator(
        settings,
        await load_login(),
        metrics=metrics,
        busy_seconds=lambda: watchdog.busy_seconds,
    )
    if port_file is not None:
        operator.port.add_done_callback(lambda port: port_file.write_text(str(port.result())))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, operator.stop)
    # Held, since the loop does not hold it.
    following = asyncio.create_task(_follow_settings(settings), name="settings")
    try:
        with signals_heeded(loop):
            await operator.run()
    except CallsUnderWayError as stuck:
        # Python would wait for their threads at its end, for as long as they take.
        _LOG.critical("can't go on: %s", stuck)
        logging.shutdown()
        os._exit(1)
    except ExceptionGroup as group:
        for error in group.exceptions:
            _LOG.critical("can't go on: %s", error, exc_info=error)
        return 1
    finally:
        following.cancel()
    return 0


async def _follow_settings(settings: Settings) -> None:
    """Apply the log level when the settings file changes, as a ConfigMap does; log other settings that have changed."""
    file = os.environ.get(SETTINGS_FILE_VARIABLE)
    seen = _content(file)
    while file:
        await asyncio.sleep(_SETTINGS_SECONDS)
        if (content := _content(file)) == seen:
            continue
        seen = content
        try:
            found = load()
        except SettingsError as error:
            _LOG.warning("the settings have changed, and the former ones stay: %s", error)
            continue
        logs.set_level(found.log_level)
        changed = sorted(
            to_camel(name)
            for name, value in found
            if value != getattr(settings, name) and name != "hold_new"
        )
        _LOG.warning(
            "the settings have changed: the log level is %s; at the next start: %s",
            found.log_level,
            ", ".join(name for name in changed if name != "logLevel") or "nothing",
        )


def _content(file: str | None) -> bytes | None:
    try:
        return Path(file).read_bytes() if file else None
    except OSError:
        return None
