"""A server that answers what the test says, over real HTTP: for answers that OCI gives only on bad days."""

import json
import threading
from collections import deque
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from tests.unit.cloud.api_keys import secret

from ocijobs.clock import Clock, SystemClock
from ocijobs.cloud.calls import Calls
from ocijobs.cloud.clients import Principal
from ocijobs.cloud.credentials import CredentialStore, IdentityKey, parse_api_key
from ocijobs.settings import Settings

IDENTITY = IdentityKey(kind="OCIIdentity", namespace="team-a", name="default")
PRINCIPAL = Principal(identity=IDENTITY, region="us-ashburn-1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer; no status closes the connection without one."""

    status: int | None = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def document(value: Any, status: int = 200, **headers: str) -> Answer:
    """Return an answer in JSON; underscores in names of headers are hyphens."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Answer(
        status=status,
        body=json.dumps(value).encode(),
        headers={"content-type": "application/json", **named},
    )


def error(status: int, code: str, message: str = "no", **headers: str) -> Answer:
    """Return an error as OCI tells it."""
    return document({"code": code, "message": message}, status, **headers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        """The body's JSON."""
        return json.loads(self.body)


class ScriptedOci:
    """The server: answers in the order in which they were given, and 500 when there are none left."""

    def __init__(self) -> None:
        self.answers: deque[Answer] = deque()
        self.received: list[Received] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def will(self, *answers: Answer) -> None:
        """Add to what it will answer."""
        self.answers.extend(answers)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        answers, received = self.answers, self.received

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                size = int(self.headers.get("content-length", 0))
                received.append(
                    Received(
                        method=self.command,
                        path=self.path,
                        headers={name.lower(): value for name, value in self.headers.items()},
                        body=self.rfile.read(size),
                    )
                )
                answer = answers.popleft() if answers else error(500, "InternalError")
                if answer.status is None:
                    self.close_connection = True
                    return
                with suppress(BrokenPipeError, ConnectionResetError):
                    # A caller that has given up is what some tests are about.
                    self._send(answer, answer.status)

            def _send(self, answer: Answer, status: int) -> None:
                self.send_response(status)
                self.send_header("connection", "close")
                if "transfer-encoding" not in answer.headers:
                    self.send_header("content-length", str(len(answer.body)))
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(answer.body)

            do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _answer  # noqa: N815 - the library's names

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
                del format, args

        return Handler


@dataclass(slots=True, kw_only=True)
class Caller:
    """Calls to the server, and what was told of each."""

    calls: Calls
    observed: list[tuple[str, str, int]]
    credentials: CredentialStore
    leads: bool = True
    unforeseen: list[tuple[str, str]] = field(default_factory=list)


def make_caller(
    url: str,
    threads: ThreadPoolExecutor,
    *,
    key: Mapping[str, bytes] | None = None,
    clock: Clock | None = None,
    **settings: Any,
) -> Caller:
    """Return what makes calls to the server, as a leader with credentials; the server may want to know the key."""
    observed: list[tuple[str, str, int]] = []
    credentials = CredentialStore()
    credentials.put(IDENTITY, parse_api_key(key or secret(), region=None, version="v1"))

    def fence() -> None:
        if not caller.leads:
            raise NotLeadingError

    def observe(service: str, operation: str, code: int, seconds: float) -> None:
        assert seconds >= 0
        observed.append((service, operation, code))

    caller = Caller(
        calls=Calls(
            Settings(oci_endpoint=url, **settings),
            credentials,
            threads=threads,
            fence=fence,
            fenced=NotLeadingError,
            observe=observe,
            clock=clock or SystemClock(),
            count_error=lambda where, error: caller.unforeseen.append((where, error)),
        ),
        observed=observed,
        credentials=credentials,
    )
    return caller


class NotLeadingError(RuntimeError):
    """This process may not write."""
