"""The agents of the simulated pods: all behind one port, each at an address of its own."""

import time
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from lossless.model.phases import Phase
from lossless.model.report import Connections, Report

#: Seconds that every drain takes.
DRAIN: Final = 2.0


@dataclass
class Pods:
    """The simulated pods: their kubelets, and their agents behind one port."""

    addresses: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Loopback address to name and uid."""
    stopping: dict[str, float] = field(default_factory=dict)
    """Uid to when its drain began."""

    def address(self, name: str, uid: str) -> str:
        """Give the pod an address of its own."""
        number = len(self.addresses) + 1
        chosen = f"127.{10 + (number >> 16)}.{(number >> 8) & 255}.{number & 255}"
        self.addresses[chosen] = name, uid
        return chosen

    async def report(self, request: web.Request) -> web.Response:
        """Answer as the agent at the address that was asked."""
        assert request.transport is not None
        name, uid = self.addresses[request.transport.get_extra_info("sockname")[0]]
        began = self.stopping.get(uid)
        seconds = 0.0 if began is None else time.monotonic() - began
        phase = Phase.SERVING if began is None else Phase.DRAINING
        if seconds >= DRAIN:
            phase = Phase.DRAINED
        left = Connections(active=int(phase is Phase.DRAINING))
        said = Report(name, uid, phase, seconds=seconds, connections=left)
        return web.Response(text=said.to_json(), content_type="application/json")
