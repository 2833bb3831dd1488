"""The exit codes of ``lossless host``; scripts and timers depend on them."""

from enum import IntEnum


class Exit(IntEnum):
    """What a run ends with."""

    OK = 0
    """Done; or the host serves as it should, or a run is at work on it right now."""
    FAILED = 1
    """A step failed; the last lines say which state the host is in and how to go on."""
    USAGE = 2
    """The options or the configuration are wrong; nothing was done."""
    CLIENTS_LEFT = 3
    """The drain's deadline passed with clients left, and the host is back online; if it could not
    be put back, or was offline before and is again, that is ``FAILED``."""
    LOCKED = 4
    """Another run is at work; nothing was done."""
    STRANDED = 5
    """Out of the load balancer, and nobody works on it: a run was cut off or has failed."""
    OFFLINE = 6
    """Out of the load balancer because ``lossless host offline`` was asked for it."""
    DOWN = 7
    """In the load balancer, but the application or the proxy does not answer."""
    UNKNOWN = 8
    """Something that had to be looked at could not be."""
