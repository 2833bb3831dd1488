"""Which headers of an answer speak about its connection."""

from typing import Final

#: Lower case. ``Keep-Alive`` promises what ``close`` takes back (RFC 9112 appendix C.2.2).
ABOUT_THE_CONNECTION: Final = frozenset({"connection", "keep-alive"})
