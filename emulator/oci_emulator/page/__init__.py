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


def serves(path: str) -> bool:
    """Whether a path is one of the page's."""
    return path in _FILES


def answer(request: web.BaseRequest) -> web.Response:
    """The page, or a part of it."""
    if request.method not in {"GET", "HEAD"}:
        return web.Response(status=405, headers={"Allow": "GET, HEAD"})
    file = _FILES[request.path]
    content = resources.files("oci_emulator.page").joinpath(file.name).read_bytes()
    return web.Response(
        body=content, content_type=file.content_type, charset="utf-8", headers=_HEADERS
    )
