"""The ``Range`` header."""

import re
from dataclasses import dataclass
from pathlib import Path

from oci_emulator.calls.call import Answer, FileContent
from oci_emulator.calls.errors import ServiceError

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class ByteRange:
    """A part of a content of ``size`` bytes."""

    start: int
    length: int
    size: int

    @property
    def header(self) -> str:
        """The value of ``content-range``."""
        return f"bytes {self.start}-{self.start + self.length - 1}/{self.size}"


def answer_with(path: Path, size: int, headers: dict[str, str], header: str | None) -> Answer:
    """A file as the answer, or the part of it that a ``Range`` header asks for.

    Raises:
        ServiceError: 416, it has no such part.
    """
    part = parse(header, size)
    if part is None:
        content = FileContent(path=path, start=0, length=size)
        return Answer(headers=headers, content=content)
    content = FileContent(path=path, start=part.start, length=part.length)
    return Answer(status=206, headers={**headers, "content-range": part.header}, content=content)


def parse(header: str | None, size: int) -> ByteRange | None:
    """The part that a header asks for; None if it asks for the whole.

    Several ranges in one header, or other units, are ignored, as RFC 9110 allows.

    Raises:
        ServiceError: 416, the content has no such part.
    """
    match = _RANGE.fullmatch(header.strip()) if header else None
    if match is None or match[0] == "bytes=-":
        return None
    first, last = match[1], match[2]
    if first:
        start = int(first)
        end = min(int(last), size - 1) if last else size - 1
    else:
        start = max(0, size - int(last))
        end = size - 1
    if start > end:
        raise ServiceError(
            416,
            "InvalidRange",
            f"Content of {size} bytes has no range {header!r}.",
            {"content-range": f"bytes */{size}"},
        )
    return ByteRange(start=start, length=end - start + 1, size=size)
