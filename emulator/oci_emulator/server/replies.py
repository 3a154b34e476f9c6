"""Answers on the wire."""

import asyncio

from aiohttp import web

from oci_emulator.calls.call import Answer, FileContent
from oci_emulator.formats.jsontypes import compact

_CHUNK = 1 << 18
_JSON = "application/json"


def payload_of(answer: Answer) -> bytes:
    """The body of an answer: JSON, or bytes as they are."""
    if isinstance(answer.body, bytes):
        return answer.body
    # A message may quote what came in a header and is no text.
    return b"" if answer.body is None else compact(answer.body).encode(errors="backslashreplace")


async def reply(
    request: web.BaseRequest, answer: Answer, payload: bytes, request_id: str
) -> web.StreamResponse:
    """Send an answer; one to HEAD has no body."""
    headers = {"opc-request-id": request_id, **answer.headers}
    if answer.content is not None:
        return await _send_file(request, answer.status, headers, answer.content)
    if answer.body is not None:
        headers.setdefault("content-type", _JSON)
    body = b"" if request.method == "HEAD" else payload
    return web.Response(status=answer.status, headers=headers, body=body)


async def _send_file(
    request: web.BaseRequest, status: int, headers: dict[str, str], content: FileContent
) -> web.StreamResponse:
    response = web.StreamResponse(status=status, headers=headers)
    response.content_length = content.length
    # Opened once: who reads an object goes on reading it when it is replaced meanwhile.
    with content.path.open("rb") as file:
        await response.prepare(request)
        file.seek(content.start)
        left = 0 if request.method == "HEAD" else content.length
        while left:
            chunk = await asyncio.to_thread(file.read, min(_CHUNK, left))
            if not chunk:
                raise EOFError(f"{content.path.name} is shorter than it was")
            await response.write(chunk)
            left -= len(chunk)
        await response.write_eof()
    return response


def abort(request: web.BaseRequest) -> web.StreamResponse:
    """Close the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
