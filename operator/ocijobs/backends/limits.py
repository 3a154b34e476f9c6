"""Limits of OCI on variables and arguments that no schema can hold, since they are of what is merged."""

from __future__ import annotations

from collections.abc import Mapping

from ocijobs.backends.environment import characters
from ocijobs.settings import Settings


def over_limit(
    variables: Mapping[str, str], command_line: str | None, limits: Settings, *, merged: str
) -> str | None:
    """Return what is too long, in words for people.

    Args:
        variables: of one node, everything merged.
        command_line: its arguments.
        limits: with those of OCI.
        merged: what the variables were merged with, for the message, such as ", merged with the job's,".
    """
    size = characters(variables)
    if size > (limit := limits.environment_limit_characters):
        return (
            f"spec.env: names and values of all variables{merged} have {size} characters together, "
            f"and OCI allows {limit}: put what is long into the code or into Object Storage"
        )
    size = len(command_line or "")
    if size > (limit := limits.arguments_limit_characters):
        return f"spec.args: the command line has {size} characters, and OCI allows {limit}"
    return None
