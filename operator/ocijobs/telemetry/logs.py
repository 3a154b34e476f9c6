"""Logs: one JSON object a line on stderr, as log collectors take them."""

from __future__ import annotations

import logging
import sys

from pythonjsonlogger.json import JsonFormatter

from ocijobs.log_fields import OBJECT_NAME

_LOG = logging.getLogger(__name__)

_QUIET = {
    "kopf": logging.WARNING,
    "aiohttp.access": logging.WARNING,
    "oci": logging.WARNING,
    "kubernetes": logging.WARNING,
}
"""Others' loggers that would tell of every request or event."""


def formatter() -> JsonFormatter:
    """Return what makes a line of a record: what was given as `extra` is there by its name."""
    return JsonFormatter(
        "{asctime}{levelname}{name}{message}",
        style="{",
        rename_fields={
            "asctime": "time",
            "levelname": "level",
            "name": "logger",
            OBJECT_NAME: "name",
        },
    )


def configure(level: str) -> None:
    """Send all logs to stderr as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter())
    handler.addFilter(lower_retries)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    set_level(level)


def lower_retries(record: logging.LogRecord) -> bool:
    """Make warnings of what kopf is about to try again: during an outage each stream tells of it every few seconds."""
    if record.name.startswith("kopf.") and "; will retry" in str(record.msg):
        record.levelno, record.levelname = logging.WARNING, "WARNING"
    return True


def set_level(level: str) -> None:
    """Log what is at least as severe, from now on."""
    _State.configured = level
    _apply(level)


def toggle_debug() -> None:
    """Log everything, or again what was configured."""
    level = logging.getLevelName(logging.getLogger().level)
    wanted = "DEBUG" if level != "DEBUG" else _State.configured
    _apply(wanted)
    _LOG.warning("log level: %s", wanted)


class _State:
    """Logging is one for the whole process, and so is this."""

    configured = "INFO"


def _apply(level: str) -> None:
    logging.getLogger().setLevel(level)
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(max(least, logging.getLevelName(level)))
