"""``lossless controller | webhook | release | selftest | host | nginx-…``: reads options, composes.

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
from lossless.model.names import AGENT_UID, STATUS_FILE
from lossless.telemetry.levels import LEVELS

#: Who keeps the certificate, if not the webhook itself.
_CERT_MANAGER: Final = "cert-manager"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command until it is told to stop; return its exit code.

    0: stopped in order. 1: failed, the last line on stderr says why. 2: the options are wrong.
    nginx-check: 0: nothing found. 1: findings. 2: options or configuration cannot be read.
    ``host`` has more of them (``lossless.host.exits``).
    """
    options = _parser().parse_args(arguments)
    try:
        if options.command in _TOOLS:
            return _TOOLS[options.command](options)
        asyncio.run(_serve(options))
    except (ApiError, ValueError, OSError) as error:
        return _failed(options.command, str(error))
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "lossless":
            raise
        return _failed(
            options.command,
            f"{error.name} is not installed: pip install 'lossless-operator[{_extra(options)}]'",
        )
    return 0


def _extra(options: argparse.Namespace) -> str:
    return "host" if options.command == "host" else "operator"


def _failed(command: str, why: str) -> int:
    sys.stderr.write(f"lossless {command}: {why}\n")
    return 1


async def _serve(options: argparse.Namespace) -> None:
    from lossless.telemetry import logs  # noqa: PLC0415 # see the module

    logs.configure(options.log_level)
    await _COMMANDS[options.command](options)


async def _controller(options: argparse.Namespace) -> None:
    from lossless.controller.options import ControllerOptions  # noqa: PLC0415 # see the module
    from lossless.controller.process import run  # noqa: PLC0415 # the same
    from lossless.model.scope import Scope  # noqa: PLC0415 # the same

    await run(
        ControllerOptions(
            namespace=options.namespace,
            identity=options.identity,
            scope=Scope.parse(options.watch_namespaces),
            kubeconfig=options.kubeconfig,
            failure_policy=options.failure_policy,
            external_certificate=options.certificate == _CERT_MANAGER,
        )
    )


async def _webhook(options: argparse.Namespace) -> None:
    from lossless.injection.agent_settings import AgentSettings  # noqa: PLC0415 # the same
    from lossless.model.scope import Scope  # noqa: PLC0415 # see the module
    from lossless.webhook.options import WebhookOptions  # noqa: PLC0415 # the same
    from lossless.webhook.server import run  # noqa: PLC0415 # the same

    await run(
        WebhookOptions(
            namespace=options.namespace,
            kubeconfig=options.kubeconfig,
            port=options.port,
            http_port=options.http_port,
            external_certificate=options.certificate == _CERT_MANAGER,
            scope=Scope.parse(options.watch_namespaces),
            agent=AgentSettings(
                image=options.agent_image,
                pull_policy=options.agent_image_pull_policy,
                cpu_request=options.agent_cpu_request,
                cpu_limit=options.agent_cpu_limit,
                cpu_guaranteed=options.agent_cpu_guaranteed,
                memory=options.agent_memory,
                run_as_user=options.agent_run_as_user,
                run_as_group=options.agent_run_as_group,
            ),
        )
    )


async def _release(options: argparse.Namespace) -> None:
    from lossless.cluster.client import Client  # noqa: PLC0415 # see the module
    from lossless.commands.release import release  # noqa: PLC0415 # the same

    async with await Client.connect(options.kubeconfig) as client:
        opened = await release(client)
    sys.stdout.write(f"Injection has ended; gates opened: {opened}\n")


async def _selftest(options: argparse.Namespace) -> None:
    from lossless.cluster.client import Client  # noqa: PLC0415 # see the module
    from lossless.commands.selftest import examine  # noqa: PLC0415 # the same

    async with await Client.connect(options.kubeconfig) as client:
        async for line in examine(client, options.namespace, options.timeout):
            sys.stdout.write(f"ok: {line}\n")
            sys.stdout.flush()


def _nginx_snippet(options: argparse.Namespace) -> int:
    from lossless.nginx.snippet import Wishes, snippet  # noqa: PLC0415 # see the module

    text = snippet(
        Wishes(
            upstream=options.upstream,
            locations=tuple(options.location or ["/"]),
            status_file=options.status_file,
            websocket=options.websocket,
            http2=options.http2,
        )
    )
    sys.stdout.write(text)
    return 0


def _nginx_check(options: argparse.Namespace) -> int:
    from lossless.nginx.check import Expectations, check  # noqa: PLC0415 # see the module
    from lossless.nginx.contexts import seconds  # noqa: PLC0415 # the same
    from lossless.nginx.directives import (  # noqa: PLC0415 # the same
        UnreadableError,
        read_configuration,
    )
    from lossless.nginx.findings import Severity  # noqa: PLC0415 # the same
    from lossless.nginx.reloading import ReloadTerms, check_reload  # noqa: PLC0415 # the same
    from lossless.nginx.report import as_json, as_text  # noqa: PLC0415 # the same

    idle = seconds(options.client_idle_timeout)
    if idle is None:
        _failed(
            options.command,
            f"--client-idle-timeout: {options.client_idle_timeout!r} is not a time; "
            "write 60s or 1m30s",
        )
        return 2
    try:
        configuration = read_configuration(options.file, prefix=options.prefix)
        if options.reload:
            findings = check_reload(configuration.root, ReloadTerms(client_idle=idle))
        else:
            findings = check(
                configuration,
                Expectations(
                    status_file=options.status_file,
                    client_idle=idle,
                    http2_reload=options.http2_reload,
                ),
            )
    except UnreadableError as error:
        _failed(options.command, str(error))
        return 2
    sys.stdout.write(as_json(findings) if options.output == "json" else as_text(findings))
    limit = Severity(options.fail_on)
    return int(any(one.severity.is_at_least(limit) for one in findings))


