"""Which programs, run how, end a server: by their manuals, and ``stop`` said to anything. Pure."""

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Final

from lossless.injection.shell_commands import base_name
from lossless.injection.signals import ends_at, signal_in, signal_name

#: Words by which programs of many kinds end what they steer.
_STOP: Final = frozenset(
    {
        *("stop", "shutdown", "graceful-stop", "force-stop", "fast-stop", "quit", "halt"),
        *("stop_app", "stopdaemon", "stop-domain", "stop-server", "kill", "terminate"),
    }
)
#: Those among them that end it for a moment.
_RESTART: Final = frozenset({"restart", "force-restart"})
#: Options that do it.
_STOP_OPTIONS: Final = frozenset({"--stop", "--shutdown", "--quit", "--kill"})
#: Programs to whom words are only words.
_QUIET: Final = frozenset(
    {
        *("echo", "printf", "logger", "test", "[", "[[", "grep", "egrep", "cat", "touch", "rm"),
        *("sleep", "cd", "export", "set", "trap", "true", "false", "ls", "sed", "awk", "cp", "mv"),
        *("mkdir", "chmod", "chown", "find", "pgrep", "pidof", "ps", "wait", "read", "date", "tee"),
        # Their shutdown managers have Envoy drain, and wait.
        *("contour", "envoy-gateway"),
        *("local", "return", "exit", "for", "case", "function", "alias", "head", "tail", "jq"),
    }
)
#: What is asked over HTTP to end, or to listen no more: Envoy, Istio, Spring Boot, Prometheus.
QUIT_PATH: Final = re.compile(r"/quitquitquit\b|/actuator/shutdown\b|/-/quit\b|/drain_listeners\b")
#: Scripts that servers bring along: Kafka, ZooKeeper and their like, Tomcat. ``/stop.sh`` may be
#: anybody's, and do anything.
_STOP_SCRIPT: Final = re.compile(r".+-server-stop(\.sh)?|shutdown\.sh|stop-(server|all)(\.sh)?")
#: What a hook has begun itself, in the background.
_OF_THE_HOOK: Final = ("%", "$!")
#: Interpreters, of whose programs only a call of kill is known, and a task's name.
_LANGUAGES: Final = ("python", "node", "perl", "ruby", "php", "lua")
_KILLS: Final = re.compile(r"\bkill\s*\((?![^)]*,\s*0\s*\))|\bkill\s+['\"]")
_TASK: Final = re.compile(r"[a-z0-9_.-]+:(stop|terminate|shutdown|halt)")
#: System V's way to call a service.
_INIT: Final = "/init.d/"
#: ingress-nginx's own hook sends SIGTERM to its controller, and waits until nginx is gone
#: (kubernetes/ingress-nginx cmd/waitshutdown/main.go).
_SYSTEM: Final = frozenset({"poweroff", "halt", "reboot", "killall5", "wait-shutdown"})
#: Options whose word says what happens, not what is to happen.
_TELLING: Final = frozenset({"--event", "--state", "--status", "--phase", "--reason", "--message"})
#: Positional words among which a program's own command is: ``pg_ctl -D FOLDER -m fast stop``.
_FIRST_WORDS: Final = 4


def ends(command: Sequence[str], about: str) -> bool:
    """Return whether a simple command ends a server.

    Args:
        command: its words, the program first; not empty.
        about: which server it is, in lower case: the container's name, its image.
    """
    program = "service" if _INIT in command[0] else base_name(command[0])
    return _ends(program, command[1:], about)


def _ends(program: str, arguments: Sequence[str], about: str) -> bool:
    """Return whether a program that is run so ends a server."""
    known = _KNOWN.get(program)
    if known is not None:
        return known(arguments, about)
    if program in _QUIET:
        return False
    if program.startswith(_LANGUAGES):
        if any(_KILLS.search(argument) for argument in arguments):
            return True
        arguments = [word for word in arguments if _TASK.fullmatch(word)]
    if program in _SYSTEM or _STOP_SCRIPT.fullmatch(program):
        return True
    words = [
        word.lower()
        for before, word in zip(["", *arguments], arguments, strict=False)
        if not word.startswith("-") and before not in _TELLING
    ]
    options = {argument.partition("=")[0].lower() for argument in arguments}
    return bool(
        {*words[:_FIRST_WORDS]} & (_STOP | _RESTART)
        or options & _STOP_OPTIONS
        or any(map(_TASK.fullmatch, words))
    )


def _after(arguments: Sequence[str], *options: str) -> list[str]:
    """Return the words that follow an option, or are its other half."""
    found = [value for key, value in pairwise(arguments) if key in options]
    for argument in arguments:
        for option in options:
            glued = option.startswith("--") and argument.startswith(f"{option}=")
            short = not option.startswith("--") and argument.startswith(option)
            if glued or (short and argument != option):
                found.append(argument[len(option) :].lstrip("="))
    return found


def _nginx(arguments: Sequence[str], about: str) -> bool:  # noqa: ARG001 # one of a table
    return bool({"quit", "stop"} & set(_after(arguments, "-s")))


def _apache(arguments: Sequence[str], about: str) -> bool:  # noqa: ARG001 # one of a table
    said = {*_after(arguments, "-k"), *arguments[:1]}
    return bool({"stop", "graceful-stop"} & said)


