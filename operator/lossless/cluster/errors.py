"""What can come back from an API server instead of an answer, told apart by what to do next."""

import json
from http import HTTPStatus


class ApiError(Exception):
    """The API server refused a request, or there is no usable answer."""

    def __init__(
        self,
        message: str,
        *,
        request: str = "",
        status: int = 0,
        reason: str = "",
        retry_after: float = 0.0,
    ) -> None:
        """Keep what the server said.

        Args:
            message: for people, from the server's Status object where there is one.
            request: ``METHOD path`` of the request.
            status: HTTP status; 0 if there was no answer.
            reason: machine-readable ``reason`` of the Status object, for example AlreadyExists.
            retry_after: seconds the server asked to wait; 0 if it did not.
        """
        super().__init__(": ".join(part for part in (request, message) if part))
        self.message = message
        self.request = request
        self.status = status
        self.reason = reason
        self.retry_after = retry_after


class GoneError(ApiError):
    """410: the resource version or continue token is too old; list again."""


class ConflictError(ApiError):
    """409: the object changed since it was read, or another manager owns a field; read again."""


class AlreadyExistsError(ConflictError):
    """409 with reason AlreadyExists: somebody else was first; read theirs."""


class NotFoundError(ApiError):
    """404: no such object, or the resource is not served (its CRD is not installed)."""


class ForbiddenError(ApiError):
    """401 or 403: credentials or RBAC are wrong; retrying alone does not help."""


class InvalidError(ApiError):
    """400 or 422: the request itself is wrong; retrying does not help."""


class ThrottledError(ApiError):
    """429: too many requests, or an eviction that a disruption budget forbids; wait, then retry."""


class UnreachableError(ApiError):
    """No usable answer: no connection, a timeout, 5xx. A write may or may not have happened."""


class SilentError(UnreachableError):
    """A stream that was open said nothing for too long: it is dead, or there was nothing to say."""


_BY_STATUS: dict[int, type[ApiError]] = {
    HTTPStatus.BAD_REQUEST: InvalidError,
    HTTPStatus.UNAUTHORIZED: ForbiddenError,
    HTTPStatus.FORBIDDEN: ForbiddenError,
    HTTPStatus.NOT_FOUND: NotFoundError,
    HTTPStatus.CONFLICT: ConflictError,
    HTTPStatus.GONE: GoneError,
    HTTPStatus.UNPROCESSABLE_ENTITY: InvalidError,
    HTTPStatus.TOO_MANY_REQUESTS: ThrottledError,
}
_MAX_MESSAGE = 500


def error_of(
    status: int, body: bytes | str, *, request: str = "", retry_after: str | None = None
) -> ApiError:
    """Return the error that an answer with this ``status`` (400 or more) and ``body`` stands for.

    Args:
        status: HTTP status, or ``code`` of a Status object in a watch.
        body: usually a ``v1.Status`` as JSON; proxies on the way send what they like.
        request: ``METHOD path`` of the request.
        retry_after: the header of that name, if any.
    """
    message, reason = _said(body)
    if status == HTTPStatus.CONFLICT and reason == "AlreadyExists":
        kind: type[ApiError] = AlreadyExistsError
    elif status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        kind = UnreachableError
    else:
        kind = _BY_STATUS.get(status, ApiError)
    return kind(
        f"{status} {message}".strip(),
        request=request,
        status=status,
        reason=reason,
        retry_after=float(retry_after) if retry_after and retry_after.isdecimal() else 0.0,
    )


def _said(body: bytes | str) -> tuple[str, str]:
    try:
        raw = json.loads(body)
    except (ValueError, RecursionError):
        raw = None
    if isinstance(raw, dict):
        return str(raw.get("message") or "")[:_MAX_MESSAGE], str(raw.get("reason") or "")
    text = body.decode(errors="replace") if isinstance(body, bytes) else body
    return text[:_MAX_MESSAGE].strip(), ""
