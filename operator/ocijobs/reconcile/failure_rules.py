"""The rules of a failure policy: their patterns, which are regular expressions of RE2."""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

import re2

from ocijobs.api.run.settings import RunSettings


class Pattern(Protocol):
    """A regular expression of RE2, whose package has no types."""

    def search(self, text: str) -> object:
        """Return the first match, None if there is none."""
        ...


@lru_cache(maxsize=256)
def _pattern(text: str) -> Pattern | str:
    """Return a regular expression of RE2, whose searches end soon whatever people write; or what is wrong with it."""
    options = re2.Options()
    options.log_errors = False
    try:
        compiled: Pattern = re2.compile(text, options)
    except re2.error as error:
        return bytes(error.args[0]).decode()
    return compiled


def invalid_pattern(settings: RunSettings) -> str | None:
    """Return which pattern of the failure policy is none, in words."""
    rules = settings.failure_policy.rules if settings.failure_policy is not None else ()
    for index, rule in enumerate(rules):
        if rule.on_lifecycle_details is None:
            continue
        problem = _pattern(rule.on_lifecycle_details.pattern)
        if isinstance(problem, str):
            where = f"spec.failurePolicy.rules[{index}].onLifecycleDetails.pattern"
            return f"{where}: {problem}: give a regular expression in the syntax of RE2"
    return None
