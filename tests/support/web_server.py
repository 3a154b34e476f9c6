"""Files on the loopback network, behind a bearer token if wanted."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


class WebFiles:
    """What is served: path (without the slash) -> content. Tests change it, and see what was asked for.

    Attributes:
        url: of the root, with a slash.
        token: the bearer token that is wanted.
        redirects: path -> address that it leads to.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.content: dict[str, bytes] = {}
        self.redirects: dict[str, str] = {}
        self.token: str | None = None
        self.asked: list[tuple[str, str | None]] = []


@contextmanager
def served_files(port: int = 0) -> Iterator[WebFiles]:
    """Serve files until the end of the block; afterwards nobody listens there."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, authorization = self.path.lstrip("/"), self.headers.get("Authorization")
            files.asked.append((path, authorization))
            if files.token is not None and authorization != f"Bearer {files.token}":
                self.send_error(401)
            elif path in files.redirects:
                self.send_response(302)
                self.send_header("Location", files.redirects[path])
                self.end_headers()
            elif path not in files.content:
                self.send_error(404)
            else:
                self.send_response(200)
                self.send_header("Content-Length", str(len(files.content[path])))
                self.end_headers()
                self.wfile.write(files.content[path])

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        files = WebFiles(f"http://127.0.0.1:{server.server_address[1]}/")
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield files
        finally:
            server.shutdown()
