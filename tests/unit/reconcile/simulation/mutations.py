"""Rules of the protocol that jobs and runs share, broken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest

from ocijobs.reconcile import once

Break = Callable[[pytest.MonkeyPatch], None]


def search_once(patch: pytest.MonkeyPatch) -> None:
    """One search that found nothing is taken for proof."""
    search = once.Protocol.search

    def hasty(self: once.Protocol, now: datetime) -> once.Search | once.Wait | once.Nothing:
        return once.Nothing() if self.evidence.empty_at else search(self, now)

    patch.setattr(once.Protocol, "search", hasty)


def trust_old_tokens(patch: pytest.MonkeyPatch) -> None:
    """A token is never too old to be sent again."""
    step = once.Protocol.step

    def trusting(self: once.Protocol, now: datetime) -> once.Step:
        settings = self.settings.model_copy(update={"token_lifetime_seconds": 1e9})
        return step(replace(self, settings=settings), now)

    patch.setattr(once.Protocol, "step", trusting)
