"""The options of ``lossless host``; apart, so that other commands' help costs no import."""

import argparse
from typing import TYPE_CHECKING, Final

from lossless.model.names import HOST_CONFIG

if TYPE_CHECKING:
    from argparse import _SubParsersAction


_HELP: Final = {
    "publish": "take the host offline, stop and start proxy and application, put it back",
    "offline": "take the host out of its load balancer, and wait until no client is left",
    "online": "put the host back, and wait until the load balancer sends traffic",
    "status": "say how the host stands; exits with 0 only if it serves, or is being worked on",
    "check": "the same, and whether a publish could work here; for a timer: --quiet",
}


def add_host(
    commands: "_SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser
) -> None:
    """Add ``host`` to the command line.

    Args:
        commands: of ``lossless``.
        common: options that every verb has.
    """
    host = commands.add_parser("host", help="the same drain on a machine without Kubernetes")
    verbs = host.add_subparsers(dest="verb", required=True)
    for name, text in _HELP.items():
        verb = verbs.add_parser(name, parents=[common], help=text, description=text)
        verb.add_argument(
            "--config", default=HOST_CONFIG, metavar="FILE", help=f"default: {HOST_CONFIG}"
        )
        if name in ("publish", "offline", "online"):
            verb.add_argument(
                "--dry-run", action="store_true", help="print the steps and do nothing"
            )
            verb.set_defaults(restart=False)
        if name == "publish":
            verb.add_argument(
                "--restart", action="store_true", help="begin anew, whatever was cut off before"
            )
        if name == "check":
            verb.add_argument(
                "--quiet", action="store_true", help="say nothing if nothing has to be done"
            )
    rollout = verbs.add_parser(
        "rollout",
        parents=[common],
        help="publish on several hosts over SSH, stopping at the first failure",
    )
    rollout.add_argument(
        "--hosts", required=True, metavar="FILE", help="one [user@]host[:port] a line"
    )
    rollout.add_argument("--max-unavailable", type=int, default=1, metavar="N", help="default: 1")
    rollout.add_argument(
        "--command",
        dest="remote",
        default=f"lossless host publish --config {HOST_CONFIG}",
        help="what is run on each host; default: %(default)s",
    )
    rollout.add_argument(
        "--timeout", default="30m", metavar="DURATION", help="for one host; default: %(default)s"
    )
    rollout.add_argument("--dry-run", action="store_true", help="print the order and do nothing")
