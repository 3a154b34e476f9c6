"""Faults that tests inject: errors, delays, refused requests and lost answers."""

import asyncio
import itertools
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from random import Random
from typing import Any, Literal

_TYPES: Mapping[str, tuple[type, ...]] = {
    "operation": (str,),
    "service": (str,),
    "principal": (str,),
    "status": (int,),
    "code": (str,),
    "message": (str,),
    "retryAfter": (int,),
    "delay": (int, float),
    "action": (str,),
    "skip": (int,),
    "count": (int,),
    "probability": (int, float),
    "seed": (int,),
}
_ERRORS = range(400, 600)


@dataclass(slots=True, kw_only=True)
class Fault:
    """One rule: on which requests, and what happens to them.

    Attributes:
        operation: a pattern of operation names, such as ``Create*``.
        status: answer this status, with ``code`` and ``message``, instead of carrying it out.
        delay: real seconds to wait first.
        action: ``drop``: carry it out and close the connection without an answer;
            ``refuse``: close the connection at once.
        skip: leave the first so many requests alone.
        count: after so many, the rule is spent; without it, it holds until it is deleted.
        probability: of each request that remains.
    """

    id: int
    operation: str = "*"
    service: str = "*"
    principal: str = ""
    status: int | None = None
    code: str = ""
    message: str = "A fault was injected."
    retry_after: int | None = None
    delay: float = 0.0
    action: Literal["", "drop", "refuse"] = ""
    skip: int = 0
    count: int | None = None
    probability: float = 1.0
    seed: int = 0
    hits: int = 0
    dice: Random = field(default_factory=Random, repr=False)

    def strikes(self, service: str, operation: str, principal: str) -> bool:
        """Whether a request is hit; this counts it."""
        if not (
            fnmatchcase(operation, self.operation)
            and fnmatchcase(service, self.service)
            and self.principal in {"", principal}
        ):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.count is not None and self.hits >= self.count:
            return False
        if self.probability < 1 and self.dice.random() >= self.probability:
            return False
        self.hits += 1
        return True

    def as_json(self) -> dict[str, Any]:
        """As the control API shows it."""
        return {
            "id": self.id,
            "operation": self.operation,
            "service": self.service,
            "principal": self.principal,
            "status": self.status,
            "code": self.code,
            "message": self.message,
            "retryAfter": self.retry_after,
            "delay": self.delay,
            "action": self.action,
            "skip": self.skip,
            "count": self.count,
            "probability": self.probability,
            "seed": self.seed,
            "hits": self.hits,
        }


class Faults:
    """The rules, in their order; the first that strikes decides. They don't outlive a process."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._ids = itertools.count(1)
        self._struck = asyncio.Event()

    def add(self, document: Mapping[str, Any]) -> Fault:
        """Add a rule.

        Raises:
            ValueError: a field is unknown or has no usable value.
        """
        for name, value in document.items():
            if name not in _TYPES:
                raise ValueError(f"a fault has no field {name!r}; it has {', '.join(_TYPES)}")
            if not isinstance(value, _TYPES[name]) or isinstance(value, bool):
                kind = _TYPES[name][-1].__name__
                raise ValueError(f"{name}: must be {kind}, not {value!r}")  # noqa: TRY004  # text
        values = dict(document)
        if "retryAfter" in values:
            values["retry_after"] = values.pop("retryAfter")
        fault = Fault(id=next(self._ids), **values)
        _check(fault)
        fault.dice = Random(fault.seed)  # noqa: S311  # repeatable, not secret
        self._faults.append(fault)
        return fault

    def strike(self, service: str, operation: str, principal: str) -> Fault | None:
        """The rule that hits a request, if one does."""
        for fault in self._faults:
            if fault.strikes(service, operation, principal):
                self._struck.set()
                self._struck = asyncio.Event()
                return fault
        return None

    async def wait(self, seconds: float) -> None:
        """Wait until every rule has struck, ``seconds`` at most, in real time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not all(fault.hits for fault in self._faults):
                    await self._struck.wait()

    def all(self) -> list[Fault]:
        """All rules, spent ones too."""
        return list(self._faults)

    def remove(self, identifier: int) -> bool:
        """Delete a rule; False if there is none of that id."""
        before = len(self._faults)
        self._faults = [fault for fault in self._faults if fault.id != identifier]
        return len(self._faults) < before

    def clear(self) -> None:
        """Delete all rules."""
        self._faults.clear()


def _check(fault: Fault) -> None:
    if fault.status is not None and fault.status not in _ERRORS:
        raise ValueError(f"status: must be 400 to 599, not {fault.status}")
    if fault.action not in {"", "drop", "refuse"}:
        raise ValueError(f"action: must be drop or refuse, not {fault.action!r}")
    if fault.status is None and not fault.action and not fault.delay:
        raise ValueError("a fault needs a status, an action or a delay")
    if fault.delay < 0 or fault.skip < 0 or not 0 <= fault.probability <= 1:
        raise ValueError("delay and skip must be 0 or more, probability 0 to 1")
    if fault.status is not None and not fault.code:
        fault.code = _DEFAULT_CODES.get(fault.status, "InternalServerError")


_DEFAULT_CODES: Mapping[int, str] = {
    400: "InvalidParameter",
    401: "NotAuthenticated",
    404: "NotAuthorizedOrNotFound",
    409: "IncorrectState",
    412: "NoEtagMatch",
    429: "TooManyRequests",
    503: "ServiceUnavailable",
}
