"""An emulator: a state directory, the services on it, and the ports that they are reached at."""

import errno
import json
import logging
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from oci_emulator import page
from oci_emulator.control.api import PREFIX, ControlApi
from oci_emulator.control.file_systems import FileSystemControl
from oci_emulator.control.overview import OverviewControl
from oci_emulator.control.runs import RunControl
from oci_emulator.control.secrets import SecretControl
from oci_emulator.control.users import UserControl, make_user
from oci_emulator.dataflow.execution import Execution as FlowExecution
from oci_emulator.dataflow.staging import Staging
from oci_emulator.datascience.bootstrap import Bootstrap
from oci_emulator.datascience.execution import Execution
from oci_emulator.datascience.metering import Metering
from oci_emulator.datascience.progression import JOB
from oci_emulator.datascience.published import PublishedPacks
from oci_emulator.jsontypes import compact
from oci_emulator.principals.directory import Directory
from oci_emulator.principals.instances import PREFIX as INSTANCE_METADATA
from oci_emulator.principals.instances import Instance
from oci_emulator.principals.tokens import TokenService
from oci_emulator.principals.verdicts import Verdicts
from oci_emulator.principals.workloads import Workloads
from oci_emulator.proxy.authority import Authority
from oci_emulator.proxy.connect import ConnectProxy
from oci_emulator.resources import Selection
from oci_emulator.running.conda import CondaEnvironments, default_cache
from oci_emulator.running.containers import Engine
from oci_emulator.running.environment import Network
from oci_emulator.running.process import Processes
from oci_emulator.running.spark import connector_directory
from oci_emulator.server.dispatch import Dispatch
from oci_emulator.server.faults import Faults
from oci_emulator.server.federation import WORKLOAD, X509, Federation
from oci_emulator.server.journal import Journal
from oci_emulator.server.pipeline import Pipeline
from oci_emulator.server.retry_tokens import RetryTokens
from oci_emulator.services import build
from oci_emulator.settings import HOST, Settings, StartError
from oci_emulator.statedir import StateDirectory

_PLACES_PER_CORE = 2
_SHUTDOWN_SECONDS = 2.0
"""How long requests may go on when the emulator stops; who waits for the journal waits longer."""
_PROJECT_NAME = "emulator"

_logger = logging.getLogger(__name__)


