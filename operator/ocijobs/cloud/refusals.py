"""OCI's errors in the terms of decisions.

Codes are those of https://docs.oracle.com/iaas/Content/API/References/apierrors.htm. A 404 also stands for a missing
permission; the services are designed so.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from ocijobs.backends.records import Refusal, RefusalKind
from ocijobs.cloud.sdk import oci
from ocijobs.reconcile.text import shown

_QUOTA_CODES = frozenset({"LimitExceeded", "QuotaExceeded", "TenantCapacityExceeded"})
_BY_STATUS: Mapping[int, RefusalKind] = {
    HTTPStatus.UNAUTHORIZED: RefusalKind.CREDENTIALS,
    HTTPStatus.FORBIDDEN: RefusalKind.NOT_AUTHORIZED_OR_NOT_FOUND,
    HTTPStatus.NOT_FOUND: RefusalKind.NOT_AUTHORIZED_OR_NOT_FOUND,
    HTTPStatus.REQUEST_TIMEOUT: RefusalKind.UNAVAILABLE,
    HTTPStatus.CONFLICT: RefusalKind.CONFLICT,
    HTTPStatus.PRECONDITION_FAILED: RefusalKind.CONFLICT,
    HTTPStatus.TOO_MANY_REQUESTS: RefusalKind.THROTTLED,
}
_MESSAGE_LIMIT_BYTES = 700
_LONGEST_WAIT_SECONDS = 300.0
"""Longest time in seconds for which an answer stops the calls of a principal, which include the shared poll."""


class MalformedAnswerError(Exception):
    """OCI, or a proxy instead of it, answered 200, but the content is not what the API returns."""


def failures() -> tuple[type[Exception], ...]:
    """Return the exceptions that a refused or unanswered call to OCI raises.

    Other errors of the SDK's HTTP library are `OSError`s.
    """
    return (oci.exceptions.ServiceError, OSError, MalformedAnswerError)


def refusal_of(error: Exception) -> Refusal:
    """Return the refusal that an error of the SDK means."""
    if isinstance(error, MalformedAnswerError):
        return Refusal(
            kind=RefusalKind.UNAVAILABLE, message="OCI's answer was none that its API gives"
        )
    if not isinstance(error, oci.exceptions.ServiceError):
        # The text of such errors has addresses of objects in it, which change each time.
        cause = next((arg for arg in error.args if isinstance(arg, Exception)), error)
        return Refusal(
            kind=RefusalKind.UNAVAILABLE, message=f"no answer from OCI ({type(cause).__name__})"
        )
    words = ": ".join(str(part) for part in (error.code, error.message) if part)
    message = shown(words or f"status {error.status}", most_bytes=_MESSAGE_LIMIT_BYTES)
    return Refusal(kind=_kind(int(error.status), str(error.code)), message=message)


def _kind(status: int, code: str) -> RefusalKind:
    if code == "InvalidatedRetryToken":
        return RefusalKind.TOKEN_SPENT
    if code in _QUOTA_CODES:
        return RefusalKind.QUOTA
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status < HTTPStatus.BAD_REQUEST:
        return RefusalKind.UNAVAILABLE
    return _BY_STATUS.get(status, RefusalKind.INVALID)


def retry_after_seconds(error: Exception) -> float | None:
    """Return how many seconds OCI asks to wait, or None."""
    if not isinstance(error, oci.exceptions.ServiceError):
        return None
    try:
        seconds = float(error.headers.get("retry-after"))
    except (TypeError, ValueError):
        return None
    return min(seconds, _LONGEST_WAIT_SECONDS) if seconds >= 0 else None


def status_code(error: Exception) -> int:
    """Return the HTTP status of an error; 0 if there was no answer."""
    return int(error.status) if isinstance(error, oci.exceptions.ServiceError) else 0
