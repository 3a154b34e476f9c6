"""The leader's Lease: who may write, and until when.

It works as client-go's elector, with two differences. It compares monotonic time of this machine, and never another
machine's clock. And the lease is checked before every write, so that a process that was suspended writes nothing late.

A thread of its own renews it, with a loop and a connection that do nothing else, so a busy loop of the workers does
not delay it. `check` and `leading` may be called in any thread.
Source: https://kubernetes.io/docs/concepts/architecture/leases/
"""

from __future__ import annotations

import asyncio
import logging
import random
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ocijobs.clock import Clock
from ocijobs.kube.client import ApiError, KubeClient
from ocijobs.kube.resources import lease_path

_LOG = logging.getLogger(__name__)


_AFTER_FAILURE = 0.3
"""Part of the normal pause that follows a failed renewal: there must be time for another try."""


class NotLeadingError(RuntimeError):
    """This process does not hold the lease, so it may not write."""


@dataclass(slots=True)
class _Observed:
    """Another holder's lease when it was last seen to change, in this machine's monotonic time."""

    version: str
    changed_at: float


class LeaderLease:
    """One term: takes the lease, renews it and gives it back. It knows whether this process may write.

    A lost term stays lost, so that no work of it passes `check` when the same process leads again.

    Args:
        client: asks the API server.
        clock: measures the lease.
        namespace: of the Lease.
        name: of the Lease.
        identity: of this process.
        duration_seconds: for how long others leave the lease alone.
        renew_seconds: pause between renewals.
    """

    def __init__(
        self,
        client: KubeClient,
        clock: Clock,
        *,
        namespace: str,
        name: str,
        identity: str,
        duration_seconds: float,
        renew_seconds: float,
    ) -> None:
        self._client = client
        self._clock = clock
        self._namespace, self._name, self._identity = namespace, name, identity
        self._duration, self._renew = duration_seconds, renew_seconds
        self._valid_until = float("-inf")
        self._over = False
        self._heard_at = float("-inf")
        self._observed: _Observed | None = None
        self._written: dict[str, Any] | None = None
        self._acquired = asyncio.Event()

    @property
    def leading(self) -> bool:
        """Whether this process holds the lease now."""
        return not self._over and self._clock.monotonic() < self._valid_until

    @property
    def in_touch(self) -> bool:
        """Whether the API server has answered about the lease lately, whoever holds it."""
        return self._clock.monotonic() - self._heard_at < 2 * self._duration

    def check(self) -> None:
        """Raise unless this process holds the lease now.

        Raises:
            NotLeadingError: if it does not.
        """
        if not self.leading:
            raise NotLeadingError(f"the lease {self._namespace}/{self._name} is not held")

    async def acquired(self) -> None:
        """Return once this process has become the leader."""
        await self._acquired.wait()

    async def run(self) -> None:
        """Try to get the lease, and then renew it, without end.

        Raises:
            NotLeadingError: when this process loses the lease. The term is over, since this process can't know what its
                successor does.
        """
        try:
            while True:
                well = await self._strive()
                if self.leading and not self._acquired.is_set():
                    _LOG.info("leading as %s", self._identity)
                    self._acquired.set()
                if self._acquired.is_set() and not self.leading:
                    raise NotLeadingError(f"the lease {self._namespace}/{self._name} was lost")
                pause = self._renew if well else self._renew * _AFTER_FAILURE
                await self._clock.sleep(pause * random.uniform(0.8, 1.0))  # noqa: S311 - jitter
        finally:
            self._over = True

    async def _strive(self) -> bool:
        """Take or renew the lease if possible. Return whether the next attempt may wait for the normal pause."""
        started = self._clock.monotonic()
        try:
            await self._try(started)
        except ApiError as error:
            self._written = None
            if not error.conflict:
                _LOG.warning("lease %s/%s: %s", self._namespace, self._name, error)
                return False
            # Somebody else was faster, which is an answer, too; a leader wants to know who.
            self._heard_at = started
            return not self._acquired.is_set()
        self._heard_at = started
        return True

    async def release(self) -> None:
        """Give the lease back, so that a successor does not have to wait until it expires."""
        self._over = True
        if self._clock.monotonic() >= self._valid_until:
            return
        try:
            lease = await self._get()
            if lease is not None and lease["spec"].get("holderIdentity") == self._identity:
                lease["spec"] |= {"holderIdentity": "", "leaseDurationSeconds": 1}
                await self._put(lease)
        except ApiError as error:
            _LOG.warning("lease %s/%s not given back: %s", self._namespace, self._name, error)

    async def _try(self, started: float) -> None:
        """Take or renew the lease once. It is valid from the start of the request, and not from its answer."""
        # What we wrote last is what is there, unless it is a conflict: one request in place of two.
        lease = self._written or await self._get()
        if self._acquired.is_set() and not self._is_mine(lease):
            # Others may have led since, or lead.
            raise NotLeadingError(f"the lease {self._namespace}/{self._name} was taken or deleted")
        if lease is None:
            self._written = await self._client.request(
                "POST",
                lease_path(self._namespace),
                resource="leases",
                body={
                    "apiVersion": "coordination.k8s.io/v1",
                    "kind": "Lease",
                    "metadata": {"name": self._name, "namespace": self._namespace},
                    "spec": self._spec(transitions=0, acquired_at=None),
                },
            )
        elif not self._may_take(lease, started):
            return
        else:
            spec, mine = lease.get("spec") or {}, self._is_mine(lease)
            transitions = int(spec.get("leaseTransitions") or 0) + (0 if mine else 1)
            renewed = self._spec(
                transitions=transitions, acquired_at=spec.get("acquireTime") if mine else None
            )
            self._written = await self._put({**lease, "spec": renewed})
        self._valid_until = started + self._duration

    def _is_mine(self, lease: dict[str, Any] | None) -> bool:
        return (
            lease is not None and (lease.get("spec") or {}).get("holderIdentity") == self._identity
        )

    def _may_take(self, lease: dict[str, Any], now: float) -> bool:
        """Whether the lease is ours or free, or was not renewed for its whole duration while this process watched."""
        spec = lease.get("spec") or {}
        holder = spec.get("holderIdentity")
        if not holder or holder == self._identity:
            return True
        version = lease["metadata"]["resourceVersion"]
        if self._observed is None or self._observed.version != version:
            self._observed = _Observed(version=version, changed_at=now)
            return False
        duration = float(spec.get("leaseDurationSeconds") or self._duration)
        return now - self._observed.changed_at > duration

    def _spec(self, *, transitions: int, acquired_at: str | None) -> dict[str, Any]:
        now = _micro_time(self._clock.now())
        return {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": max(1, round(self._duration)),
            "acquireTime": acquired_at or now,
            "renewTime": now,
            "leaseTransitions": transitions,
        }

    async def _get(self) -> dict[str, Any] | None:
        try:
            return await self._client.request(
                "GET", lease_path(self._namespace, self._name), resource="leases"
            )
        except ApiError as error:
            if error.not_found:
                return None
            raise

    async def _put(self, lease: dict[str, Any]) -> dict[str, Any]:
        return await self._client.request(
            "PUT", lease_path(self._namespace, self._name), resource="leases", body=lease
        )


def _micro_time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
