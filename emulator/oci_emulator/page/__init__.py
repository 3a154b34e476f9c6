"""The emulator's page: jobs, runs, their logs and metrics, as they change."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

from aiohttp import web


@dataclass(frozen=True, slots=True)
class _File:
    name: str
    content_type: str


_FILES: Mapping[str, _File] = {
    "/": _File("index.html", "text/html"),
    "/_page/style.css": _File("style.css", "text/css"),
    "/_page/app.js": _File("app.js", "text/javascript"),
}
_HEADERS = {
    # The page shows what others have named: nothing of it may become code, or leave the machine.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
        " img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def serves(request: web.BaseRequest) -> bool:
    """Whether a request is for the page."""
    return request.path in _FILES and request.method in {"GET", "HEAD"}


def answer(request: web.BaseRequest) -> web.Response:
    """The page, or a part of it."""
    file = _FILES[request.path]
    content = resources.files("oci_emulator.page").joinpath(file.name).read_bytes()
    return web.Response(
        body=content, content_type=file.content_type, charset="utf-8", headers=_HEADERS
    )
