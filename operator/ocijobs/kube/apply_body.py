"""Bodies of server-side apply, which the API server reads as YAML.

JSON is nearly YAML, and what is not is in the strings. A character beyond U+FFFF is two escapes of surrogates in what
`json.dumps` writes; YAML has none, and the API server answers 400. Nor is unescaped output YAML: U+0085, U+2028 and
U+2029 break lines there, and U+FFFE is none of its characters. So characters up to U+FFFF are escaped here, and those
beyond are as they are. A key of more than 1,024 characters is none either, unless it is marked as one.
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
"""An escape of `json.dumps`: of two surrogates that are one character, of one alone, or another one."""


def apply_body(document: Mapping[str, Any]) -> bytes:
    """Return a document as YAML that says the same to every parser, whatever characters its text has.

    A surrogate alone is no character, and neither UTF-8 nor YAML has it: it becomes U+FFFD, which the API server makes
    of it where it reads JSON.

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
