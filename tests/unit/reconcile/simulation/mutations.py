"""Rules of the protocol that jobs and runs share, broken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest

from ocijobs.reconcile import idempotency

Break = Callable[[pytest.MonkeyPatch], None]


def search_once(patch: pytest.MonkeyPatch) -> None:
    """One search that found nothing is taken for proof."""
    search = idempotency.CreateOnce.search

    def hasty(
        self: idempotency.CreateOnce, now: datetime
    ) -> idempotency.Search | idempotency.Wait | idempotency.Nothing:
        return idempotency.Nothing() if self.evidence.empty_at else search(self, now)

    patch.setattr(idempotency.CreateOnce, "search", hasty)


def trust_old_tokens(patch: pytest.MonkeyPatch) -> None:
    """A token is never too old to be sent again."""
    step = idempotency.CreateOnce.step

    def trusting(self: idempotency.CreateOnce, now: datetime) -> idempotency.Step:
        settings = self.settings.model_copy(update={"token_lifetime_seconds": 1e9})
        return step(replace(self, settings=settings), now)

    patch.setattr(idempotency.CreateOnce, "step", trusting)
