"""Results: values that the code reports by printing a line of JSON."""

from __future__ import annotations

import json
from typing import Any

from ocijobs_said import say

RESULTS_KEY = "ocijobs.io/results"
RESULTS_LIMIT_BYTES = 4096
RESULTS_DEEPEST = 20


class Printed(str):
    """A number, as it was printed."""

    __slots__ = ()


def reported(line: bytes) -> dict[str, str]:
    """Return the results that a line of output reports; numbers stay as they were printed."""
    text = line.strip()
    if not text.startswith(b"{") or RESULTS_KEY.encode() not in text:
        return {}
    if len(text) > RESULTS_LIMIT_BYTES:
        say(f"a line of results is ignored: it is longer than {RESULTS_LIMIT_BYTES} bytes")
        return {}
    try:
        document = json.loads(text.decode(), parse_float=Printed, parse_int=Printed)
        values = document[RESULTS_KEY]
        results = {name: as_text(value) for name, value in values.items() if value is not None}
        "".join((*results, *results.values())).encode()
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError):
        say("a line that looks like results is ignored: it is not one JSON object of values")
        return {}
    return results


def as_text(value: Any) -> str:
    """Return a value as text: a string as it is, a number as it was printed, all else as JSON."""
    return str(value) if isinstance(value, str) else nested(value, 1)


def nested(value: Any, depth: int) -> str:
    """Return a value as compact JSON."""
    if depth > RESULTS_DEEPEST:
        raise ValueError("nested too deep")
    if isinstance(value, Printed):
        return str(value)
    if isinstance(value, list):
        return "[" + ",".join([nested(item, depth + 1) for item in value]) + "]"
    if isinstance(value, dict):
        members = [
            f"{nested(name, depth)}:{nested(item, depth + 1)}" for name, item in value.items()
        ]
        return "{" + ",".join(members) + "}"
    return json.dumps(value, ensure_ascii=False)
