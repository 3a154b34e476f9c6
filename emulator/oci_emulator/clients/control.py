"""A client of the control API, with types; needs the standard library alone."""

import json
import time
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, urlencode

_ANSWER_SECONDS = 60.0


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
    body: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A further user, with a config file of its own."""

    id: str
    name: str
    groups: tuple[str, ...]
    fingerprint: str
    key_file: Path
    config: Path


class ControlClient(ABC):
    """What tests ask of an emulator beside its services."""

    @property
    @abstractmethod
    def http(self) -> str:
        """The URL of all services."""

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

    def reset(
        self,
        *,
        mode: Literal["process", "simulated"] | None = None,
        profile: Literal["fast", "realistic"] | None = None,
        rules: Mapping[str, object] | None = None,
        places: int | None = None,
        namespace: str | None = None,
        journal_bodies: bool | None = None,
    ) -> dict[str, Any]:
        """Make it as if it had just been started; what it announces.

        All state, the journal, faults, the clock's offset and running runs are gone, and requests
        that have no answer yet are cut off. Ports, certificate authority, region, and tenancy,
        administrator and project with their OCIDs, key and config file are the same as before, so
        that clients which know them go on working.

        What is None is as the emulator's process was started with; ``rules`` are added to its.

        Raises:
            EmulatorError: an option can't be used; nothing has changed.
        """
        options: dict[str, object | None] = {
            "mode": mode,
            "profile": profile,
            "rules": None if rules is None else dict(rules),
            "places": places,
            "namespace": namespace,
            "journalBodies": journal_bodies,
        }
        body = {name: value for name, value in options.items() if value is not None}
        announcement: dict[str, Any] = self.control("POST", "reset", body)
        return announcement

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

    def wait_for_faults(self, seconds: float = _ANSWER_SECONDS / 2) -> None:
        """Wait until every fault has struck: the request that one struck may still be held by its delay.

        Raises:
            EmulatorError: one has not in time.
        """
        faults = self.control("GET", f"faults?wait={seconds}")["faults"]
        if idle := [fault["id"] for fault in faults if not fault["hits"]]:
            raise EmulatorError(f"faults {idle} have not struck in {seconds} s")

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

    def add_secret(self, name: str, content: str, *, compartment: str = "") -> str:
        """Make a Vault secret, or a new version of it; its OCID."""
        body = {"content": content} | ({"compartmentId": compartment} if compartment else {})
        made = self.control("PUT", f"secrets/{quote(name, safe='')}", body)
        return str(made["id"])

    def add_file_system(self, address: str, path: str) -> tuple[str, str]:
        """Make a mount target and an export that searches find; their OCIDs."""
        made = self.control("PUT", f"file-systems/{address}", {"path": path})
        return str(made["mountTargetId"]), str(made["exportId"])

    def add_cluster(self, ocid: str, jwks: Mapping[str, Any]) -> None:
        """Register a Kubernetes cluster by the keys that sign its service accounts' tokens."""
        self.control("PUT", f"clusters/{ocid}", {"jwks": jwks})

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

    def wait_for_run(
        self, ocid: str, *states: str, seconds: float = _ANSWER_SECONDS
    ) -> dict[str, Any]:
        """Wait until a run is in one of the states, or over if none is named.

        Raises:
            EmulatorError: it isn't in time.
        """
        wanted = states or ("SUCCEEDED", "FAILED", "CANCELED", "STOPPED")
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            wait = min(left, _ANSWER_SECONDS / 2)
            query = urlencode({"lifecycleState": ",".join(wanted), "wait": wait})
            run: dict[str, Any] = self.control("GET", f"runs/{quote(ocid)}?{query}")
            if run["body"]["lifecycleState"] in wanted:
                return run
        raise EmulatorError(f"{ocid} isn't {' or '.join(wanted)} after {seconds} s")

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
        body=document["body"],
    )
