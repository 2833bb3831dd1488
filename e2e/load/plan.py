"""What a load client is asked to do."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

#: About 1,000 requests/s in all: enough that a rollout meets many, little enough that two cores
#: can carry the client and a two-node cluster.
CONNECTIONS: Final = 64
THINK: Final = 0.055


@dataclass(frozen=True, slots=True)
class Plan:
    """Clients that send POSTs over keep-alive connections, one request at a time each."""

    url: str
    """``http://HOST[:PORT]/PATH``; HOST is an address, the client's namespace has no resolver."""
    connections: int = CONNECTIONS
    think: float = THINK
    """Mean seconds between an answer and the next request; each pause is 0.5 to 1.5 times that."""
    body: int = 128
    """Bytes of each request's body."""
    timeout: float = 10.0
    """Seconds a request may take, connecting included."""
    each: int | None = None
    """Requests per client, who then stays connected and silent; None: no end."""
    leave: bool = False
    """When stopped, drop requests in flight (counted as left, not failed), do not await them."""
    seed: int = 1

    def __post_init__(self) -> None:
        """Refuse what cannot be done.

        Raises:
            ValueError: names the option, its value and the remedy.
        """
        if urlsplit(self.url).scheme != "http" or not urlsplit(self.url).hostname:
            raise ValueError(f"url: {self.url!r}: must look like http://10.0.0.1:80/path")
        if self.connections < 1:
            raise ValueError(f"connections: {self.connections}: must be 1 or more")
        if self.each is not None and self.each < 1:
            raise ValueError(f"each: {self.each}: must be 1 or more")
        if self.think < 0 or self.timeout <= 0:
            raise ValueError(f"think: {self.think}, timeout: {self.timeout}: must be positive")
        if self.body < MARK_BYTES:
            raise ValueError(f"body: {self.body}: must be {MARK_BYTES} or more, to tell requests")

    @property
    def host(self) -> str:
        """The address to connect to."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """The port to connect to."""
        return urlsplit(self.url).port or 80

    def request(self, mark: str) -> tuple[bytes, bytes]:
        """Return head and body of a request; ``mark`` makes its body unlike any other's."""
        parts = urlsplit(self.url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        body = mark.encode().ljust(self.body, b".")
        head = (
            f"POST {target} HTTP/1.1\r\n"
            f"Host: {parts.netloc}\r\n"
            "Content-Type: application/octet-stream\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return head.encode(), body


MARK_BYTES: Final = 24
