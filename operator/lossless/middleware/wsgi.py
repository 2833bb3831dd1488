"""WSGI: every answer of a draining pod carries ``Connection: close``, where the server allows it.

``app = LosslessMiddleware(app)``; Flask: ``app.wsgi_app = LosslessMiddleware(app.wsgi_app)``.

PEP 3333 leaves ``Connection`` to the server, so what an app's header does is up to each. Measured:

===================  =====================================================================
gevent, Granian      sent as it is, and the server closes
uWSGI (its router)   the same
Cheroot              sent as it is; closing is left to the client, which does so
uWSGI http11-socket  the same
gunicorn gthread     **dropped**; gevent and eventlet workers the same
waitress             **refused with a 500**
gunicorn sync        keeps no connection, so there is nothing to say
wsgiref, Werkzeug    the same
===================  =====================================================================

So the header is added for the servers of the first four lines and for no other. Where clients
would not be told to leave, one warning says so, with the remedy; no request fails for it.
"""

import logging
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeAlias

from lossless.middleware.headers import ABOUT_THE_CONNECTION
from lossless.middleware.status_file import StatusFile

Environ: TypeAlias = dict[str, Any]
StartResponse: TypeAlias = Callable[..., Callable[[bytes], object]]
App: TypeAlias = Callable[[Environ, StartResponse], Iterable[bytes]]

_LOG: Final = logging.getLogger(__name__)

#: What ``SERVER_SOFTWARE`` begins with, in lower case.
_SENDS_IT: Final = ("gevent/", "granian", "cheroot/")
_KEEPS_NO_CONNECTION: Final = ("wsgiserver/", "werkzeug/")
_REMEDY: Final = (
    "Put a proxy with the close-frame snippet in front (lossless nginx-snippet), "
    "or serve the app with an ASGI server and lossless.middleware.asgi"
)


class LosslessMiddleware:
    """A WSGI application around another."""

    def __init__(self, app: App, *, status_file: str | None = None, interval: float = 0.0) -> None:
        """Change nothing yet; the server is known with the first request only.

        Args:
            app: what answers.
            status_file: see ``StatusFile``; default ``/lossless/serving``.
            interval: seconds for which one look at the status file is used again.

        Raises:
            ValueError: names the argument, its value and the remedy.
        """
        self._app = app
        self._status = StatusFile(status_file, interval=interval)
        self._warned = False

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request, as WSGI has it."""
        if not _sends_the_header(environ):
            if not self._warned and not _keeps_no_connection(environ):
                self._warned = True
                _LOG.warning("%s. %s", _problem(environ), _REMEDY)
            return self._app(environ, start_response)

        def start_closing(
            status: str, headers: list[tuple[str, str]], *exception: object
        ) -> Callable[[bytes], object]:
            # Asked as late as can be: a drain may have started while the app was at work.
            if self._status.draining():
                headers = [one for one in headers if one[0].lower() not in ABOUT_THE_CONNECTION]
                headers.append(("Connection", "close"))
            return start_response(status, headers, *exception)

        return self._app(environ, start_closing)


def _server(environ: Environ) -> str:
    return str(environ.get("SERVER_SOFTWARE", ""))


def _sends_the_header(environ: Environ) -> bool:
    return "uwsgi.version" in environ or _server(environ).lower().startswith(_SENDS_IT)


def _keeps_no_connection(environ: Environ) -> bool:
    server = _server(environ).lower()
    if server.startswith("gunicorn"):
        # Its sync worker is the only one that is neither threaded nor cooperative.
        return not environ.get("wsgi.multithread")
    return server.startswith(_KEEPS_NO_CONNECTION)


def _problem(environ: Environ) -> str:
    server = _server(environ)
    if server.lower().startswith("gunicorn"):
        return (
            f"{server} drops an app's Connection header in this kind of worker: "
            "in a drain, clients are not told to leave"
        )
    if server.lower().startswith("waitress"):
        return (
            "waitress refuses an app's Connection header: in a drain, clients are not told to leave"
        )
    return (
        f"the server ({server or 'it does not say its name'}) is not known to send an app's "
        "Connection header: in a drain, clients are not told to leave"
    )
