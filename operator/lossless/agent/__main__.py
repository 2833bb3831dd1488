"""``python3 -m lossless.agent``: the status file first, everything else after it.

The kubelet starts the pod's next container as soon as this process exists, and nginx or a load
balancer may look for the status file at once.
"""

import os
import signal
import sys
import time
from dataclasses import replace
from typing import Final, NoReturn

from lossless.agent import files, survival
from lossless.agent.settings import Settings, read_settings

#: Seconds before another attempt to run at all.
RETRY: Final = 5.0


def main() -> int:
    """Run the agent until it is told to stop; return its exit code, always 0.

    As an init container that always restarts, an agent that failed would keep the pod from
    starting, or from stopping in order. So nothing is a reason to fail.
    """
    # Process 1 of a container ignores what it does not handle, and the imports take a moment.
    signal.signal(signal.SIGTERM, _leave)
    settings = replace(read_settings(os.environ), sandbox=survival.sandbox_id())
    problems = _come_back(settings)
    if not os.path.lexists(settings.paths.marker):
        problems += [files.show_status(path) for path in settings.paths.status_files]
    problems = list(filter(None, problems))
    for problem in problems:
        _tell(problem)
    # What was wrong at the start belongs into the reports as well.
    told = "; ".join(filter(None, [settings.problem, *problems]))
    settings = replace(settings, problem=told)
    while True:
        try:
            _run(settings)
        except Exception as error:  # noqa: BLE001 # see above
            # The event loop has put the default in its place, which process 1 ignores.
            signal.signal(signal.SIGTERM, _leave)
            _tell(f"the agent cannot run: {type(error).__name__}: {error}")
            time.sleep(RETRY)
        else:
            return 0


def _come_back(settings: Settings) -> list[str]:
    """Undo the drain that a marker tells of if the pod has survived it; return what went wrong.

    Once for each process: after a failure of its own, it goes on with its drain.
    """
    try:
        marker = files.read_marker(settings.paths.marker, 0.0, 0.0)
        proof = marker and survival.proof_of_survival(marker, settings.uid, settings.sandbox)
        if not proof:
            return []
        problems = survival.undo_drain(settings)
    except Exception as error:  # noqa: BLE001 # see main
        return [f"cannot take back the drain before: {type(error).__name__}: {error}"]
    _tell(f"the pod was asked to stop and lives on ({proof}): it serves again")
    left = survival.left_as_they_are(settings)
    if left:
        _tell(
            f"what {', '.join(left)} did when the pod was asked to stop is not taken back; if the"
            " containers concerned were not restarted, replace the pod"
        )
    return list(problems)


def _run(settings: Settings) -> None:
    # The agent speaks no TLS, and asyncio does without: 4 MB less in every pod.
    sys.modules.setdefault("ssl", None)  # type: ignore[arg-type] # documented: the import fails
    from lossless.agent.runtime import run  # noqa: PLC0415 # the status file comes first

    run(settings)


def _leave(_number: int, _frame: object) -> NoReturn:
    sys.exit(0)


def _tell(problem: str) -> None:
    sys.stderr.write(f"{problem}\n")


if __name__ == "__main__":
    sys.exit(main())
