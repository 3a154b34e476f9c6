"""Startup probes: a command that tells whether what runs on a node is ready."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

_PERIOD_SECONDS = 10
_FAILURES = 3
_INITIAL_DELAY_SECONDS = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A command that is tried until it succeeds, or has failed too often.

    Attributes:
        period: seconds between two tries, and how long one may take.
        failures: after how many it is given up.
        initial_delay: seconds until the first try.
    """

    command: tuple[str, ...]
    period: float = _PERIOD_SECONDS
    failures: int = _FAILURES
    initial_delay: float = _INITIAL_DELAY_SECONDS

    @classmethod
    def of(cls, configuration: Mapping[str, Any]) -> Self | None:
        """The probe of a job configuration, if it has one."""
        details = configuration.get("startupProbeDetails")
        if details is None:
            return None
        return cls(
            command=tuple(details["command"]),
            period=details.get("periodInSeconds", _PERIOD_SECONDS),
            failures=details.get("failureThreshold", _FAILURES),
            initial_delay=details.get("initialDelayInSeconds", _INITIAL_DELAY_SECONDS),
        )

    async def succeeds(
        self,
        *,
        directory: Path,
        environment: Mapping[str, str],
        sleep: Callable[[float], Awaitable[None]],
        over: Callable[[], bool],
    ) -> bool:
        """Try it as often as it may fail; whether it succeeded once.

        ``over``: whether what it probes has ended, and nothing is to be probed any more.
        """
        await sleep(self.initial_delay)
        for failed in range(self.failures):
            if failed:
                await sleep(self.period)
            if over() or await self._try(directory, environment):
                return True
        return False

    async def _try(self, directory: Path, environment: Mapping[str, str]) -> bool:
        try:
            process = await asyncio.create_subprocess_exec(
                *self.command,
                cwd=directory,
                env=dict(environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError:
            # There is no such command, which is a failure like others.
            return False
        try:
            async with asyncio.timeout(max(self.period, 1)):
                return await process.wait() == 0
        except TimeoutError:
            return False
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
