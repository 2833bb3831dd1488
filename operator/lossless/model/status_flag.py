"""``spec.statusFlag``: what the agent answers a load balancer that asks whether the pod serves."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from lossless.model.fields import InvalidSpec, mapping, matching, whole
from lossless.model.names import AGENT_API, HEALTH_PATH, METRICS_PATH, STATUS_FLAG_PATH

#: A path as it stands in a request line, without a query: the agent does not look at one.
PATH: Final = r"^/[!-\"$->@-~]*$"
LONGEST_PATH: Final = 1024
STATUSES: Final = (200, 599)
#: They never have content, and end a connection's framing (RFC 9110 sections 15.3.5, 15.3.6,
#: 15.4.5), so a client that was told a length would wait for it.
WITHOUT_CONTENT: Final = frozenset({204, 205, 304})
MAX_BODY: Final = 256
_OURS: Final = (HEALTH_PATH, METRICS_PATH, AGENT_API)


@dataclass(frozen=True, slots=True)
class FlagAnswer:
    """One answer."""

    status: int
    body: str | None = None
    """Exactly what is sent; None: the pod's phase and an end of line."""

    def content(self, phase: str) -> bytes:
        """Return the body while the pod is in ``phase``."""
        return (f"{phase}\n" if self.body is None else self.body).encode(errors="replace")


@dataclass(frozen=True, slots=True)
class StatusFlag:
    """``spec.statusFlag``."""

    path: str = STATUS_FLAG_PATH
    """Answers beside ``STATUS_FLAG_PATH``, which always does."""
    serving: FlagAnswer = FlagAnswer(200)
    draining: FlagAnswer = FlagAnswer(503)
    """From the first moment of a drain on."""

    @property
    def paths(self) -> frozenset[str]:
        """All paths that it is asked by."""
        return frozenset({self.path, STATUS_FLAG_PATH})


def parse_status_flag(raw: Mapping[str, Any], at: str) -> StatusFlag:
    """Return the flag that stands ``at``.

    Raises:
        InvalidSpec: a path that is none or the agent's own, an answer that cannot be sent, or two
            that no load balancer could tell apart.
    """
    default = StatusFlag()
    path = matching(
        {"path": default.path} | dict(raw),
        (at, "path"),
        PATH,
        LONGEST_PATH,
        "must begin with / and hold no space, ?, # or non-ASCII letter; write those as %20 and so"
        " on",
    )
    if path in _OURS or path.startswith(f"{AGENT_API}/"):
        raise InvalidSpec(
            f"{at}.path",
            path,
            f"is the agent's own: {HEALTH_PATH}, {METRICS_PATH} and all below {AGENT_API}; choose"
            " another",
        )
    serving = _answer(mapping(raw, at, "serving"), f"{at}.serving", default.serving)
    draining = _answer(mapping(raw, at, "draining"), f"{at}.draining", default.draining)
    # Bodies that are not said name the phase, so they differ.
    if serving == draining and serving.body is not None:
        raise InvalidSpec(
            f"{at}.draining",
            dict(mapping(raw, at, "draining")),
            "is the answer of a pod that serves, so no load balancer could tell; give it another"
            " status or body",
        )
    return StatusFlag(path, serving, draining)


def status_flag_document(flag: StatusFlag) -> dict[str, Any]:
    """Return what ``parse_status_flag`` reads."""
    return {
        "path": flag.path,
        "serving": _answer_document(flag.serving),
        "draining": _answer_document(flag.draining),
    }


def _answer(raw: Mapping[str, Any], at: str, default: FlagAnswer) -> FlagAnswer:
    status = whole(raw, at, "status", default.status, STATUSES)
    if status in WITHOUT_CONTENT:
        remedy = "has no content by definition, and some clients wait for it; use 200"
        raise InvalidSpec(f"{at}.status", status, remedy)
    body = raw.get("body")
    if body is not None and (not isinstance(body, str) or len(body) > MAX_BODY):
        raise InvalidSpec(f"{at}.body", body, f"must be a text of at most {MAX_BODY} characters")
    return FlagAnswer(status, body)


def _answer_document(answer: FlagAnswer) -> dict[str, Any]:
    said = {} if answer.body is None else {"body": answer.body}
    return {"status": answer.status, **said}
