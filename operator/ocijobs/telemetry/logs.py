"""Logs: one JSON object for each line on stderr, for log collectors."""

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
"""Loggers of libraries that would log every request or event."""


def formatter() -> JsonFormatter:
    """Return the formatter of log lines. What is given as `extra` is a field of its own name."""
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
    """Log kopf's retries as warnings: during an outage each stream retries every few seconds."""
    if record.name.startswith("kopf.") and "; will retry" in str(record.msg):
        record.levelno, record.levelname = logging.WARNING, "WARNING"
    return True


def set_level(level: str) -> None:
    """Log records of at least this level from now on."""
    _State.configured = level
    _apply(level)


def toggle_debug() -> None:
    """Switch to DEBUG, or back to the configured level."""
    level = logging.getLevelName(logging.getLogger().level)
    wanted = "DEBUG" if level != "DEBUG" else _State.configured
    _apply(wanted)
    _LOG.warning("log level: %s", wanted)


class _State:
    """Logging belongs to the whole process, and so does this object."""

    configured = "INFO"


def _apply(level: str) -> None:
    logging.getLogger().setLevel(level)
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(max(least, logging.getLevelName(level)))
