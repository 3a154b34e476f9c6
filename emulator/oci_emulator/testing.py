"""An emulator for tests: a real process, and typed access to its control API.

::

    with Emulator(tmp_path / "oci", mode="simulated") as emulator:
        client = DataScienceClient(
            oci.config.from_file(emulator.config), service_endpoint=emulator.http
        )
        ...
        created = emulator.wait_for("CreateJobRun")
        emulator.advance(3600)

or, with pytest, in ``conftest.py``::

    emulator = emulator_fixture(mode="simulated")
"""

import json
import os
import queue
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Literal, Self
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    import pytest

_START_SECONDS = 60.0
_STOP_SECONDS = 30.0
_ANSWER_SECONDS = 60.0
_PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
_AUTHORITY_VARIABLES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE")


class EmulatorError(Exception):
    """The emulator didn't start, or its control API refused something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """A request for a service, as the emulator saw it."""

    seq: int
    time: str
    service: str
    operation: str
    principal: str
    method: str
    path: str
    query: str
    status: int
    code: str
    retry_token: str
    replayed: bool
    resource_id: str
    opc_request_id: str
    bytes_in: int
    bytes_out: int
    fault: str


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A further user, with a config file of its own."""

    id: str
    name: str
    groups: tuple[str, ...]
    fingerprint: str
    key_file: Path
    config: Path


@dataclass(slots=True, kw_only=True)
class _Started:
    process: "subprocess.Popen[str]"
    announcement: dict[str, Any] = field(default_factory=dict)


