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

or, where each test needs an emulator that nothing was done with before, a pool: it starts as many as
are used at a time, and resets them::

    @pytest.fixture(scope="session")
    def emulators(tmp_path_factory):
        with EmulatorPool(tmp_path_factory.mktemp("oci")) as pool:
            yield pool


    @pytest.fixture
    def emulator(emulators):
        with emulators.take(mode="simulated", rules={"oracle_tags": False}) as emulator:
            yield emulator
"""

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Literal, Protocol, Self

from typing_extensions import override

from oci_emulator.clients.control import ControlClient, EmulatorError, JournalEntry, User
from oci_emulator.clients.environment import changed, variables

if TYPE_CHECKING:
    import pytest

__all__ = [
    "Emulator",
    "EmulatorError",
    "EmulatorPool",
    "JournalEntry",
    "User",
    "emulator_fixture",
]

_START_SECONDS = 60.0
_STOP_SECONDS = 30.0


class Process(Protocol):
    """What is asked of a process: a part of `subprocess.Popen`."""

    @property
    def stdout(self) -> IO[str] | None:
        """What it prints, as text."""

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Await its end."""

    def terminate(self) -> None:
        """Ask it to end."""

    def kill(self) -> None:
        """Kill it."""

    def communicate(self) -> tuple[str | None, str | None]:
        """Read what it prints, and await its end."""


Launch = Callable[..., Process]
"""What starts a process: `subprocess.Popen`, or what takes the same arguments."""


@dataclass(slots=True, kw_only=True)
class _Started:
    process: Process
    announcement: dict[str, Any] = field(default_factory=dict)


class Emulator(ControlClient):
    """An emulator in a process of its own.

    Args:
        state: its state directory; one that was used before is taken up again.
        mode: how runs are executed; process if the state says nothing else.
        profile: how long things take; fast if the state says nothing else.
        rules: rules of the services, by name.
        places: how many processes of runs there may be at a time.
        region: home region of the tenancy.
        namespace: of Object Storage; a random one by default.
        cache: where conda environments are kept.
        oke_port: where pods of OKE ask for tokens; the real one is 12250.
        engine: the command of the container engine, with options.
        spark: a Python that has pyspark.
        journal_bodies: keep the JSON that clients send in the journal.
        log: where its messages go; by default to ``emulator.log`` in the state directory.
        launch: what starts its process.
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
        namespace: str | None = None,
        cache: Path | None = None,
        journal_bodies: bool = False,
        engine: str | None = None,
        oke_port: int | None = None,
        spark: Path | None = None,
        log: Path | None = None,
        launch: Launch = subprocess.Popen,
    ) -> None:
        self._launch = launch
        self.state = state
        self.log = log or state / "emulator.log"
        self._cache = cache
        options: dict[str, object | None] = {
            "--mode": mode,
            "--profile": profile,
            "--places": places,
            "--region": region,
            "--namespace": namespace,
            "--oke-port": oke_port,
            "--engine": engine,
            "--spark": spark,
        }
        self._arguments = [
            *(str(part) for pair in options.items() if pair[1] is not None for part in pair),
            *(
                part
                for name, value in (rules or {}).items()
                for part in ("--rule", f"{name}={value}")
            ),
            *(["--journal-bodies"] if journal_bodies else []),
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
            process = self._launch(
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
            process.communicate()
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

    @property
    def runs(self) -> bool:
        """Whether its process is there: it was started, and has not ended since, however."""
        return self._started is not None and self._started.process.poll() is None

    @override
    def reset(self, **options: Any) -> dict[str, Any]:
        if self._started is None:
            raise EmulatorError("this emulator doesn't run")
        self._started.announcement = super().reset(**options)
        return self._started.announcement

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
    @override
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
        changes = variables(proxy=self.proxy, ca=self.ca, config=self.config)
        return changed(os.environ if base is None else base, changes)


class EmulatorPool:
    """Emulators that are used one after the other, and are as if fresh each time.

    A reset takes a hundredth of what a start takes. Ports, certificate authority, tenancy,
    administrator and project of an emulator stay the same; see ``Emulator.reset``.

    Args:
        directory: where their state directories and logs are.
        options: of each ``Emulator``.
    """

    def __init__(self, directory: Path, **options: Any) -> None:
        self._directory = directory
        self._options = options
        self._idle: list[Emulator] = []
        self._started = 0

    @contextmanager
    def take(self, **options: Any) -> Iterator[Emulator]:
        """An emulator for as long as the block takes; what runs in it then is ended.

        Args:
            options: those of ``Emulator.reset``.

        Raises:
            EmulatorError: an option can't be used, or no emulator can be started.
        """
        emulator = self._idle.pop() if self._idle else self._start()
        try:
            emulator.reset(**options)
            yield emulator
        finally:
            self._give_back(emulator)

    def close(self) -> None:
        """Stop those that are not in use."""
        while self._idle:
            self._idle.pop().stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _start(self) -> Emulator:
        self._started += 1
        own = self._directory / f"emulator-{self._started}"
        options = {"log": own.with_suffix(".log"), **self._options}
        self._directory.mkdir(parents=True, exist_ok=True)
        return Emulator(own, **options).start()

    def _give_back(self, emulator: Emulator) -> None:
        if not emulator.runs:
            # Its user has stopped or killed it.
            emulator.stop()
            return
        emulator.reset()
        self._idle.append(emulator)


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
