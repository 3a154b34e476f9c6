"""Pages of lists: limits and the opaque tokens of ``opc-next-page``."""

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from oci_emulator.calls.call import Answer, Call
from oci_emulator.calls.errors import invalid
from oci_emulator.formats.jsontypes import JsonObject, digest
from oci_emulator.state.resources import Resource, Resources, Selection

MAXIMUM = 100
_GREATEST = 1 << 53
"""Numbers in a token are at most this large; what is larger didn't come from here."""


def encode(position: Any, query: Mapping[str, Any]) -> str:
    """A token for the page after a position, good only for the same query."""
    content = json.dumps([position, _scope(query)], separators=(",", ":"))
    return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")


def decode(token: str, query: Mapping[str, Any]) -> Any:
    """The position in a token.

    Raises:
        ServiceError: 400, the token is none of this query.
    """
    try:
        padded = token + "=" * (-len(token) % 4)
        position, scope = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, TypeError, RecursionError):
        raise invalid(f"page: {token[:80]!r} is no page token of this list") from None
    if scope != _scope(query):
        raise invalid("page: the token belongs to a list with other parameters")
    return position


def _scope(query: Mapping[str, Any]) -> str:
    """What a token is bound to: all parameters but those of the paging itself."""
    return digest({key: query[key] for key in query if key not in {"page", "limit"}})[:12]


def limit_of(query: Mapping[str, Any], default: int, maximum: int = MAXIMUM) -> int:
    """The size of the page.

    Raises:
        ServiceError: 400, the limit is out of its bounds.
    """
    limit = query.get("limit")
    if limit is None:
        return min(default, maximum)
    if not 1 <= limit <= maximum:
        raise invalid(f"limit: must be 1 to {maximum}, not {limit}")
    return int(limit)


def page_of(
    resources: Resources,
    selection: Selection,
    call: Call,
    *,
    default_limit: int,
    maximum: int = MAXIMUM,
    show: Callable[[Resource], JsonObject] = lambda resource: resource.body,
) -> Answer:
    """One page of a list of resources.

    ``selection``: the list, without its limit and its start. ``show``: what it shows of a resource.
    """
    limit = limit_of(call.query, default_limit, maximum)
    after = None
    if "page" in call.query:
        after = _position(decode(call.query["page"], call.query))
    found = resources.select(replace(selection, after=after, limit=limit + 1))
    answer = Answer(body=[show(resource) for resource in found[:limit]])
    if len(found) > limit:
        last = found[limit - 1]
        position = [last.position(selection.sort), last.seq]
        answer.headers["opc-next-page"] = encode(position, call.query)
    return answer


def items_page(
    items: Sequence[Any], call: Call, *, default_limit: int, maximum: int = MAXIMUM
) -> Answer:
    """One page of a list that is at hand whole.

    ``items``: what the list shows; what is before a page should be there again for the next one.
    """
    limit = limit_of(call.query, default_limit, maximum)
    scope = {**call.query, **call.body}
    start = 0
    if "page" in call.query:
        start = decode(call.query["page"], scope)
        if not isinstance(start, int) or not 0 <= start <= len(items):
            raise invalid("page: the token holds no position")
    answer = Answer(body=list(items[start : start + limit]))
    if start + limit < len(items):
        answer.headers["opc-next-page"] = encode(start + limit, scope)
    return answer


def collection(answer: Answer) -> Answer:
    """A page as an object with ``items``, which some services answer instead of a list."""
    return replace(answer, body={"items": answer.body})


def _position(position: Any) -> tuple[str | float, int]:
    match position:
        case [str() as value, int() as seq] if abs(seq) < _GREATEST:
            return value, seq
        case [int() | float() as value, int() as seq] if max(abs(value), abs(seq)) < _GREATEST:
            return value, seq
    raise invalid("page: the token holds no position")
