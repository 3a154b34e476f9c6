"""What of a text can be shown: what YAML and JSON both carry, and what a reader sees as it is."""

from __future__ import annotations

import re

CUT = "…"
"""Stands where a text was cut."""

_WAS_CUT = f"{CUT} (cut)"

SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, the cursor
    r"|(?:\x1b\]|\x9d)[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)"  # OSC: titles, links, the clipboard
    r"|(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x1b\x9c\n]*(?:\x1b\\|\x9c)"  # DCS, SOS, PM, APC
    r"|\x1b[()*+][0-2AB]"  # character sets
)
"""A control sequence of ECMA-48 that is whole; of another one the control character goes, and the rest is text."""

_NONCHARACTERS = "".join(
    chr(plane + last) for plane in range(0, 0x110000, 0x10000) for last in (0xFFFE, 0xFFFF)
)

UNSEEN = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but tab and line feed, DEL, C1
    "\xad\u061c\u180e\u200b\u200e\u200f\ufeff\ufff9-\ufffb"  # without a width, or of a direction
    "\u2028-\u202e\u2060-\u206f"  # separators of lines, embeddings, overrides, isolates
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f"
    "\ud800-\udfff"  # surrogates alone
    f"\ufdd0-\ufdef{_NONCHARACTERS}]"
)
"""A character that nobody sees, or that changes how others are seen, or that is none.

The joiners U+200C and U+200D stay, since emoji and scripts need them.
"""

HIDDEN = re.compile(f"{SEQUENCE.pattern}|{UNSEEN.pattern}")
"""What is taken out."""


def legible(text: str) -> str:
    """Return the text without control sequences, and without characters that nobody sees; tab and line feed stay."""
    return HIDDEN.sub("", text)


def bounded(text: str, most_bytes: int, *, cut: bool = False) -> str:
    """Return the text in at most so many bytes of UTF-8; of a longer one the beginning, and that it was cut.

    Args:
        text: what `legible` returned.
        most_bytes: how long it may be; more than what says that it was cut.
        cut: whether more of it was cut before.
    """
    encoded = text.encode()
    if len(encoded) <= most_bytes and not cut:
        return text
    return encoded[: most_bytes - len(_WAS_CUT.encode())].decode(errors="ignore") + _WAS_CUT
