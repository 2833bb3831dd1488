"""The commands of `python -m e2e.cluster`."""

from __future__ import annotations

import argparse
import os
import sys
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

from e2e.cluster import binaries, docker, images
from e2e.cluster.errors import ClusterError
from e2e.cluster.existing import Existing
from e2e.cluster.kind import Kind
from e2e.cluster.local import Local
from e2e.cluster.paths import Paths
from e2e.cluster.progress import Progress
from e2e.cluster.provider import PROVIDERS, Options, Provider, ProviderName
from e2e.cluster.record import Record, exclusive
from e2e.cluster.topology import DEFAULT_PROXY_MODE, PROXY_MODES

if TYPE_CHECKING:
    from collections.abc import Sequence

LAST_LINES = 200
"""How much of a log `logs COMPONENT` shows."""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(
        prog="python -m e2e.cluster", description="A real Kubernetes cluster for e2e and the demo."
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    up = commands.add_parser("up", help="bring the cluster up; harmless when it is")
    up.add_argument("--nodes", type=int, help="how many nodes (default: 2, or what is up)")
    up.add_argument("--provider", choices=("auto", *PROVIDERS), default="auto")
    up.add_argument(
        "--proxy-mode",
        choices=PROXY_MODES,
        help=f"kube-proxy's (default: {DEFAULT_PROXY_MODE}, or what is up)",
    )
    up.add_argument("--context", help="with --provider existing: the kubeconfig context to use")
    up.add_argument("--kubeconfig", type=Path, help="with --provider existing: where it is")

    commands.add_parser("down", help="take the cluster away without a trace")
    commands.add_parser("status", help="nodes and components; status 0 only if all is healthy")
    commands.add_parser("kubeconfig", help="print the path of the administrator's kubeconfig")
    commands.add_parser(
        "binaries",
        aliases=["bin"],
        help="build what is missing of kubectl, helm, fortio and the cluster, and print the folder",
    )

    load = commands.add_parser("load-image", help="bring docker archives onto every node")
    load.add_argument("archives", nargs="+", type=Path, metavar="TAR")

    client = commands.add_parser("client", help="run a command on a host outside the cluster")
    client.add_argument("--via", metavar="NODE", help="the node through which it enters Services")
    client.add_argument("argv", nargs="+", metavar="COMMAND", help="after --")

    logs = commands.add_parser("logs", help="list the log files, or show the end of one")
    logs.add_argument("component", nargs="?", help="such as kubelet or node1.kubelet")

    build = commands.add_parser("build-image", help="build a Dockerfile into a docker archive")
    build.add_argument("--file", type=Path, required=True, help="the Dockerfile")
    build.add_argument("--target", default="", help="the stage to build (default: the last)")
    build.add_argument("--tag", required=True, help="such as localhost/app:1")
    build.add_argument("--context", type=Path, required=True, help="the folder that COPY sees")
    build.add_argument("--build-arg", action="append", default=[], metavar="NAME=VALUE")
    build.add_argument("archive", type=Path, metavar="OUT.tar")
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit status."""
    arguments = parser().parse_args(argv)
    progress = Progress()
    try:
        return run(arguments, Paths.of_user(), progress)
    except ClusterError as error:
        progress.say(f"error: {error}")
        return 1
    except OSError as error:  # a full or read-only disk, say: nobody needs a traceback for that
        progress.say(f"error: {error}")
        return 1
    except KeyboardInterrupt:
        progress.say("Interrupted. `up` and `down` both clean up what is half done.")
        return 130


def run(arguments: argparse.Namespace, paths: Paths, progress: Progress) -> int:
    """Run a parsed command.

    Raises:
        ClusterError: What it says.
    """
    match arguments.command:
        case "up":
            return _up(arguments, paths, progress)
        case "down":
            return _down(paths, progress)
        case "status":
            status = current(paths, progress).status()
            print(status.render())
            return 0 if status.healthy else 1
        case "kubeconfig":
            current(paths, progress)
            print(paths.kubeconfig)
        case "binaries" | "bin":
            with exclusive(paths.lock, progress):
                names = binaries.KIND if docker.engine_answers() else binaries.LOCAL
                binaries.ensure(names, paths, progress)
            print(paths.bin)
        case "load-image":
            current(paths, progress).load_image(arguments.archives)
        case "client":
            command = current(paths, progress).client_command(arguments.argv, arguments.via)
            os.execvp(command[0], command)  # noqa: S606 - the client's signals and status are ours
        case "logs":
            return _logs(arguments.component, current(paths, progress), progress)
        case "build-image":
            return _build_image(arguments, paths, progress)
        case other:
            raise AssertionError(other)
    return 0


def provider(name: str, paths: Paths, progress: Progress) -> Provider:
    """The provider of that name."""
    makers: dict[str, type[Local | Kind | Existing]] = {
        "local": Local,
        "kind": Kind,
        "existing": Existing,
    }
    return makers[name](paths, progress)


def current(paths: Paths, progress: Progress) -> Provider:
    """The provider of the cluster that is up.

    Raises:
        ClusterError: None is.
    """
    record = Record.read(paths)
    if record is None:
        raise ClusterError("No cluster is up.", "Run `python -m e2e.cluster up`.")
    return provider(record.provider, paths, progress)


def choose(asked: str, up: str | None, *, engine_answers: bool) -> ProviderName:
    """Which provider `up` uses.

    Args:
        asked: The user's word: "auto" or a provider.
        up: The provider of the cluster that is up, or was being made.
        engine_answers: Whether a Docker engine does.

    Raises:
        ClusterError: Another provider's cluster is up.
    """
    names = {str(name): name for name in PROVIDERS}
    if asked == "auto":
        return names[up] if up else "kind" if engine_answers else "local"
    if up not in {None, asked}:
        raise ClusterError(
            f"--provider {asked} was asked for, but a cluster of provider {up} is up.",
            "Run `python -m e2e.cluster down` first.",
        )
    return names[asked]


def _up(arguments: argparse.Namespace, paths: Paths, progress: Progress) -> int:
    options = Options(
        nodes=arguments.nodes,
        proxy_mode=arguments.proxy_mode,
        context=arguments.context,
        kubeconfig=arguments.kubeconfig,
    )
    with exclusive(paths.lock, progress):
        record = Record.read(paths)
        name = choose(
            arguments.provider,
            record.provider if record else None,
            engine_answers=arguments.provider == "auto" and docker.engine_answers(),
        )
        if name != "existing" and (arguments.context or arguments.kubeconfig):
            raise ClusterError(
                f"--context and --kubeconfig mean nothing to provider {name}.",
                "Use --provider existing with them, or leave them out.",
            )
        provider(name, paths, progress).up(options)
    progress.say(f"The cluster is up. export KUBECONFIG={paths.kubeconfig}")
    return 0


def _down(paths: Paths, progress: Progress) -> int:
    with exclusive(paths.lock, progress):
        record = Record.read(paths)
        # Without a record the local provider still finds what a killed run left behind.
        provider(record.provider if record else "local", paths, progress).down()
    return 0


def _logs(component: str | None, cluster: Provider, progress: Progress) -> int:
    logs = cluster.logs()
    if component is None:
        for label, path in logs.items():
            print(f"{label:<28} {path}")
        return 0
    chosen = {
        label: path
        for label, path in logs.items()
        if label == component or label.partition(".")[2] == component
    }
    if not chosen:
        raise ClusterError(
            f"There is no component {component!r}.", f"Choose one of {', '.join(logs)}."
        )
    for label, path in chosen.items():
        progress.say(f"==> {label}: {path}")
        with path.open(errors="replace") as log:
            sys.stdout.writelines(deque(log, maxlen=LAST_LINES))
    return 0


def _build_image(arguments: argparse.Namespace, paths: Paths, progress: Progress) -> int:
    values = {}
    for word in arguments.build_arg:
        name, equals, value = word.partition("=")
        if not equals:
            raise ClusterError(f"--build-arg {word}: there is no `=`.", "Write NAME=VALUE.")
        values[name] = value
    images.build(
        images.Build(
            dockerfile=arguments.file,
            context=arguments.context,
            tag=arguments.tag,
            target=arguments.target,
            arguments=values,
        ),
        arguments.archive,
        paths,
        progress,
    )
    return 0
