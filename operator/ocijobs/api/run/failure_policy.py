"""What a failed attempt means: tried again, or the end (batch/v1's podFailurePolicy, for job runs)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from ocijobs.api.shared.model import ATOMIC_LIST, SET_LIST, Model, validations


class FailureAction(StrEnum):
    """What follows after a failed attempt."""

    RETRY = "Retry"
    FAIL = "Fail"
    IGNORE = "Ignore"


class ExitCodeOperator(StrEnum):
    """How exit codes are compared."""

    IN = "In"
    NOT_IN = "NotIn"


class OnExitCodes(Model):
    """Matches a failed attempt by its exit code. An attempt without an exit code never matches."""

    operator: ExitCodeOperator = Field(description="In or NotIn.")
    values: Annotated[
        tuple[Annotated[int, Field(ge=1, le=255)], ...],
        Field(min_length=1, max_length=255, json_schema_extra=SET_LIST),
    ] = Field(description="Exit codes.")


class OnLifecycleDetails(Model):
    """Matches a failed attempt by OCI's message."""

    pattern: Annotated[str, Field(min_length=1, max_length=256)] = Field(
        description=(
            "Regular expression in the syntax of RE2. It may match anywhere in "
            "status.lifecycleDetails, such as `(?i)out of (host )?capacity`."
        )
    )


class FailureRule(Model):
    """One rule: what it matches, and what follows."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            (
                "has(self.onExitCodes) != has(self.onLifecycleDetails)",
                "exactly one of onExitCodes and onLifecycleDetails must be given",
            )
        )
    )

    action: FailureAction = Field(
        description=(
            "Retry: another attempt, if backoffLimit allows it. Fail: no other attempt. Ignore: "
            "another attempt, and the failed one does not count against backoffLimit."
        )
    )
    on_exit_codes: OnExitCodes | None = Field(
        default=None, description="Matches by the code's exit code."
    )
    on_lifecycle_details: OnLifecycleDetails | None = Field(
        default=None, description="Matches by OCI's message."
    )


class FailurePolicy(Model):
    """Rules that are tried in order; the first that matches decides. If none matches, the action is Retry."""

    rules: Annotated[
        tuple[FailureRule, ...], Field(min_length=1, max_length=20, json_schema_extra=ATOMIC_LIST)
    ] = Field(description="The rules.")
