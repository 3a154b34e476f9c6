"""JSON as Python holds it, and the one way in which it is written."""

import hashlib
import json
from typing import Any, TypeAlias

JsonObject: TypeAlias = dict[str, Any]


def compact(value: Any) -> str:
    """The value as JSON without blanks."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def digest(value: Any) -> str:
    """A hash that is equal for equal JSON, whatever the order of its keys."""
    canonical = json.dumps(value, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()