class Emulator:
    """An emulator in a process of its own.

    Args:
        state: its state directory; one that was used before is taken up again.
        mode: how runs are executed; process if the state says nothing else.
        profile: how long things take; fast if the state says nothing else.
        rules: rules of the services, by name.
        places: how many processes of runs there may be at a time.
        cache: where conda environments are kept.
        log: where its messages go; by default to ``emulator.log`` in the state directory.
    """

    def __init__(
        self,
        state: Path,
        *,
        mode: Literal["process", "simulated"] | None = None,
        profile: Literal["fast", "realistic"] | None = None,
        rules: Mapping[str, object] | None = None,
        places: int | None = None,
        region: str | None = None,
        cache: Path | None = None,
        log: Path | None = None,
    ) -> None:
        self.state = state
        self.log = log or state / "emulator.log"
        self._cache = cache
        options: dict[str, object | None] = {
            "--mode": mode,
            "--profile": profile,
            "--places": places,
            "--region": region,
        }
        self._arguments = [
            *(str(part) for pair in options.items() if pair[1] is not None for part in pair),
            *(
                part
                for name, value in (rules or {}).items()
                for part in ("--rule", f"{name}={value}")
            ),
        ]
        self._started: _Started | None = None

    # The process

    def start(self) -> Self:
        """Start it and wait until it is ready.

        Raises:
            EmulatorError: it ended instead, or said nothing for a minute.
        """
        if self._started is not None:
            raise EmulatorError("this emulator runs already")
        self.state.mkdir(parents=True, exist_ok=True)
        environment = dict(os.environ)
        if self._cache is not None:
            environment["OCI_EMULATOR_CACHE"] = str(self._cache)
        with self.log.open("a") as log:
            process = subprocess.Popen(  # noqa: S603  # our own program
                [
                    *(sys.executable, "-m", "oci_emulator", "serve", "--state", str(self.state)),
                    *self._arguments,
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=environment,
            )
        started = _Started(process=process)
        line = _first_line(process.stdout, _START_SECONDS)
        if not line:
            process.kill()
            process.wait()
            raise EmulatorError(f"the emulator didn't start: {self.log.read_text()[-2000:]}")
        started.announcement = json.loads(line)
        self._started = started
        return self

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        self._end("terminate")

    def kill(self) -> None:
        """Kill it, as a crash would."""
        self._end("kill")

    def _end(self, how: Literal["terminate", "kill"]) -> None:
        if self._started is None:
            return
        process, self._started = self._started.process, None
        if how == "kill":
            process.kill()
        else:
            process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise EmulatorError(
                f"the emulator didn't end in {_STOP_SECONDS} s: {self.log.read_text()[-2000:]}"
            ) from None
        finally:
            if process.stdout is not None:
                process.stdout.close()

    def restart(self) -> Self:
        """Stop it and start it again on the same state and ports."""
        self.stop()
        return self.start()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    # What it announced

    def _announced(self, name: str) -> Any:
        if self._started is None:
            raise EmulatorError("this emulator doesn't run")
        return self._started.announcement[name]

    @property
    def http(self) -> str:
        """The URL of all services."""
        return str(self._announced("http"))

    @property
    def proxy(self) -> str:
        """The URL of the proxy for the real host names."""
        return str(self._announced("proxy"))

    @property
    def ca(self) -> Path:
        """The certificate of the authority behind the proxy."""
        return Path(self._announced("ca"))

    @property
    def config(self) -> Path:
        """An OCI config file, whose DEFAULT profile is an administrator."""
        return Path(self._announced("config"))

    @property
    def tenancy(self) -> str:
        """The OCID of the tenancy, which is the root compartment."""
        return str(self._announced("tenancy"))

    @property
    def user(self) -> str:
        """The OCID of the administrator."""
        return str(self._announced("user"))

    @property
    def project(self) -> str:
        """The OCID of a project in the root compartment."""
        return str(self._announced("project"))

    @property
    def region(self) -> str:
        """The home region."""
        return str(self._announced("region"))

    @property
    def namespace(self) -> str:
        """The namespace of Object Storage."""
        return str(self._announced("namespace"))

    @property
    def pid(self) -> int:
        """The process."""
        return int(self._announced("pid"))

    def environment(self, base: Mapping[str, str] | None = None) -> dict[str, str]:
        """An environment in which unmodified clients use the emulator through its proxy.

        Args:
            base: what to add it to; by default this process's own environment.
        """
        environment = dict(os.environ if base is None else base)
        for name in _PROXY_VARIABLES:
            environment.pop(name, None)
            environment.pop(name.lower(), None)
        ours = {
            "HTTPS_PROXY": self.proxy,
            "NO_PROXY": "localhost,127.0.0.1",
            "OCI_CONFIG_FILE": str(self.config),
            **dict.fromkeys(_AUTHORITY_VARIABLES, str(self.ca)),
        }
        return environment | ours

    # The control API

    def control(self, method: str, path: str, body: object = None) -> Any:
        """Call the control API.

        Args:
            method: GET, PUT, POST or DELETE.
            path: below ``/_emulator/``.
            body: what to send as JSON.

        Raises:
            EmulatorError: it refused.
        """
        request = urllib.request.Request(  # noqa: S310  # a URL of our own
            f"{self.http}/_emulator/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
        )
        try:
            with _OPENER.open(request, timeout=_ANSWER_SECONDS) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            message = error.read().decode()
            raise EmulatorError(f"{method} {path}: {error.code} {message}") from None

    def journal(
        self,
        operation: str = "",
        *,
        service: str = "",
        principal: str = "",
        resource: str = "",
        status: int | None = None,
        since: int = 0,
        limit: int = 1000,
    ) -> list[JournalEntry]:
        """The entries of the journal that fit; patterns are those of the shell."""
        query = _query(
            operation=operation,
            service=service,
            principal=principal,
            resource=resource,
            status=status,
            since=since,
            limit=limit,
        )
        entries = self.control("GET", f"journal?{query}")["entries"]
        return [_entry(entry) for entry in entries]

    def last_seq(self) -> int:
        """The number of the newest entry; what comes later is ``since`` it."""
        return int(self.control("GET", "health")["journal"])

    def wait_for(
        self,
        operation: str = "",
        *,
        count: int = 1,
        service: str = "",
        principal: str = "",
        resource: str = "",
        status: int | None = None,
        since: int = 0,
        seconds: float = 60.0,
    ) -> list[JournalEntry]:
        """Wait until so many fitting requests have come, and give the entries.

        Raises:
            EmulatorError: they didn't come in time.
        """
        deadline = time.monotonic() + seconds
        found: list[JournalEntry] = []
        while len(found) < count:
            left = deadline - time.monotonic()
            if left <= 0:
                raise EmulatorError(
                    f"{len(found)} of {count} requests {operation!r} came in {seconds} s"
                )
            query = _query(
                operation=operation,
                service=service,
                principal=principal,
                resource=resource,
                status=status,
                since=found[-1].seq if found else since,
                wait=min(left, _ANSWER_SECONDS / 2),
            )
            entries = self.control("GET", f"journal?{query}")["entries"]
            found += [_entry(entry) for entry in entries]
        return found

    def counts(self, since: int = 0) -> dict[str, dict[str, int]]:
        """Operation -> status -> number of requests."""
        counts: dict[str, dict[str, int]] = self.control("GET", f"journal/counts?since={since}")[
            "counts"
        ]
        return counts

    def clear_journal(self) -> None:
        """Forget all entries; the numbering goes on."""
        self.control("DELETE", "journal")

    def add_fault(self, operation: str = "*", **fault: object) -> int:
        """Inject a fault: ``status`` and ``code``, ``delay``, or ``action`` drop or refuse.

        Gives the id by which it can be removed.
        """
        return int(self.control("POST", "faults", {"operation": operation, **fault})["id"])

    def remove_fault(self, identifier: int) -> None:
        """Remove one fault."""
        self.control("DELETE", f"faults/{identifier}")

    def clear_faults(self) -> None:
        """Remove all faults."""
        self.control("DELETE", "faults")

    def set_mode(
        self,
        mode: Literal["process", "simulated"] | None = None,
        *,
        plans: Sequence[Mapping[str, object]] | None = None,
        default: Mapping[str, object] | None = None,
        profile: Literal["fast", "realistic"] | None = None,
    ) -> None:
        """Change how later runs are executed; what is None stays."""
        wanted = {"mode": mode, "plans": plans, "default": default, "profile": profile}
        body = {name: value for name, value in wanted.items() if value is not None}
        self.control("PUT", "mode", body)

    def now(self) -> float:
        """The time on its clock, in seconds since the epoch."""
        return float(self.control("GET", "clock")["seconds"])

    def advance(self, seconds: float) -> None:
        """Let time pass at once."""
        self.control("PUT", "clock", {"advance": seconds})

    def set_rate(self, rate: float) -> None:
        """Let so many seconds pass in a real one; 0 stops the clock."""
        self.control("PUT", "clock", {"rate": rate})

    def rules(self) -> dict[str, Any]:
        """The rules in force."""
        rules: dict[str, Any] = self.control("GET", "rules")
        return rules

    def set_rules(self, **rules: object) -> None:
        """Change rules."""
        self.control("PUT", "rules", rules)

    def add_compartment(self, ocid: str, *, parent: str = "", name: str = "") -> None:
        """Make a compartment with a given OCID, if it isn't there."""
        wanted = {"compartmentId": parent, "name": name}
        body = {key: value for key, value in wanted.items() if value}
        self.control("PUT", f"compartments/{quote(ocid)}", body)

    def add_user(self, name: str = "user", groups: Sequence[str] = ("data-scientists",)) -> User:
        """Make a user with a key."""
        made = self.control("POST", "users", {"name": name, "groups": list(groups)})
        return User(
            id=made["id"],
            name=made["name"],
            groups=tuple(made["groups"]),
            fingerprint=made["fingerprint"],
            key_file=Path(made["keyFile"]),
            config=Path(made["config"]),
        )

    def policies(self) -> dict[str, Any]:
        """The policies: ``statements`` and ``dynamicGroups``."""
        policies: dict[str, Any] = self.control("GET", "policies")
        return policies

    def set_policies(
        self, statements: Sequence[str], dynamic_groups: Mapping[str, str] | None = None
    ) -> None:
        """Set other policies."""
        body: dict[str, object] = {"statements": list(statements)}
        if dynamic_groups is not None:
            body["dynamicGroups"] = dict(dynamic_groups)
        self.control("PUT", "policies", body)

    def run(self, ocid: str) -> dict[str, Any]:
        """A run from the inside: ``body``, ``mode``, ``pid``, ``directory``."""
        run: dict[str, Any] = self.control("GET", f"runs/{quote(ocid)}")
        return run

    def force_run(self, ocid: str, state: str, **details: object) -> None:
        """Put a run into a state, with ``lifecycleDetails`` or ``exitCode`` if wanted."""
        self.control("POST", f"runs/{quote(ocid)}", {"lifecycleState": state, **details})

    def remove_run(self, ocid: str) -> None:
        """Remove a run behind the client's back."""
        self.control("POST", f"runs/{quote(ocid)}", {"remove": True})


# Whatever proxies the environment names, the control API is on this machine.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _query(**parameters: object) -> str:
    return urlencode({key: value for key, value in parameters.items() if value not in {None, ""}})


def _entry(document: Mapping[str, Any]) -> JournalEntry:
    return JournalEntry(
        seq=document["seq"],
        time=document["time"],
        service=document["service"],
        operation=document["operation"],
        principal=document["principal"],
        method=document["method"],
        path=document["path"],
        query=document["query"],
        status=document["status"],
        code=document["code"],
        retry_token=document["retryToken"],
        replayed=document["replayed"],
        resource_id=document["resourceId"],
        opc_request_id=document["opcRequestId"],
        bytes_in=document["bytesIn"],
        bytes_out=document["bytesOut"],
        fault=document["fault"],
    )


def _first_line(stream: IO[str] | None, seconds: float) -> str:
    """The first line of a process's output; empty if none comes in time or at all."""
    if stream is None:
        return ""
    lines: queue.Queue[str] = queue.Queue()
    threading.Thread(target=lambda: lines.put(stream.readline()), daemon=True).start()
    with suppress(queue.Empty):
        return lines.get(timeout=seconds)
    return ""


def emulator_fixture(
    scope: Literal["session", "package", "module", "class", "function"] = "session",
    **options: Any,
) -> "Callable[[pytest.TempPathFactory], Iterator[Emulator]]":
    """A pytest fixture that is an emulator with these options, on a state directory of its own."""
    import pytest  # noqa: PLC0415  # only tests have it

    @pytest.fixture(scope=scope)
    def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
        with Emulator(tmp_path_factory.mktemp("oci") / "state", **options) as started:
            yield started

    return emulator
