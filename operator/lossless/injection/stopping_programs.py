"""Which programs, run how, end a server: by their manuals, and ``stop`` said to anything. Pure."""

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Final

from lossless.injection.shell_commands import base_name

_SIGNALS: Final = {
    "0": "0",
    "1": "HUP",
    "2": "INT",
    "3": "QUIT",
    "6": "ABRT",
    "9": "KILL",
    "10": "USR1",
    "12": "USR2",
    "14": "ALRM",
    "15": "TERM",
    "17": "CHLD",
    "18": "CONT",
    "19": "STOP",
    "28": "WINCH",
}
#: Signals by which servers end, and those that most of them take for something else.
_ENDING: Final = frozenset({"TERM", "INT", "QUIT", "KILL", "ABRT", "ALRM", "STOP", "USR1"})
#: Whoever is told by name to end at a signal, or not to: their manuals. In a hook of anything else
#: USR1 ends: that is the kernel's default, and HAProxy's soft stop.
_LIVE_ON: Final[Mapping[str, frozenset[str]]] = {
    **dict.fromkeys(
        ("nginx", "openresty", "httpd", "apache", "php-fpm", "php", "envoy", "gunicorn", "uwsgi"),
        frozenset({"USR1"}),
    ),
    **dict.fromkeys(
        ("puma", "unicorn", "traefik", "caddy", "node", "varnish", "lighttpd"), frozenset({"USR1"})
    ),
}
#: WINCH is a graceful end to these, and nothing to others.
_END_AT_WINCH: Final = ("nginx", "openresty", "httpd", "apache")
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
#: What is asked to end over HTTP, by path: Envoy's and Istio's, Spring Boot's, Prometheus'.
QUIT_PATH: Final = re.compile(r"/quitquitquit\b|/actuator/shutdown\b|/-/quit\b")
#: Scripts that servers bring along: Kafka, ZooKeeper and their like, Tomcat. ``/stop.sh`` may be
#: anybody's, and do anything.
_STOP_SCRIPT: Final = re.compile(r".+-server-stop(\.sh)?|shutdown\.sh|stop-(server|all)(\.sh)?")
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
    if program in _SYSTEM or _STOP_SCRIPT.fullmatch(program):
        return True
    words = [
        word.lower()
        for before, word in zip(["", *arguments], arguments, strict=False)
        if not word.startswith("-") and before not in _TELLING
    ]
    options = {argument.partition("=")[0].lower() for argument in arguments}
    return bool({*words[:_FIRST_WORDS]} & (_STOP | _RESTART)) or bool(options & _STOP_OPTIONS)


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
    targets = [argument for argument in arguments if not argument.startswith("-")]
    own = ("%", "$!")
    if {"-l", "-L", "--list"} & set(arguments) or not targets:
        return False
    if all(target.startswith(own) for target in targets):
        return False  # what the hook itself has begun
    return _at(_signal(arguments), f"{about} {' '.join(targets).lower()}")


def _by_name(arguments: Sequence[str], about: str) -> bool:
    targets = [argument for argument in arguments if not argument.startswith("-")]
    if {"-l", "--list", "-V", "--version"} & set(arguments) or not targets:
        return False
    return _at(_signal(arguments), f"{about} {' '.join(targets).lower()}")


def _at(signal: str, about: str) -> bool:
    """Return whether the server that ``about`` is about ends at a signal."""
    if signal == "WINCH":
        return any(server in about for server in _END_AT_WINCH)
    lives_on = any(signal in signals for name, signals in _LIVE_ON.items() if name in about)
    return signal in _ENDING and not lives_on


def _signal(arguments: Sequence[str]) -> str:
    """Return the signal that is sent, as its bare name; ``0`` sends none."""
    for key, value in zip(arguments, [*arguments[1:], ""], strict=True):
        if key in {"-s", "-n", "--signal"}:
            return _normal(value)
        if key.startswith("--signal="):
            return _normal(key.partition("=")[2])
        if key.startswith("-s") and _normal(key[2:]) in _SIGNALS.values():
            return _normal(key[2:])
        bare = _normal(key[1:]) if key.startswith("-") else ""
        if bare in _SIGNALS.values():
            return bare
    return "TERM"


def _normal(signal: str) -> str:
    name = signal.upper().removeprefix("SIG")
    return _SIGNALS.get(name, name)


def _supervisor(arguments: Sequence[str], about: str) -> bool:
    words = [argument for argument in arguments if not argument.startswith("-")]
    if "signal" in words:
        _, _, signal = " ".join(words).partition("signal ")
        return _at(_normal(signal.partition(" ")[0]), f"{about} {signal.lower()}")
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
    return _at(_normal(signals[0]), about) if signals else True


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