def _squid(arguments: Sequence[str], about: str) -> bool:  # noqa: ARG001 # one of a table
    return bool({"shutdown", "kill", "interrupt"} & set(_after(arguments, "-k")))


def _haproxy(arguments: Sequence[str], about: str) -> bool:  # noqa: ARG001 # one of a table
    # The new process takes the port, and the old one, whom the kubelet knows, ends.
    return bool({"-sf", "-st"} & set(arguments))


def _kill(arguments: Sequence[str], about: str) -> bool:
    if {"-l", "-L", "--list"} & set(arguments):
        return False
    # The signal stands first; then come targets, also groups of processes such as -1.
    signal = list(arguments[:1]) if arguments[:1] != ["--"] else []
    signal = list(arguments[:2]) if signal and signal[0] in {"-s", "-n", "--signal"} else signal
    signal = signal if signal and signal[0].startswith("-") else []
    targets = [target for target in arguments[len(signal) :] if target != "--"]
    if not targets or all(target.startswith(_OF_THE_HOOK) for target in targets):
        return False
    return ends_at(signal_in(signal), f"{about} {' '.join(targets).lower()}")


def _by_name(arguments: Sequence[str], about: str) -> bool:
    targets = [argument for argument in arguments if not argument.startswith("-")]
    if {"-l", "--list", "-V", "--version"} & set(arguments) or not targets:
        return False
    return ends_at(signal_in(arguments), f"{about} {' '.join(targets).lower()}")


def _supervisor(arguments: Sequence[str], about: str) -> bool:
    words = [argument for argument in arguments if not argument.startswith("-")]
    if "signal" in words:
        _, _, signal = " ".join(words).partition("signal ")
        return ends_at(signal_name(signal.partition(" ")[0]), f"{about} {signal.lower()}")
    return bool({"stop", "shutdown", "restart"} & set(words))


def _runit(arguments: Sequence[str], about: str) -> bool:  # noqa: ARG001 # one of a table
    return bool({"down", "d", "stop", "exit", "force-stop", "shutdown"} & set(arguments[:1]))


def _s6(arguments: Sequence[str], about: str) -> bool:  # noqa: ARG001 # one of a table
    letters = "".join(argument[1:] for argument in arguments if argument.startswith("-"))
    return bool(set("dtkqix") & set(letters))


def _start_stop(arguments: Sequence[str], about: str) -> bool:
    if not {"--stop", "-K"} & set(arguments):
        return False
    signals = _after(arguments, "--signal", "-s")
    return ends_at(signal_name(signals[0]), about) if signals else True


def _fuser(arguments: Sequence[str], about: str) -> bool:  # noqa: ARG001 # one of a table
    return any(argument.startswith("-") and "k" in argument for argument in arguments)


def _http(arguments: Sequence[str], about: str) -> bool:  # noqa: ARG001 # one of a table
    return any(QUIT_PATH.search(argument) for argument in arguments)


def _redis(arguments: Sequence[str], about: str) -> bool:  # noqa: ARG001 # one of a table
    return "shutdown" in {argument.lower() for argument in arguments}


def _mongo(arguments: Sequence[str], about: str) -> bool:  # noqa: ARG001 # one of a table
    return any("shutdownserver" in argument.lower() for argument in arguments) or (
        "--shutdown" in arguments
    )


def _jboss(arguments: Sequence[str], about: str) -> bool:  # noqa: ARG001 # one of a table
    return any(re.search(r"(:|^|=)shutdown\b", argument) for argument in arguments)


def _nats(arguments: Sequence[str], about: str) -> bool:  # noqa: ARG001 # one of a table
    said = {word.partition("=")[0] for word in _after(arguments, "--signal", "-signal", "-sl")}
    return bool({"stop", "quit", "term", "ldm"} & said)


def _drain(arguments: Sequence[str], about: str) -> bool:  # noqa: ARG001 # one of a table
    return bool({"drain", "stopdaemon"} & set(arguments))


def _rabbit(arguments: Sequence[str], about: str) -> bool:  # noqa: ARG001 # one of a table
    return bool({"stop", "stop_app", "shutdown", "reset", "close_all_connections"} & {*arguments})


_Known = Callable[[Sequence[str], str], bool]
#: What these mean is not said by the word ``stop`` alone.
_KNOWN: Final[Mapping[str, _Known]] = {
    **dict.fromkeys(("nginx", "openresty", "angie", "freenginx", "tengine", "nginx-debug"), _nginx),
    **dict.fromkeys(("apachectl", "apache2ctl", "httpd", "apache2"), _apache),
    "squid": _squid,
    "haproxy": _haproxy,
    **dict.fromkeys(("kill", "skill"), _kill),
    **dict.fromkeys(("pkill", "killall"), _by_name),
    "supervisorctl": _supervisor,
    "sv": _runit,
    **dict.fromkeys(("s6-svc", "s6-rc"), _s6),
    "start-stop-daemon": _start_stop,
    "fuser": _fuser,
    **dict.fromkeys(("curl", "wget", "http"), _http),
    "redis-cli": _redis,
    **dict.fromkeys(("mongo", "mongosh", "mongod"), _mongo),
    **dict.fromkeys(("jboss-cli.sh", "jboss-cli"), _jboss),
    **dict.fromkeys(("nats-server", "gnatsd"), _nats),
    **dict.fromkeys(("nodetool", "rabbitmq-upgrade"), _drain),
    "rabbitmqctl": _rabbit,
}
