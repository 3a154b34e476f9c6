"""Bodies of server-side apply, which the API server reads as YAML.

JSON differs from YAML only in its strings. `json.dumps` writes a character beyond U+FFFF as two escaped surrogates;
YAML has no surrogates, and the API server answers 400. Unescaped output is not YAML either: U+0085, U+2028 and U+2029
break lines in YAML, and U+FFFE is not allowed. So this module escapes characters up to U+FFFF, and writes those beyond
unchanged. YAML also does not accept a key of more than 1,024 characters, unless it is marked as a key.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

APPLY_PATCH = "application/apply-patch+yaml"
"""Content type of server-side apply."""

_LONGEST_PLAIN_KEY = 1000
_ESCAPE = re.compile(r"\\(?:u(d[89ab]..)\\u(d[c-f]..)|u(d[89a-f]..)|u....|.)")
"""An escape of `json.dumps`: two surrogates that are one character, a single surrogate, or another escape."""


def apply_body(document: Mapping[str, Any]) -> bytes:
    """Return a document as YAML that every parser reads in the same way, whatever characters its text has.

    A single surrogate is not a character, and neither UTF-8 nor YAML has it. It becomes U+FFFD, as in JSON that the API
    server reads.

    Raises:
        ValueError: if a number is not finite.
    """
    return _written(document).encode()


def _written(value: Any) -> str:
    if isinstance(value, Mapping):
        members = (f"{_key(name)}: {_written(each)}" for name, each in value.items())
        return "{" + ", ".join(members) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_written, value)) + "]"
    return _ESCAPE.sub(_character, json.dumps(value, allow_nan=False))


def _key(name: str) -> str:
    written = _written(name)
    return written if len(written) <= _LONGEST_PLAIN_KEY else f"? {written} "


def _character(escape: re.Match[str]) -> str:
    high, low, alone = escape.groups()
    if alone is not None:
        return r"\ufffd"
    if high is None:
        return escape[0]
    return chr(0x10000 + ((int(high, 16) & 0x3FF) << 10) + (int(low, 16) & 0x3FF))