class Emulator:
    """A local cloud.

    Raises:
        StartError: another emulator has the directory, or a setting can't be used.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._state = StateDirectory(settings)
        foundation = self._state.foundation
        self._services = build(foundation, self._state.plans)
        self._tokens = TokenService(self._state.token_key(), foundation.tenancy.id)
        self._directory = Directory(foundation.resources, self._tokens, foundation.tenancy.id)
        self._journal = Journal(foundation.database, bodies=settings.journal_bodies)
        self._faults = Faults()
        self._verdicts = Verdicts(
            foundation.database,
            foundation.clock,
            foundation.compartments,
            lambda: foundation.lags.iam,
        )
        self._authority = Authority(settings.state)
        self._workloads = Workloads(foundation.database, foundation.tenancy.id)
        self._instance = Instance(
            settings.state / "instance",
            self._authority,
            tenancy=foundation.tenancy.id,
            region=foundation.tenancy.region,
            new_ocid=foundation.new_ocid,
        )
        self._federation = Federation(
            tokens=self._tokens,
            authority=self._authority,
            instance=self._instance,
            workloads=self._workloads,
            book=foundation.book,
        )
        self._dispatch = Dispatch(
            endpoints=self._services.endpoints,
            database=foundation.database,
            book=foundation.book,
            gate=self._verdicts,
            journal=self._journal,
            retry_tokens=RetryTokens(foundation.database, foundation.book),
        )
        self._services.schedules.attach(self._dispatch.perform)
        self._services.dataflow.files.attach(self._dispatch.perform)
        self._pipeline = self._make_pipeline()
        self._server = web.Server(self._serve, access_log=None, auto_decompress=False)
        self._runner = web.ServerRunner(self._server, shutdown_timeout=_SHUTDOWN_SECONDS)
        self._proxy = ConnectProxy(self._authority, self._server)
        self._execution: Execution | None = None
        self._flow: FlowExecution | None = None
        self._control: ControlApi | None = None

    async def start(self) -> dict[str, Any]:
        """Start everything; what clients need to know."""
        first = self._first_start()
        self._sweep()
        http_port, proxy_port = await self._listen()
        proxy = f"http://{HOST}:{proxy_port}"
        self._execution = self._make_execution(proxy)
        self._flow = self._make_flow(f"http://{HOST}:{http_port}", proxy)
        self._control = self._make_control(self._execution, self._flow, first["config"])
        foundation = self._state.foundation
        foundation.timers.start()
        self._execution.recover()
        self._flow.recover()
        foundation.database.commit()
        return {
            "http": f"http://{HOST}:{http_port}",
            "proxy": proxy,
            "ca": str(self._authority.certificate_path),
            **first,
            "tenancy": foundation.tenancy.id,
            "region": foundation.tenancy.region,
            "namespace": foundation.tenancy.namespace,
            "pid": os.getpid(),
        }

    async def stop(self) -> None:
        """Stop everything: processes of runs are ended, and no state is changed for it."""
        await self._proxy.close()
        self._state.foundation.timers.stop()
        if self._execution is not None:
            await self._execution.close()
        if self._flow is not None:
            await self._flow.close()
        await self._runner.cleanup()
        self._state.close()

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path in {X509, WORKLOAD}:
            return await self._federation(request)
        if request.path.startswith(INSTANCE_METADATA) and not request.secure:
            return self._instance.metadata(request)
        if page.serves(request) and not request.secure:
            return page.answer(request)
        # Not through the proxy: the control API is no service of the cloud.
        if request.raw_path.startswith(PREFIX) and not request.secure and self._control:
            return await self._control(request)
        return await self._pipeline(request)

    def _make_pipeline(self) -> Pipeline:
        foundation = self._state.foundation
        return Pipeline(
            endpoints=self._services.endpoints,
            database=foundation.database,
            clock=foundation.clock,
            book=foundation.book,
            directory=self._directory,
            gate=self._verdicts,
            journal=self._journal,
            faults=self._faults,
            dispatch=self._dispatch,
            region=foundation.tenancy.region,
        )

    def _make_execution(self, proxy: str) -> Execution:
        foundation = self._state.foundation
        cache = self._settings.cache or default_cache()
        bootstrap = Bootstrap(
            foundation,
            tokens=self._tokens,
            environments=CondaEnvironments(cache, lambda line: _logger.info("conda: %s", line)),
            published=PublishedPacks(
                self._dispatch.perform,
                now=foundation.clock.now,
                tenancy=foundation.tenancy.id,
                region=foundation.tenancy.region,
            ),
            engine=Engine.of(self._settings.engine, self._settings.engine_options),
            directory=self._settings.state / "runs",
            network=Network(proxy=proxy, authority=self._authority.certificate_path),
        )
        return Execution(
            foundation,
            self._services.progression,
            bootstrap=bootstrap,
            metering=Metering(foundation, self._services.metrics),
            processes=Processes(),
            places=self._settings.places or _PLACES_PER_CORE * (os.cpu_count() or 1),
        )

    def _make_flow(self, http: str, proxy: str) -> FlowExecution:
        foundation = self._state.foundation
        flow = self._services.dataflow
        staging = Staging(
            foundation,
            files=flow.files,
            tokens=self._tokens,
            python=self._settings.spark or Path(sys.executable),
            connector=connector_directory(self._settings.cache or default_cache()),
            directory=self._settings.state / "runs",
            network=Network(proxy=proxy, authority=self._authority.certificate_path),
            endpoint=http,
        )
        flow.logs.attach(staging.logs_of)
        places = self._settings.places or os.cpu_count() or 1
        return FlowExecution(foundation, flow.progression, staging=staging, places=places)

    def _make_control(self, execution: Execution, flow: FlowExecution, config: str) -> ControlApi:
        foundation = self._state.foundation
        return ControlApi(
            foundation=foundation,
            journal=self._journal,
            faults=self._faults,
            plans=self._state.plans,
            verdicts=self._verdicts,
            runs=RunControl(
                foundation,
                self._services.progression,
                execution,
                self._services.dataflow.progression,
                flow,
            ),
            users=UserControl(foundation, self._directory, self._settings.state),
            secrets=SecretControl(foundation, self._services.secrets),
            file_systems=FileSystemControl(foundation),
            workloads=self._workloads,
            overview=OverviewControl(
                foundation,
                progression=self._services.progression,
                plans=self._state.plans,
                entries=self._services.entries,
                metrics=self._services.metrics,
                config=Path(config),
            ),
        )

    def _first_start(self) -> dict[str, str]:
        """The user and the project that are there from the beginning."""
        database = self._state.database
        remembered = database.fact("first start")
        if remembered is not None:
            first: dict[str, str] = json.loads(remembered)
            return first
        foundation = self._state.foundation
        user = make_user(
            foundation, self._directory, self._settings.state, "admin", ["Administrators"]
        )
        details = {"displayName": _PROJECT_NAME, "compartmentId": foundation.tenancy.id}
        now = foundation.clock.now()
        project = self._services.projects.add(details, user["id"], now)
        first = {"config": user["config"], "user": user["id"], "project": project.id}
        database.set_fact("first start", compact(first))
        return first

    def _sweep(self) -> None:
        """Remove content that a kill left without a record."""
        foundation = self._state.foundation
        jobs = foundation.resources.select(Selection(kind=JOB))
        artifacts = {job.inner["artifact"]["content"] for job in jobs if "artifact" in job.inner}
        foundation.content.sweep(frozenset(artifacts | self._services.objects.contents()))

    async def _listen(self) -> tuple[int, int]:
        """Take both ports: those that were asked for, else those of the last time, else any."""
        await self._runner.setup()
        database = self._state.database
        last = json.loads(database.fact("ports") or "[0, 0]")
        http_port = await self._listen_http(self._settings.http_port, last[0])
        proxy_port = await self._listen_proxy(self._settings.proxy_port, last[1])
        database.set_fact("ports", compact([http_port, proxy_port]))
        if self._settings.oke_port:
            await self._listen_oke(self._settings.oke_port)
        return http_port, proxy_port

    async def _listen_http(self, wanted: int, last: int) -> int:
        async def listen(port: int) -> int:
            site = web.TCPSite(self._runner, HOST, port)
            await site.start()
            return int(self._runner.addresses[0][1])

        return await _first_free(listen, wanted, last)

    async def _listen_oke(self, port: int) -> None:
        context = self._authority.context(HOST)
        try:
            await web.TCPSite(self._runner, HOST, port, ssl_context=context).start()
        except OSError as error:
            raise StartError(f"port {port} can't be listened on: {error.strerror}") from None

    async def _listen_proxy(self, wanted: int, last: int) -> int:
        return await _first_free(lambda port: self._proxy.start(HOST, port), wanted, last)


async def _first_free(listen: Callable[[int], Awaitable[int]], wanted: int, last: int) -> int:
    """Listen at the wanted port, or if any will do, at the last one or another."""
    for port in [wanted] if wanted else [last, 0]:
        try:
            return await listen(port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
    raise StartError(f"port {wanted} is taken")