def _host(options: argparse.Namespace) -> int:
    from lossless.host.cli import run  # noqa: PLC0415 # see the module

    return run(options)


_TOOLS: Final = {"nginx-snippet": _nginx_snippet, "nginx-check": _nginx_check, "host": _host}
_COMMANDS: Final = {
    "controller": _controller,
    "webhook": _webhook,
    "release": _release,
    "selftest": _selftest,
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lossless", description="Lossless rollouts: the operator")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True)

    logging = argparse.ArgumentParser(add_help=False)
    logging.add_argument("--log-level", choices=LEVELS, default="info")
    common = argparse.ArgumentParser(add_help=False, parents=[logging])
    common.add_argument("--kubeconfig", help="default: the pod's service account")
    installed = argparse.ArgumentParser(add_help=False)
    installed.add_argument("--namespace", required=True, help="namespace of the installation")
    server = argparse.ArgumentParser(add_help=False, parents=[installed])
    server.add_argument(
        "--watch-namespaces",
        default="",
        metavar="NAME,…",
        help="serve LosslessRollouts of these namespaces only; default: of the whole cluster",
    )
    server.add_argument(
        "--certificate",
        choices=("self", _CERT_MANAGER),
        default="self",
        help="who keeps the webhook's certificate and caBundle; default: the webhook itself",
    )
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
    webhook.add_argument("--port", type=int, default=9443, help="reviews; default: %(default)s")
    webhook.add_argument(
        "--http-port", type=int, default=8080, help="metrics and health; default: %(default)s"
    )
    webhook.add_argument("--agent-image", required=True)
    webhook.add_argument("--agent-image-pull-policy", default="IfNotPresent")
    webhook.add_argument("--agent-cpu-request", default="10m")
    webhook.add_argument("--agent-cpu-limit", default="", help="default: none")
    webhook.add_argument(
        "--agent-cpu-guaranteed", default="50m", help="request and limit in Guaranteed pods"
    )
    webhook.add_argument("--agent-memory", default="64Mi", help="request and limit alike")
    for which in ("user", "group"):
        webhook.add_argument(
            f"--agent-run-as-{which}",
            type=_user_id,
            default=AGENT_UID,
            metavar="NUMBER",
            help="default: %(default)s; empty: left to the platform, as OpenShift wants",
        )

    commands.add_parser(
        "release", parents=[common], help="before a removal: end injection and open every gate"
    )
    selftest = commands.add_parser(
        "selftest", parents=[common, installed], help="ask an installation whether it works"
    )
    selftest.add_argument(
        "--timeout",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="within which everything must work; default: %(default)s",
    )
    _add_nginx(commands)
    add_host(commands, logging)
    return parser


def _user_id(text: str) -> int | None:
    return int(text) if text else None


def _add_nginx(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--status-file",
        default=STATUS_FILE,
        metavar="PATH",
        help="statusFile of the LosslessRollout; default: %(default)s",
    )
    printed = commands.add_parser(
        "nginx-snippet", parents=[common], help="print the close-frame configuration for nginx"
    )
    printed.add_argument(
        "--upstream", default="http://app", help="what is passed to; default: %(default)s"
    )
    printed.add_argument(
        "--location", action="append", help="may be given several times; default: /"
    )
    printed.add_argument(
        "--websocket", action="store_true", help="pass Upgrade on in every location"
    )
    printed.add_argument(
        "--http2", action="store_true", help="also the reload that HTTP/2 clients need"
    )

    checked = commands.add_parser(
        "nginx-check",
        parents=[common],
        help="find what in an nginx configuration works against a drain",
    )
    checked.add_argument(
        "file", help="that nginx is started with, usually nginx.conf, or what nginx -T has printed"
    )
    checked.add_argument(
        "--prefix", metavar="DIR", help="where relative includes start; default: that of the file"
    )
    checked.add_argument(
        "--client-idle-timeout",
        default="60s",
        metavar="TIME",
        help="after which clients give an idle connection up; default: %(default)s",
    )
    checked.add_argument(
        "--reload", action="store_true", help="the LosslessRollout has nginx.reload"
    )
    checked.add_argument(
        "--http2-reload", action="store_true", help="the LosslessRollout has nginx.http2"
    )
    checked.add_argument("--output", choices=("text", "json"), default="text")
    checked.add_argument(
        "--fail-on",
        choices=("error", "warning", "note"),
        default="warning",
        help="exit with 1 from this severity on; default: %(default)s",
    )


if __name__ == "__main__":
    sys.exit(main())
