"""Web and Git servers on the loopback network that mean harm: slow ones, endless ones, and ones that say nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

_DRIP_SECONDS = 0.5
_FLOOD = bytes(1 << 16)


@contextmanager
def hostile_server() -> Iterator[str]:
    """Serve until the end of the block, and give the root's address, with a slash.

    Addresses that begin with `slow` give a byte now and then, `endless` never end, `hung` say nothing at all, and
    `loop` lead to themselves.
    """
    over = Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.lstrip("/")
            if name.startswith("loop"):
                self.send_response(302)
                self.send_header("Location", self.path)
                self.end_headers()
            elif name.startswith("hung"):
                over.wait()
            else:
                self.send_response(200)
                self.end_headers()
                self._pour(slowly=name.startswith("slow"))

        def _pour(self, *, slowly: bool) -> None:
            while not over.is_set():
                try:
                    self.wfile.write(b"x" if slowly else _FLOOD)
                except OSError:
                    return
                if slowly:
                    over.wait(_DRIP_SECONDS)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            over.set()
            server.shutdown()
