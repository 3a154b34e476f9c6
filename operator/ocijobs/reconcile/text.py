"""Text from outside: output of runs, messages of OCI and other servers, names of files and objects, results.

All of it that people read comes by `shown`. `presentable` is the gate before the API server: of a status, whatever made
its text, it leaves what is legible. So what is decided and what is stored are the same text, or each decision would
find another status than its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ocijobs.reconcile.legible import bounded, legible
from ocijobs.reconcile.masking import masked

MESSAGE_LIMIT_BYTES = 1024
"""Of a message, which the API server bounds in Events."""

_LOOKED_AT = 8
"""Characters that are looked at for each byte that can be shown: some may be no text."""

_AS_WRITTEN = frozenset({"adopted", "binding", "parameters", "source", "submit"})
"""Fields of statuses that are sent to OCI, or compared with what others have, as they were written."""


def shown(text: str, secrets: Iterable[str] = (), *, most_bytes: int = MESSAGE_LIMIT_BYTES) -> str:
    """Return text from outside as it is shown: legible, without the secrets, in at most so many bytes of UTF-8.

    Of a longer one the beginning is kept, and it says that it was cut. Masking comes after the cleaning, since an
    escape sequence in the middle of a secret, as `grep --color` makes it, would hide it from the search.
    """
    looked_at = text[: _LOOKED_AT * most_bytes]
    cut = len(looked_at) < len(text)
    return bounded(masked(looked_at, secrets), most_bytes, cut=cut)


def presentable(document: Mapping[str, object]) -> dict[str, object]:
    """Return a status document with all its text legible, but for what is the user's own and is sent as it is."""
    return {
        legible(name): each if name in _AS_WRITTEN else _presentable(each)
        for name, each in document.items()
    }


def _presentable(value: object) -> object:
    if isinstance(value, str):
        return legible(value)
    if isinstance(value, list):
        return [_presentable(each) for each in value]
    return presentable(value) if isinstance(value, dict) else value
