"""The command line of ``kubectl lossless``: verbs, options and their help. Nothing is done here."""

import argparse
from typing import Final, NoReturn

from lossless import __version__
from lossless.model.durations import parse_duration
from lossless.plugin.exits import UsageError

NAME_HELP: Final = "LosslessRollout, as web, llr/web, or by its target: deploy/web"
_EPILOG: Final = (
    "Exit codes: 0 done; 1 failed, the last line says why; 2 wrong options; 3 check found"
    " something (see --fail-on); 130 interrupted; 141 nobody reads the output."
)
#: ``-o`` of each verb that has one.
OUTPUTS: Final = {
    "status": ("wide", "json", "yaml"),
    "explain": ("json", "yaml"),
    "check": ("json", "yaml"),
    "render": ("json", "yaml"),
    "history": ("json", "yaml"),
}


class Parser(argparse.ArgumentParser):
    """Raises instead of ending the process, so that one place decides about exit codes."""

    def error(self, message: str) -> NoReturn:
        """Refuse the command line.

        Raises:
            UsageError: always.
        """
        raise UsageError(f"{message}\nSee what there is: {self.prog} --help")


def parser() -> Parser:
    """Return the whole command line."""
    main = Parser(
        prog="kubectl lossless",
        description="See, check and steer lossless rollouts.",
        epilog=_EPILOG,
        allow_abbrev=False,
    )
    main.add_argument("--version", action="version", version=__version__)
    verbs = main.add_subparsers(dest="verb", required=True, metavar="VERB", parser_class=Parser)
    where = _where()

    def verb(name: str, help_: str, *, scope: bool = False) -> argparse.ArgumentParser:
        parents = [where, _scope()] if scope else [where]
        added = verbs.add_parser(
            name, help=help_, description=help_, parents=parents, epilog=_EPILOG, allow_abbrev=False
        )
        outputs = OUTPUTS.get(name)
        if outputs:
            added.add_argument(
                "-o", "--output", choices=outputs, default="", help="default: text for people"
            )
        return added

    status = verb("status", "Show how rollouts stand: pods, connections, drains.", scope=True)
    status.add_argument("name", nargs="?", metavar="NAME", help=NAME_HELP)
    status.add_argument("-w", "--watch", action="store_true", help="follow it until Ctrl-C")

    explain = verb("explain", "Explain why a pod is not drained: each piece of evidence.")
    explain.add_argument("pod", metavar="POD", help="name of the pod")

    check = verb("check", "Find what is wrong with a set-up before it hurts.", scope=True)
    check.add_argument("name", nargs="?", metavar="NAME", help=NAME_HELP)
    _files(check, "look at manifests instead of a cluster", required=False)
    check.add_argument(
        "--fail-on",
        choices=("error", "warning", "note", "never"),
        default="error",
        help="mildest finding that makes the exit code 3 (default: error)",
    )

    check.add_argument(
        "--accept",
        action="append",
        default=[],
        metavar="CODE[,CODE]",
        help="findings that fail nothing, such as LL104; may be repeated",
    )

    render = verb("render", "Show what would be injected, as a diff of the pod template.")
    _files(render, "manifests with workloads and their LosslessRollouts", required=True)
    render.add_argument("--agent-image", default="", metavar="IMAGE", help="image of the agent")
    render.add_argument(
        "--no-gate", action="store_true", help="as if no controller were alive: without the gate"
    )

    for name, help_ in (
        ("restart", "Replace all pods, one after another, as kubectl rollout restart does."),
        ("pause", "Hold the rollout where it is: no new pod takes an old one's place."),
        ("resume", "Let a paused rollout go on, whoever paused it."),
        ("undo", "Go back to the revision before, as kubectl rollout undo does."),
        ("history", "Show what past rollouts did."),
    ):
        added = verb(name, help_)
        added.add_argument("name", metavar="NAME", help=NAME_HELP)
        if name == "undo":
            added.add_argument(
                "--to-revision",
                type=int,
                default=0,
                metavar="N",
                help="default: the revision before the newest",
            )
        if name == "history":
            added.add_argument(
                "--html", metavar="FILE", help="write a self-contained page; - for standard output"
            )
    return main


def _where() -> Parser:
    where = Parser(add_help=False, allow_abbrev=False)
    group = where.add_argument_group("where (as with every kubectl command)")
    group.add_argument("-n", "--namespace", metavar="NS", help="default: that of the context")
    group.add_argument("--context", metavar="NAME", help="default: the current one")
    group.add_argument("--kubeconfig", metavar="FILE", help="default: $KUBECONFIG, ~/.kube/config")
    group.add_argument(
        "--request-timeout",
        type=_timeout,
        default=15.0,
        metavar="TIME",
        help="for one request, such as 5s; default: 15s",
    )
    return where


def _scope() -> Parser:
    scope = Parser(add_help=False, allow_abbrev=False)
    scope.add_argument("-A", "--all-namespaces", action="store_true", help="look everywhere")
    return scope


def _files(to: argparse.ArgumentParser, help_: str, *, required: bool) -> None:
    to.add_argument(
        "-f",
        "--filename",
        action="append",
        default=[],
        required=required,
        metavar="FILE",
        help=f"{help_}; a file, a folder or - for standard input; may be repeated",
    )


def _timeout(text: str) -> float:
    """Return seconds: a bare number, as kubectl takes it, or a duration."""
    try:
        seconds = float(text) if text.isdecimal() else parse_duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    if not seconds:
        # Kubectl takes 0 for "no limit"; here every request ends.
        raise argparse.ArgumentTypeError(f"{text!r}: must be more than 0; write for example 30s")
    return seconds
