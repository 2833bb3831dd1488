"""What stands against a pod's protection, as values: programs go by ``kind``, never by a text."""

from dataclasses import dataclass
from enum import StrEnum


class ProblemKind(StrEnum):
    """What is wrong; each names what the subject is."""

    NOT_INJECTED = "NotInjected"
    """The pod gets no agent. Subject: what asks for the impossible; empty: the pod as a whole."""
    UNPROTECTED = "Unprotected"
    """A container stops without waiting for the drain. Subject: its name."""
    STATUS_FILE_HIDDEN = "StatusFileHidden"
    """A container cannot see the shared volume. Subject: its name."""
    SERVER_ENDED_EARLY = "ServerEndedEarly"
    """A container's own hook ends its server at once, with its clients. Subject: its name."""
    PORT_NOT_DECLARED = "PortNotDeclared"
    """A port that is to count is declared by no container. Subject: the field of the spec."""
    PATH_OUT_OF_REACH = "PathOutOfReach"
    """The agent cannot get to a file or socket. Subject: the field of the spec."""
    HOLD_UNKNOWN = "HoldUnknown"
    """It is asked for a hold that there is not. Subject: the annotation."""
    NGINX_NOT_RELOADED = "NginxNotReloaded"
    """nginx cannot be reloaded in a drain. Subject: the field of the spec."""


#: Of what the subject is a container's name.
OF_CONTAINERS = frozenset(
    {ProblemKind.UNPROTECTED, ProblemKind.STATUS_FILE_HIDDEN, ProblemKind.SERVER_ENDED_EARLY}
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is not as it should be, or not as it was asked for."""

    kind: ProblemKind
    subject: str
    """What it is about, as its owner wrote it; the kind says what that is."""
    reason: str
    """Why, in words that go on after the subject."""
    remedy: str = ""
    """What to do; empty: the reason says it, as somebody else worded it."""
