"""Create once, whatever happens between an intent and its answer.

The intent, with the token of the call, is in status before the call is made. A call's outcome may be unknown all
the same: the process died, or the answer did not come. Then the same request is sent with the same token, which OCI
answers with what it made the first time (for 24 hours). Where that can't be done (the token is old, the request
would be another one, OCI answers 4xx), OCI is searched for the owner tag, and only two complete searches that found
nothing, minutes apart, prove that there is nothing: OCI's lists lag, and a search that fails proves nothing.

A status is not the only memory. It may be wiped or edited, and then an intent is written that was acted on before. So
one that this process does not know to be the first of its kind begins with a search, and a token counts from the
object's creation.

Jobs and runs share this; they differ in what is sent and in what is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from ocijobs.api.job.status import Submission
from ocijobs.backends.records import Refusal, RefusalKind
from ocijobs.reconcile.actions.calls import Call, Operation, noted
from ocijobs.reconcile.backoff import due_at
from ocijobs.settings import Settings

_REPEAT_TELLS_MORE = frozenset(
    {RefusalKind.THROTTLED, RefusalKind.UNAVAILABLE, RefusalKind.INTERNAL}
)
"""Answers to a call after which its repetition is still the surest way to find what it made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What this process knows of one intent's calls.

    Attributes:
        token: of the intent; of another one, nothing is known.
        ours: whether this process itself wrote the intent: of one that a former process wrote, calls may have arrived.
        doubt: whether a call may have arrived without an answer.
        empty_at: when a complete search for the owner tag found nothing, since the last call.
        searches: how many have to, minutes apart, before the first call: a former status may have told of more.
    """

    token: str = ""
    ours: bool = False
    doubt: bool = False
    empty_at: tuple[datetime, ...] = ()
    searches: int = 0
    calls: Mapping[Operation, Call] = field(default_factory=dict)

    def of(self, token: str) -> Evidence:
        """Return what is known of the intent with that token."""
        return self if self.token == token else Evidence(token=token)

    def create_answered(self, refusal: Refusal | None, *, at: datetime, epoch: str) -> Evidence:
        """Return the evidence after a creation was answered, or was not."""
        doubt = self.doubt or (refusal is not None and refusal.outcome_unknown)
        after = self._called(Operation.CREATE, refusal, at, epoch)
        return replace(after, doubt=doubt, empty_at=())

    def search_answered(
        self, refusal: Refusal | None, *, found: bool, at: datetime, epoch: str
    ) -> Evidence:
        """Return the evidence after a search by owner tag."""
        after = self._called(Operation.SEARCH, refusal, at, epoch)
        empty = refusal is None and not found
        return replace(after, empty_at=(*self.empty_at, at)) if empty else after

    def _called(
        self, operation: Operation, refusal: Refusal | None, at: datetime, epoch: str
    ) -> Evidence:
        calls = noted(self.calls, operation, at=at, refusal=refusal, epoch=epoch)
        return replace(self, calls=calls)


@dataclass(frozen=True, slots=True)
class Free:
    """Nothing is in OCI: the call may be made, the intent rewritten, or given up."""

    called: bool


@dataclass(frozen=True, slots=True)
class Repeat:
    """Something may be in OCI: the same request with the same token finds or makes it."""


@dataclass(frozen=True, slots=True)
class Search:
    """Something may be in OCI: look for the owner tag."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """A call was refused, or a search must be confirmed: not before `until`."""

    until: datetime
    refusal: Refusal | None
    searching: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Nothing is in OCI, and the same request will never be accepted."""

    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Nothing:
    """It is proven that nothing was created: the intent is void."""


Step = Free | Repeat | Search | Wait | Refused | Nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateOnce:
    """The intent, what is known of it, and the circumstances.

    Attributes:
        submit: the intent.
        genuine: whether its token is the one that belongs to it; another one was written by hand.
        created_at: when the object was created: no call for it is older.
        evidence: what is known of it.
        epoch: circumstances under which a refusal stands.
        seed: tells the object's pauses from those of others.
        settings: the operator's.
        invalid_retries: how often a request is sent again that OCI refuses as invalid.
    """

    submit: Submission
    genuine: bool
    created_at: datetime
    evidence: Evidence
    epoch: str
    seed: str
    settings: Settings
    invalid_retries: int = 0

    def step(self, now: datetime) -> Step:
        """Return what is to be done about the open intent."""
        call = self.evidence.calls.get(Operation.CREATE)
        refusal = call.refusal if call is not None else None
        if not self.genuine or (call is None and self._searches_first()):
            return self.search(now)
        if self._nothing_there(refusal):
            free = Free(called=call is not None)
            return self._given_up(call) or self._pause(call, now) or free
        if self._repetition_tells(refusal, now):
            return self._pause(call, now) or Repeat()
        return self.search(now)

    def _nothing_there(self, refusal: Refusal | None) -> bool:
        """Whether it is certain that no call with the token has created anything."""
        spent = refusal is not None and refusal.kind is RefusalKind.TOKEN_SPENT
        return self.evidence.ours and not self.evidence.doubt and not spent

    def _repetition_tells(self, refusal: Refusal | None, now: datetime) -> bool:
        """Whether the same call would tell what came of the former ones: OCI still knows the token."""
        lifetime = timedelta(seconds=self.settings.token_lifetime_seconds)
        young = now - self._first_used_at() < lifetime
        return young and (refusal is None or refusal.kind in _REPEAT_TELLS_MORE)

    def _given_up(self, call: Call | None) -> Refused | None:
        """Return that OCI has refused the request as invalid, as often as it is to be asked."""
        if call is None or call.refusal is None or call.refusal.kind is not RefusalKind.INVALID:
            return None
        if self._due(call) is None or call.tries <= self.invalid_retries:
            return None
        return Refused(refusal=call.refusal)

    def _pause(self, call: Call | None, now: datetime) -> Wait | None:
        due = self._due(call)
        if call is None or due is None or now >= due:
            return None
        return Wait(until=due, refusal=call.refusal, searching=False)

    def _searches_first(self) -> bool:
        """Whether a search comes before the first call; two of them end as `Nothing`, and so with another intent."""
        return self.evidence.searches > 1 or (
            self.evidence.searches == 1 and not self.evidence.empty_at
        )

    def _first_used_at(self) -> datetime:
        """Return since when the token may be in use."""
        if self.evidence.ours:
            return self.submit.started_at
        return min(self.submit.started_at, self.created_at)

    def search(self, now: datetime) -> Search | Wait | Nothing:
        """Return what is to be done where a repetition can't tell."""
        confirm = timedelta(seconds=self.settings.search_confirm_seconds)
        empty = self.evidence.empty_at
        if empty and empty[-1] - empty[0] >= confirm:
            return Nothing()
        call = self.evidence.calls.get(Operation.SEARCH)
        due = self._due(call)
        if due is None and empty:
            due = empty[0] + confirm
        if due is not None and now < due:
            return Wait(until=due, refusal=call.refusal if call else None, searching=True)
        return Search()

    def trouble(self) -> Refusal | None:
        """Return the refusal that a status is to name while the intent is open."""
        for operation in (Operation.SEARCH, Operation.CREATE):
            call = self.evidence.calls.get(operation)
            if call is not None and call.refusal is not None:
                return None if call.refusal.kind is RefusalKind.TOKEN_SPENT else call.refusal
        return None

    def _due(self, call: Call | None) -> datetime | None:
        return due_at(call, epoch=self.epoch, seed=self.seed, settings=self.settings)
