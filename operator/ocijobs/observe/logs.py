"""Logs: one JSON object a line on stderr, as log collectors take them."""

from __future__ import annotations

import logging
import sys

from pythonjsonlogger.json import JsonFormatter

from ocijobs.log_fields import OBJECT_NAME

_QUIET = {
    "kopf": logging.WARNING,
    "aiohttp.access": logging.WARNING,
    "oci": logging.WARNING,
    "kubernetes": logging.WARNING,
}
"""Others' loggers that would tell of every request or event."""


def configure(level: str) -> None:
    """Send all logs to stderr as JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonFormatter(
            "{asctime}{levelname}{name}{message}",
            style="{",
            rename_fields={
                "asctime": "time",
                "levelname": "level",
                "name": "logger",
                OBJECT_NAME: "name",
            },
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(max(least, logging.getLevelName(level)))
