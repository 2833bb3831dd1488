"""What to do about a request that failed. Pure."""

from http import HTTPStatus
from typing import Final

from lossless.cluster.errors import (
    ApiError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    ThrottledError,
    UnreachableError,
)

_REMEDIES: Final[tuple[tuple[type[ApiError], str], ...]] = (
    (
        ForbiddenError,
        "You lack this right: ask for ClusterRole lossless-view (to look) or lossless-edit here",
    ),
    (NotFoundError, "It has gone, or is in another namespace: look with -n NS or -A"),
    (ThrottledError, "The API server is busy: wait a moment and try again"),
    (InvalidError, "The API server does not accept the change: correct what it names"),
    (
        UnreachableError,
        "Is this the right --context, and is its API server up? kubectl version says so",
    ),
    (ApiError, "Try again; kubectl get llr says whether it is only this command"),
)


def remedy(error: ApiError) -> str:
    """Return the sentence that follows what the API server said."""
    if error.status == HTTPStatus.UNAUTHORIZED:
        return "Your credentials are not accepted: log in again, or choose another --context"
    return next(text for kind, text in _REMEDIES if isinstance(error, kind))
