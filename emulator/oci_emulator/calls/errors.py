"""Errors as the services answer them: a status, a code and a message."""

from oci_emulator.formats.jsontypes import JsonObject


class ServiceError(Exception):
    """An answer that is an error.

    Attributes:
        headers: further headers of the answer, such as ``retry-after``.
        secret: what the answer must not tell, for the emulator's own log.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        headers: dict[str, str] | None = None,
        *,
        secret: str = "",
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers or {}
        self.secret = secret

    @property
    def body(self) -> JsonObject:
        """OCI's error shape."""
        return {"code": self.code, "message": self.message}


def invalid(message: str) -> ServiceError:
    """400: a parameter or a field has a value that it can't have."""
    return ServiceError(400, "InvalidParameter", message)


def missing(message: str) -> ServiceError:
    """400: a parameter, a header or a field isn't there."""
    return ServiceError(400, "MissingParameter", message)


def unparsable(message: str) -> ServiceError:
    """400: the request can't be read at all."""
    return ServiceError(400, "CannotParseRequest", message)


def not_authenticated(message: str) -> ServiceError:
    """401: who calls isn't proven."""
    return ServiceError(401, "NotAuthenticated", message)


def not_found(what: str) -> ServiceError:
    """404: it doesn't exist, or the caller may not know that it does; OCI doesn't tell which."""
    return ServiceError(
        404,
        "NotAuthorizedOrNotFound",
        "Authorization failed or requested resource not found.",
        secret=what,
    )


def no_such_path(message: str) -> ServiceError:
    """404: nothing is served there, which everyone may know."""
    return ServiceError(404, "NotAuthorizedOrNotFound", message)


def conflict(code: str, message: str) -> ServiceError:
    """409: the resource is in a state that doesn't allow it, or the name or token is taken."""
    return ServiceError(409, code, message)


def etag_mismatch() -> ServiceError:
    """412: the resource has another version than ``if-match`` names."""
    return ServiceError(412, "NoEtagMatch", "The resource has another etag than if-match names.")
