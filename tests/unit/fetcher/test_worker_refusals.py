"""What the errors of a reading mean for who has asked, where no source can be made that brings them about."""

import errno
import os

import pytest

from ocijobs.fetcher.protocol import Limits, RefusalKind
from ocijobs.fetcher.worker import _refusal

LIMITS = Limits(seconds=1, cpu_seconds=1, memory_bytes=2, artifact_bytes=3, files=4)


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (OSError(errno.ENOSPC, "no space"), RefusalKind.FULL, "the fetcher's disk is full"),
        (OSError(errno.EDQUOT, "quota"), RefusalKind.FULL, "the fetcher's disk is full"),
        (OSError(errno.EFBIG, "too large"), RefusalKind.INVALID, "it has more than 3 bytes"),
        (MemoryError(), RefusalKind.LIMIT, "needs more than 2 bytes of memory"),
        (TimeoutError(), RefusalKind.UNREACHABLE, "takes longer than 1 s"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_an_error_of_the_system_is_told_in_words(
    error: Exception, kind: RefusalKind, words: str
) -> None:
    told = _refusal(error, LIMITS)
    assert told is not None
    assert told[0] is kind
    assert words in told[1]


@pytest.mark.parametrize("error", [OSError(errno.EIO, os.strerror(errno.EIO)), KeyError("x")])
def test_what_nobody_foresaw_ends_the_process(error: Exception) -> None:
    assert _refusal(error, LIMITS) is None
