"""``lossless controller | webhook | release | host``: reads options, composes, decides nothing.

The agent has an entry of its own (``python3 -m lossless.agent``): what the other two import is
more than a user's pod should pay for. For the same reason each command imports its own part only.
"""

import argparse
import asyncio
import socket
import sys
from collections.abc import Sequence
from typing import Final

from lossless import __version__
from lossless.cluster.errors import ApiError
from lossless.host.options import add_host
from lossless.telemetry import logs


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command until it is told to stop; return its exit code.

    0: stopped in order. 1: failed, the last line on stderr says why. 2: the options are wrong.
    ``host`` has more of them (``lossless.host.exits``).
    """
    options = _parser().parse_args(arguments)
    if options.command == "host":
        from lossless.host.cli import run as run_host  # noqa: PLC0415 # see the module

        return run_host(options)
    logs.configure(options.log_level)
    try:
        asyncio.run(_COMMANDS[options.command](options))
    except (ApiError, ValueError, OSError) as error:
        sys.stderr.write(f"lossless {options.command}: {error}\n")
        return 1
    return 0


async def _controller(options: argparse.Namespace) -> None:
    from lossless.controller.options import ControllerOptions  # noqa: PLC0415 # see the module
    from lossless.controller.process import run  # noqa: PLC0415 # the same

    await run(
        ControllerOptions(
            namespace=options.namespace,
            identity=options.identity,
            kubeconfig=options.kubeconfig,
            failure_policy=options.failure_policy,
        )
    )


async def _webhook(options: argparse.Namespace) -> None:
    from lossless.webhook.options import AgentSettings, WebhookOptions  # noqa: PLC0415 # see the module
    from lossless.webhook.server import run  # noqa: PLC0415 # the same

    await run(
        WebhookOptions(
            namespace=options.namespace,
            kubeconfig=options.kubeconfig,
            agent=AgentSettings(
                image=options.agent_image,
                pull_policy=options.agent_image_pull_policy,
                cpu_request=options.agent_cpu_request,
                cpu_limit=options.agent_cpu_limit,
                cpu_guaranteed=options.agent_cpu_guaranteed,
                memory=options.agent_memory,
            ),
        )
    )


async def _release(options: argparse.Namespace) -> None:
    from lossless.cluster.client import Client  # noqa: PLC0415 # see the module
    from lossless.cluster.release import release  # noqa: PLC0415 # the same

    async with await Client.connect(options.kubeconfig) as client:
        opened = await release(client)
    sys.stdout.write(f"Injection has ended; gates opened: {opened}\n")


_COMMANDS: Final = {"controller": _controller, "webhook": _webhook, "release": _release}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lossless", description="Lossless rollouts: the operator")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)

    logging = argparse.ArgumentParser(add_help=False)
    logging.add_argument("--log-level", choices=logs.LEVELS, default="info")
    common = argparse.ArgumentParser(add_help=False, parents=[logging])
    common.add_argument("--kubeconfig", help="default: the pod's service account")
    server = argparse.ArgumentParser(add_help=False)
    server.add_argument("--namespace", required=True, help="namespace of the installation")

    controller = commands.add_parser(
        "controller",
        parents=[common, server],
        help="watch LosslessRollouts, open gates, write status",
    )
    controller.add_argument(
        "--identity", default=socket.gethostname(), help="in the election; default: the host name"
    )
    controller.add_argument(
        "--failure-policy",
        choices=("Ignore", "Fail"),
        default="Ignore",
        help="what becomes of a pod when no webhook answers",
    )

    webhook = commands.add_parser(
        "webhook", parents=[common, server], help="inject the agent into pods"
    )
    webhook.add_argument("--agent-image", required=True)
    webhook.add_argument("--agent-image-pull-policy", default="IfNotPresent")
    webhook.add_argument("--agent-cpu-request", default="10m")
    webhook.add_argument("--agent-cpu-limit", default="", help="default: none")
    webhook.add_argument(
        "--agent-cpu-guaranteed", default="50m", help="request and limit in Guaranteed pods"
    )
    webhook.add_argument("--agent-memory", default="64Mi", help="request and limit alike")

    commands.add_parser(
        "release", parents=[common], help="before a removal: end injection and open every gate"
    )
    add_host(commands, logging)
    return parser


if __name__ == "__main__":
    sys.exit(main())
