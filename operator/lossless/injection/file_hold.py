"""The hold by a file: a shell in the container waits, whatever becomes of the agent.

It does first what the container's own hook did, then waits for a file in the shared volume. POSIX
``sh`` and ``sleep`` are all it needs, so dash and busybox do. Where there is no shell it fails at
once, as a hook that cannot be run; so it is used only where there is one (``hooks``).

In nginx's container it may also have nginx reload, before anything else, so that clients are told
to leave: only in a drain, and only if the drain has not ended before its time comes. It may do so
again each time that the agent asks for it by a file.
"""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any, Final

from lossless.injection.nginx_reload import Reloading
from lossless.model.names import DRAINING_FILE, FILE_HOLD, RELEASED_FILE, RELOAD_FILE

#: Shells that a hook may name as its program. Each runs the script below.
_SHELLS: Final = frozenset({"sh", "ash", "bash", "dash", "ksh", "zsh"})
DEFAULT_SHELL: Final = "/bin/sh"
#: Seconds to wait for a drain to start, as by HTTP: a hook also runs when one container is
#: restarted by its liveness probe.
GRACE: Final = 5
#: Own work in a subshell: an ``exit`` in it must not be ours.
_SCRIPT: Final = """\
( "$@" )
code=$?
n=0
until [ -e {draining} ]; do
  [ "$n" -lt {grace} ] || exit "$code"
  sleep 1 || exit "$code"
  n=$((n + 1))
done
until [ -e {released} ]; do
  [ "$n" -lt {limit} ] || exit "$code"
  sleep 1 || exit "$code"
  n=$((n + 1))
done
exit "$code"
"""
#: In the background, because nginx looks up host names before it reloads, and in the container's
#: log, because nobody reads what a hook prints. ``>>``: a log may be a file.
_RELOAD: Final = """\
n=0
until [ -e {draining} ]; do
  [ "$n" -lt {grace} ] && sleep 1 || {{ ( "$@" ); exit; }}
  n=$((n + 1))
done
n=0
until [ -e {released} ] || [ "$n" -ge {after} ]; do
  sleep 1 || {{ ( "$@" ); exit; }}
  n=$((n + 1))
done
if [ ! -e {released} ]; then
  log=/dev/null
  ( exec 2>>{log} ) 2>/dev/null && log={log}
  {{ {work}; }} \
    </dev/null >>"$log" 2>&1 &
fi
"""
_ONCE: Final = '{command} || echo "lossless: nginx was not reloaded, {who} stay"'
#: Without that directive a reload closes idle connections under their clients, so there is none.
_IF_KEPT: Final = """\
case "$({printing} 2>&1)" in
  *keepalive_min_timeout*) {once} ;;
  *) echo "lossless: nginx was not reloaded, clients stay: no keepalive_min_timeout in" \
    {quoted} ;;
esac"""
_AGAIN: Final = """\
{once}
  n=2
  s=0
  until [ -e {released} ] || [ "$s" -ge {limit} ]; do
    if [ -e {reload}.$n ]; then
      n=$((n + 1))
      {once}
    fi
    sleep 1 || exit
    s=$((s + 1))
  done"""
#: Standard error of the container's first process.
LOG: Final = "/proc/1/fd/2"


def file_hold(
    container: str,
    own: Sequence[str],
    *,
    program: str,
    limit: int,
    reloading: Reloading | None = None,
) -> dict[str, Any]:
    """Return the hook.

    Args:
        container: its name, a DNS label.
        own: what its own hook runs; empty if it had none.
        program: the shell.
        limit: seconds after which it ends even if the agent is dead.
        reloading: that of nginx, if it runs there.
    """
    files = {"draining": DRAINING_FILE, "released": f"{RELEASED_FILE}.{container}"}
    script = ""
    if reloading is not None:
        limit -= reloading.after
        work = _work(reloading, files, limit)
        script = _RELOAD.format(**files, grace=GRACE, after=reloading.after, work=work, log=LOG)
    script += _SCRIPT.format(**files, grace=GRACE, limit=limit)
    return {"exec": {"command": [program, "-c", script, FILE_HOLD, *own]}}


def _work(reloading: Reloading, files: Mapping[str, str], limit: int) -> str:
    command = shlex.join(reloading.command)
    if not reloading.again:
        return _ONCE.format(command=command, who="HTTP/2 clients")
    once = _ONCE.format(command=command, who="clients")
    if reloading.printing:
        printing = shlex.join(reloading.printing)
        quoted = shlex.quote(printing)
        once = _IF_KEPT.format(printing=printing, once=once, quoted=quoted)
    return _AGAIN.format(once=once, released=files["released"], reload=RELOAD_FILE, limit=limit)


def is_file_hold(command: Sequence[str]) -> bool:
    """Return whether a preStop that runs this is one of ours."""
    return [*command[1:2], *command[3:4]] == ["-c", FILE_HOLD]


def own_command(command: tuple[str, ...]) -> tuple[str, ...]:
    """Return what the container's own ``exec`` hook runs, wrapped by us or not; empty if none."""
    return command[4:] if is_file_hold(command) else command


def shell_of(command: Sequence[str]) -> str:
    """Return the shell that a command is run by; empty if it names none.

    A hook that is run by a shell says that its container has one, which nothing else does.
    """
    program = command[0] if command else ""
    name = program.rpartition("/")[2]
    return program if name in _SHELLS else ""
