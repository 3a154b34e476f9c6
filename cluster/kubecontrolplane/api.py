"""The few requests that kubecontrolplane itself sends to its own control plane."""

import contextlib
import http.client
import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode, urlsplit

from kubecontrolplane.errors import ApiError

_REQUEST_SECONDS = 30
# Callers ask again. Long waits come from a stranger on the port, who answers nothing.
_HEALTH_SECONDS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpsClient:
    """Requests over TLS with a client certificate or a token, on a connection each.

    A dependency on a Kubernetes client library would be larger than all of kubecontrolplane.

    Attributes:
        server: `https://host:port`.
        tls: what verifies the server, and identifies the client if it has a certificate.
        token: what identifies the client if it has none.
    """

    server: str
    tls: ssl.SSLContext
    token: str | None = None

    @classmethod
    def with_certificate(
        cls, server: str, *, authority: str, certificate: str, key: str
    ) -> "HttpsClient":
        """A client that shows a certificate; the arguments but `server` are paths of PEM files."""
        tls = ssl.create_default_context(cafile=authority)
        tls.load_cert_chain(certificate, key)
        return cls(server=server, tls=tls)

    @classmethod
    def with_token(cls, server: str, *, authority: str, token: str) -> "HttpsClient":
        """A client that shows a bearer token; `authority` is the path of a PEM file."""
        return cls(server=server, tls=ssl.create_default_context(cafile=authority), token=token)

    def is_ok(self, path: str) -> bool:
        """Whether a health endpoint answers 200; a server that can't be reached is not ok."""
        try:
            with self._answer("GET", path, None, seconds=_HEALTH_SECONDS) as answer:
                return answer.status == HTTPStatus.OK
        except OSError:
            return False

    def exists(self, path: str) -> bool:
        """Whether the API has an object at this path.

        Raises:
            ApiError: the API answered neither 200 nor 404.
        """
        status, body = self._send("GET", path, None)
        if status not in (HTTPStatus.OK, HTTPStatus.NOT_FOUND):
            raise _refused("GET", path, status, body)
        return status == HTTPStatus.OK

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request with an optional JSON body; the answer's JSON.

        Raises:
            ApiError: the API answered with an error.
            OSError: the server can't be reached.
        """
        status, answer = self._send(method, path, body)
        if status >= HTTPStatus.BAD_REQUEST:
            raise _refused(method, path, status, answer)
        return json.loads(answer)

    def await_object(self, collection: str, name: str, *, seconds: int) -> None:
        """Wait until a collection has an object of this name.

        Args:
            collection: the path of the collection, such as /api/v1/namespaces.
            name: the object's name.
            seconds: the longest wait.

        Raises:
            TimeoutError: the object has not appeared.
            ApiError: the API refused the watch.
        """
        query = urlencode(
            {"watch": 1, "fieldSelector": f"metadata.name={name}", "timeoutSeconds": seconds}
        )
        # A watch that starts without a version begins with what is there already.
        with self._answer("GET", f"{collection}?{query}", None, seconds=2 * seconds) as answer:
            first = answer.readline()
            if answer.status != HTTPStatus.OK:
                raise _refused("GET", collection, answer.status, first)
        if not first:
            raise TimeoutError(f"no {name} in {self.server}{collection} after {seconds} s")

    def _send(self, method: str, path: str, body: Any) -> tuple[int, bytes]:
        with self._answer(method, path, body, seconds=_REQUEST_SECONDS) as answer:
            return answer.status, answer.read()

    @contextlib.contextmanager
    def _answer(
        self, method: str, path: str, body: Any, *, seconds: int
    ) -> Iterator[http.client.HTTPResponse]:
        address = urlsplit(self.server)
        connection = http.client.HTTPSConnection(
            address.hostname or "", address.port, context=self.tls, timeout=seconds
        )
        try:
            content = None if body is None else json.dumps(body)
            headers = {"Content-Type": "application/json"}
            if self.token is not None:
                headers["Authorization"] = f"Bearer {self.token}"
            connection.request(method, path, content, headers)
            yield connection.getresponse()
        except http.client.HTTPException as error:
            # A server that is going away may close the connection in the middle of an answer.
            raise ConnectionError(f"{method} {self.server}{path}: {error!r}") from error
        finally:
            connection.close()


def _refused(method: str, path: str, status: int, body: bytes) -> ApiError:
    text = body.decode(errors="replace")
    # The API says why in a Status object; a proxy or a crash may say it in plain words.
    with contextlib.suppress(ValueError, KeyError, TypeError):
        text = json.loads(text)["message"]
    return ApiError(f"{method} {path} was answered with {status}: {text}", status=status)
