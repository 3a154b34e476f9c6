"""The control API: paths, parameters, and what they call."""

import json
import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from oci_emulator import lags
from oci_emulator.clock import timestamp
from oci_emulator.control.file_systems import FileSystemControl
from oci_emulator.control.overview import OverviewControl
from oci_emulator.control.runs import RunControl
from oci_emulator.control.secrets import SecretControl
from oci_emulator.control.users import UserControl
from oci_emulator.datascience.plans import Plans
from oci_emulator.foundation import Foundation
from oci_emulator.jsontypes import JsonObject, compact
from oci_emulator.principals.verdicts import Verdicts
from oci_emulator.principals.workloads import Workloads
from oci_emulator.server.errors import ServiceError, invalid, no_such_path, unparsable
from oci_emulator.server.faults import Faults
from oci_emulator.server.journal import Filter, Journal
from oci_emulator.server.routing import Router, UnreadablePath, parameters

PREFIX = "/_emulator/"
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
_LONGEST_WAIT = 600.0
_JOURNAL_LIMIT = 1000

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlCall:
    """A request for the control API."""

    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Any


Handler = Callable[[ControlCall], Any | Awaitable[Any]]


class ControlApi:
    """Answers requests below ``/_emulator/``."""

    def __init__(
        self,
        *,
        foundation: Foundation,
        journal: Journal,
        faults: Faults,
        plans: Plans,
        verdicts: Verdicts,
        runs: RunControl,
        users: UserControl,
        secrets: SecretControl,
        file_systems: FileSystemControl,
        workloads: Workloads,
        overview: OverviewControl,
    ) -> None:
        self._foundation = foundation
        self._journal = journal
        self._faults = faults
        self._plans = plans
        self._verdicts = verdicts
        self._workloads = workloads
        self._router: Router[tuple[Handler, list[str]]] = Router()
        routes: list[tuple[str, str, Handler]] = [
            ("GET", "health", self._health),
            ("GET", "journal", self._read_journal),
            ("DELETE", "journal", self._clear_journal),
            ("GET", "journal/counts", self._journal_counts),
            ("GET", "faults", self._list_faults),
            ("POST", "faults", self._add_fault),
            ("DELETE", "faults", self._clear_faults),
            ("DELETE", "faults/{id}", self._remove_fault),
            ("GET", "mode", self._get_mode),
            ("PUT", "mode", self._put_mode),
            ("GET", "clock", self._get_clock),
            ("PUT", "clock", self._put_clock),
            ("GET", "rules", self._get_rules),
            ("PUT", "rules", self._put_rules),
            ("GET", "policies", self._get_policies),
            ("PUT", "policies", self._put_policies),
            ("PUT", "compartments/{id}", self._put_compartment),
            ("POST", "users", users.add),
            ("PUT", "secrets/{name}", secrets.put),
            ("PUT", "file-systems/{address}", file_systems.put),
            ("PUT", "clusters/{id}", self._put_cluster),
            ("GET", "overview", overview.overview),
            ("GET", "runs/{id}", runs.get),
            ("GET", "runs/{id}/log", overview.log),
            ("GET", "runs/{id}/metrics", overview.metrics),
            ("POST", "runs/{id}", runs.change),
        ]
        for method, template, handler in routes:
            path = f"{PREFIX}{template}"
            self._router.add(method, path, (handler, list(parameters(path))))

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        try:
            _check_origin(request)
            status, body = 200, await self._answer(request)
        except ServiceError as error:
            status, body = error.status, error.body
        except Exception:
            _logger.exception("%s %s failed", request.method, request.raw_path)
            status, body = 500, {"code": "InternalServerError", "message": "See the log."}
        self._foundation.database.commit()
        return web.Response(
            status=status, body=compact(body).encode(), content_type="application/json"
        )

    async def _answer(self, request: web.BaseRequest) -> Any:
        path = request.raw_path.partition("?")[0]
        try:
            found = self._router.find(request.method, path)
        except UnreadablePath as error:
            raise unparsable(str(error)) from None
        if found is None:
            raise no_such_path(f"The control API has no {request.method} {path}.")
        (handler, names), values = found
        content = await request.content.read()
        try:
            body = json.loads(content) if content else {}
        except ValueError as error:
            raise unparsable(f"The body is no JSON: {error}") from None
        if not isinstance(body, dict):
            raise unparsable("The body must be a JSON object.")
        call = ControlCall(
            path=dict(zip(names, values, strict=True)), query=dict(request.query), body=body
        )
        try:
            answer = handler(call)
            return await answer if isinstance(answer, Awaitable) else answer
        except ValueError as error:
            raise invalid(str(error)) from None

    def _put_cluster(self, call: ControlCall) -> JsonObject:
        key_set = call.body.get("jwks")
        if not isinstance(key_set, dict):
            raise ValueError(  # noqa: TRY004  # it is answered 400
                "jwks: the key set of the cluster, as /openid/v1/jwks shows it"
            )
        self._workloads.put(call.path["id"], key_set)
        return {"id": call.path["id"]}

    def _health(self, call: ControlCall) -> JsonObject:  # noqa: ARG002  # a handler like others
        return {
            "status": "ok",
            "pid": os.getpid(),
            "tenancy": self._foundation.tenancy.id,
            "journal": self._journal.last(),
        }

    async def _read_journal(self, call: ControlCall) -> JsonObject:
        query = call.query
        _only(
            query,
            "operation",
            "service",
            "principal",
            "resource",
            "status",
            "since",
            "limit",
            "wait",
        )
        wanted = Filter(
            operation=query.get("operation", ""),
            service=query.get("service", ""),
            principal=query.get("principal", ""),
            resource=query.get("resource", ""),
            status=int(query["status"]) if "status" in query else None,
            since=int(query.get("since", 0)),
        )
        limit = int(query.get("limit", _JOURNAL_LIMIT))
        wait = min(float(query.get("wait", 0)), _LONGEST_WAIT)
        entries = (
            await self._journal.wait(wanted, limit, wait)
            if wait
            else self._journal.find(wanted, limit)
        )
        return {"entries": entries, "last": self._journal.last()}

    def _clear_journal(self, call: ControlCall) -> JsonObject:  # noqa: ARG002  # likewise
        self._journal.clear()
        return {"last": self._journal.last()}

    def _journal_counts(self, call: ControlCall) -> JsonObject:
        _only(call.query, "since")
        return {"counts": self._journal.counts(int(call.query.get("since", 0)))}

    async def _list_faults(self, call: ControlCall) -> JsonObject:
        _only(call.query, "wait")
        await self._faults.wait(min(float(call.query.get("wait", 0)), _LONGEST_WAIT))
        return self._shown_faults()

    def _shown_faults(self) -> JsonObject:
        return {"faults": [fault.as_json() for fault in self._faults.all()]}

    def _add_fault(self, call: ControlCall) -> JsonObject:
        return self._faults.add(call.body).as_json()

    def _clear_faults(self, call: ControlCall) -> JsonObject:  # noqa: ARG002  # likewise
        self._faults.clear()
        return self._shown_faults()

    def _remove_fault(self, call: ControlCall) -> JsonObject:
        if not self._faults.remove(int(call.path["id"])):
            raise no_such_path(f"There is no fault {call.path['id']}.")
        return self._shown_faults()

    def _get_mode(self, call: ControlCall) -> JsonObject:  # noqa: ARG002  # likewise
        profile = self._foundation.profile
        return {
            **self._plans.as_json(),
            "profile": profile.name,
            "lags": lags.as_json(profile.lags),
        }

    def _put_mode(self, call: ControlCall) -> JsonObject:
        _only(call.body, "mode", "plans", "default", "profile")
        self._plans.set(call.body)
        if "profile" in call.body:
            self._foundation.profile.select(call.body["profile"])
        database = self._foundation.database
        database.set_fact("profile", self._foundation.profile.name)
        database.set_fact("plans", compact(self._plans.as_json()))
        return self._get_mode(call)

    def _get_clock(self, call: ControlCall) -> JsonObject:  # noqa: ARG002  # likewise
        clock = self._foundation.clock
        now = clock.now()
        return {"now": timestamp(now), "seconds": now, "rate": clock.rate}

    def _put_clock(self, call: ControlCall) -> JsonObject:
        _only(call.body, "advance", "rate")
        clock = self._foundation.clock
        if "rate" in call.body:
            clock.set_rate(float(call.body["rate"]))
        if "advance" in call.body:
            clock.advance(float(call.body["advance"]))
        reading = clock.reading
        self._foundation.database.set_fact(
            "clock", compact([reading.real, reading.shown, reading.rate])
        )
        return self._get_clock(call)

    def _get_rules(self, call: ControlCall) -> JsonObject:  # noqa: ARG002  # likewise
        return self._foundation.rules.as_json()

    def _put_rules(self, call: ControlCall) -> JsonObject:
        book = self._foundation.book
        book.rules = book.rules.with_values(call.body)
        self._foundation.database.set_fact("rules", compact(book.rules.as_json()))
        return self._get_rules(call)

    def _get_policies(self, call: ControlCall) -> JsonObject:  # noqa: ARG002  # likewise
        return self._verdicts.policies.as_json()

    def _put_policies(self, call: ControlCall) -> JsonObject:
        _only(call.body, "statements", "dynamicGroups")
        if "statements" not in call.body:
            raise ValueError("statements: are required")
        self._verdicts.set_policies(call.body)
        return self._get_policies(call)

    def _put_compartment(self, call: ControlCall) -> JsonObject:
        _only(call.body, "name", "description", "compartmentId")
        compartments = self._foundation.compartments
        identifier = call.path["id"]
        found = compartments.get(identifier)
        if found is None:
            parent = call.body.get("compartmentId", self._foundation.tenancy.id)
            name = call.body.get("name", identifier.rpartition(".")[2][:100])
            found = compartments.add(
                name=name,
                description=call.body.get("description", name),
                parent=parent,
                created=self._foundation.clock.now(),
                identifier=identifier,
            )
        return found.body


def _only(given: Mapping[str, Any], *known: str) -> None:
    if unknown := given.keys() - set(known):
        raise ValueError(f"{min(unknown)!r} is unknown here; known are {', '.join(known)}")


def _check_origin(request: web.BaseRequest) -> None:
    """Refuse what a web page might send through a browser: the API is unsigned.

    Raises:
        ServiceError: 403.
    """
    host = request.host.rpartition(":")[0] if not request.host.endswith("]") else request.host
    if (host or request.host) not in _LOOPBACK or "origin" in request.headers:
        raise ServiceError(403, "Forbidden", "The control API is for clients on this machine.")
