"""Bodies and queries of requests: read, bounded, and checked against the models."""

import base64
import hashlib
import hmac
import json
import math
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from oci_emulator.calls.errors import ServiceError, invalid, missing, unparsable
from oci_emulator.conduct.rules import Rules
from oci_emulator.formats.jsontypes import JsonObject
from oci_emulator.schema.catalogue import Operation, Parameter, Service
from oci_emulator.schema.models import Mismatch
from oci_emulator.server.signature import Signed, body_hash_mismatch

_CHUNK = 1 << 18


def query_of(operation: Operation, text: str, rules: Rules) -> dict[str, Any]:
    """The parameters of a query string, in the types of the operation.

    Raises:
        ServiceError: 400, one is unknown, repeated, missing, or not of its type.
    """
    known = {parameter.name: parameter for parameter in operation.query}
    query: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        parameter = known.get(name)
        if parameter is None:
            if rules.unknown_query_parameter == "refuse":
                raise invalid(f"{name}: is not a query parameter of {operation.name}")
            continue
        if parameter.type.startswith("list["):
            entries = [_value(parameter, entry) for entry in value.split(",")]
            query[name] = [*query.get(name, ()), *entries]
        elif name in query:
            raise invalid(f"{name}: is given twice")
        else:
            query[name] = _value(parameter, value)
    for parameter in operation.query:
        if parameter.required and not query.get(parameter.name):
            raise missing(f"{parameter.name}: is required")
    return query


def _value(parameter: Parameter, text: str) -> Any:
    # ListObjects takes several fields in one string.
    entries = text.split(",") if parameter.name == "fields" else [text]
    if parameter.enum and not set(entries) <= set(parameter.enum):
        raise invalid(f"{parameter.name}: must be one of {', '.join(parameter.enum)}, not {text!r}")
    convert = _CONVERSIONS.get(parameter.type, str)
    try:
        return convert(text)
    except ValueError:
        raise invalid(f"{parameter.name}: must be {parameter.type}, not {text!r}") from None


def _truth(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise ValueError(text)
    return text.lower() == "true"


_CONVERSIONS: Mapping[str, Callable[[str], Any]] = {"int": int, "bool": _truth, "float": float}


async def json_of(request: web.BaseRequest, maximum: int) -> tuple[bytes, Any]:
    """The bytes of a JSON body and what they say; None for an empty body.

    Raises:
        ServiceError: 413, it is too large; 400, it is no JSON.
    """
    content = bytearray()
    async for chunk in request.content.iter_any():
        content += chunk
        if len(content) > maximum:
            raise ServiceError(413, "RequestEntityTooLarge", f"A body has at most {maximum} bytes.")
    if not content:
        return b"", None
    try:
        document = json.loads(content, parse_constant=_finite, parse_float=_finite)
        if b"\\ud" in content.lower():
            # It may hold half of a surrogate pair, which no text can hold.
            json.dumps(document, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise unparsable(f"The body is no JSON: {_plain(error)}") from None
    return bytes(content), document


def _plain(error: Exception) -> str:
    return str(error).encode("ascii", "backslashreplace").decode()


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no number of JSON")
    return number


def check_hash(signed: Signed, headers: Mapping[str, str], content: bytes) -> None:
    """Compare a body with its signed hash.

    Raises:
        ServiceError: 401, they differ.
    """
    if "x-content-sha256" not in signed.headers:
        return
    actual = base64.b64encode(hashlib.sha256(content).digest()).decode()
    if not hmac.compare_digest(actual.encode(), headers["x-content-sha256"].encode()):
        raise body_hash_mismatch()


def checked(service: Service, operation: Operation, document: Any, rules: Rules) -> JsonObject:
    """The body, if it fits the operation's model.

    Raises:
        ServiceError: 400, it doesn't.
    """
    if not operation.body:
        return {}
    if document is None:
        if operation.body_required:
            raise missing(f"{operation.name} needs a body: {operation.body}")
        return {}
    try:
        return service.models.check(
            operation.body, document, refuse_unknown=rules.unknown_body_field == "refuse"
        )
    except Mismatch as mismatch:
        raise (missing if mismatch.missing else invalid)(str(mismatch)) from None


async def content_of(request: web.BaseRequest, signed: Signed) -> AsyncIterator[bytes]:
    """A streamed body, in pieces; if its hash is signed, it is checked at the end.

    Raises:
        ServiceError: 401, the hash is another; 400, the connection ended too early.
    """
    if request.headers.get("expect", "").lower() == "100-continue" and request.transport:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    hashing = hashlib.sha256() if "x-content-sha256" in signed.headers else None
    received = 0
    async for chunk in request.content.iter_chunked(_CHUNK):
        received += len(chunk)
        if hashing is not None:
            hashing.update(chunk)
        yield chunk
    if received != request.content_length:
        raise unparsable(f"{received} bytes came instead of {request.content_length}.")
    if hashing is not None:
        actual = base64.b64encode(hashing.digest()).decode()
        if actual != request.headers["x-content-sha256"]:
            raise body_hash_mismatch()
