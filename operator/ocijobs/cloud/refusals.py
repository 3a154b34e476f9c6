"""OCI's errors in the terms that decisions are made in.

Codes are those of https://docs.oracle.com/iaas/Content/API/References/apierrors.htm. A 404 also stands for a missing
permission, by design of the service.
"""

from __future__ import annotations

from http import HTTPStatus

import oci
import requests

from ocijobs.reconcile.remote import Refusal, RefusalKind

_QUOTA_CODES = frozenset({"LimitExceeded", "QuotaExceeded", "TenantCapacityExceeded"})
_BY_STATUS = {
    HTTPStatus.UNAUTHORIZED: RefusalKind.CREDENTIALS,
    HTTPStatus.FORBIDDEN: RefusalKind.NOT_AUTHORIZED_OR_NOT_FOUND,
    HTTPStatus.NOT_FOUND: RefusalKind.NOT_AUTHORIZED_OR_NOT_FOUND,
    HTTPStatus.CONFLICT: RefusalKind.CONFLICT,
    HTTPStatus.PRECONDITION_FAILED: RefusalKind.CONFLICT,
    HTTPStatus.TOO_MANY_REQUESTS: RefusalKind.THROTTLED,
}
_MESSAGE_LIMIT = 700

FAILURES = (
    oci.exceptions.ServiceError,
    oci.exceptions.RequestException,
    oci.exceptions.ConnectTimeout,
    requests.exceptions.RequestException,
    OSError,
)
"""What a call to OCI raises when it was refused or not answered."""


def refusal_of(error: Exception) -> Refusal:
    """Return what an error of the SDK means."""
    if not isinstance(error, oci.exceptions.ServiceError):
        # The text of such errors has addresses of objects in it, which change each time.
        cause = next((arg for arg in error.args if isinstance(arg, Exception)), error)
        return Refusal(
            kind=RefusalKind.UNAVAILABLE, message=f"no answer from OCI ({type(cause).__name__})"
        )
    words = ": ".join(str(part) for part in (error.code, error.message) if part)
    message = (words or f"status {error.status}")[:_MESSAGE_LIMIT]
    return Refusal(kind=_kind(int(error.status), str(error.code)), message=message)


def _kind(status: int, code: str) -> RefusalKind:
    if code == "InvalidatedRetryToken":
        return RefusalKind.TOKEN_SPENT
    if code in _QUOTA_CODES:
        return RefusalKind.QUOTA
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status < HTTPStatus.BAD_REQUEST:
        return RefusalKind.UNAVAILABLE
    return _BY_STATUS.get(HTTPStatus(status), RefusalKind.INVALID)


def retry_after_seconds(error: Exception) -> float | None:
    """Return how long OCI asks to wait, or None if it does not."""
    if not isinstance(error, oci.exceptions.ServiceError):
        return None
    value = (error.headers or {}).get("retry-after")
    try:
        return float(value) if value is not None else None
    except ValueError:
        return None


def status_code(error: Exception) -> int:
    """Return the HTTP status of an error; 0 if there was no answer."""
    return int(error.status) if isinstance(error, oci.exceptions.ServiceError) else 0
