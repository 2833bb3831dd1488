"""What happened when: pods as the API server showed them, and what the test itself did.

A lost request is attributed by this: which step came last before it, and what its pod was doing.
"""

import json
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from e2e.load.report import Failure
from e2e.support.kubectl import Kubectl
from lossless.model.names import AGENT_CONTAINER, GATE

#: At most so many containers of a pod are followed; kubectl's own limit is 5.
_CONTAINERS: Final = 20
_CONDITIONS: Final = {"Ready": ("ready", "not ready"), GATE: ("gate opened", "gate shut")}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened."""

    at: float
    """Seconds since the epoch, as seen here."""
    what: str
    pod: str = ""
    """Empty: what the test did."""

    def __str__(self) -> str:
        return f"{self.pod} {self.what}" if self.pod else self.what


def steps_between(before: Mapping[str, Any], after: Mapping[str, Any], at: float) -> list[Step]:
    """Return what changed from one sight of a pod to the next.

    Args:
        before: the pod; empty if it was not there.
        after: the pod; empty if it is gone.
        at: when ``after`` was seen, in seconds since the epoch.
    """
    name = (after or before)["metadata"]["name"]
    if not after:
        return [Step(at, "gone", name)]
    told = []
    if not before:
        told.append(f"created ({_agent(after)})")
    if _stopping(after) and not _stopping(before):
        grace = after["metadata"].get("deletionGracePeriodSeconds")
        told.append(f"asked to stop, grace {grace} s")
    old, new = _conditions(before), _conditions(after)
    for kind, (yes, no) in _CONDITIONS.items():
        was, is_now = old.get(kind, "False"), new.get(kind, "False")
        if was != is_now:
            told.append(yes if is_now == "True" else no)
    ended = _ends(before)
    for container, end in _ends(after).items():
        if container not in ended:
            words = f": {end['message'].strip()}" if end.get("message") else ""
            told.append(f"container {container} ended with {end.get('exitCode')}{words}")
    restarts = restarts_of(before)
    for container, count in restarts_of(after).items():
        if before and count > restarts.get(container, 0):
            told.append(f"container {container} restarted")
    return [Step(at, text, name) for text in told]


def _agent(pod: Mapping[str, Any]) -> str:
    containers = pod["spec"].get("initContainers", [])
    injected = any(container["name"] == AGENT_CONTAINER for container in containers)
    return "with agent" if injected else "without agent"


def _stopping(pod: Mapping[str, Any]) -> bool:
    return bool(pod) and "deletionTimestamp" in pod["metadata"]


def _conditions(pod: Mapping[str, Any]) -> dict[str, str]:
    rows = pod.get("status", {}).get("conditions", [])
    return {row["type"]: row["status"] for row in rows}


def _statuses(pod: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    status = pod.get("status", {})
    yield from status.get("initContainerStatuses", [])
    yield from status.get("containerStatuses", [])


def _ends(pod: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {
        row["name"]: row["state"]["terminated"]
        for row in _statuses(pod)
        if "terminated" in row.get("state", {})
    }


def restarts_of(pod: Mapping[str, Any]) -> dict[str, int]:
    """Return how often each of a pod's containers was restarted, native sidecars too."""
    return {row["name"]: row["restartCount"] for row in _statuses(pod)}


def cause_of(failure: Failure, steps: Sequence[Step]) -> str:
    """Return in words what happened last before a request was lost.

    Args:
        failure: the lost request.
        steps: in order of time.
    """
    before = [step for step in steps if step.at <= failure.at]
    own = [step for step in before if step.pod and step.pod == failure.pod]
    last = dict.fromkeys((*before[-1:], *own[-1:]))
    if not last:
        return "before the first step"
    sent = failure.at - failure.waited
    return "; ".join(
        f"sent {abs(sent - step.at):.2f} s {'after' if sent >= step.at else 'before'}: {step}"
        for step in last
    )


class Timeline:
    """Watches the pods of a namespace from a thread; thread-safe to read.

    With ``logs`` every pod's containers are followed into files there, because the log of a pod
    that is gone cannot be had any more when a test has failed.
    """

    def __init__(self, kubectl: Kubectl, logs: Path | None = None) -> None:
        self._kubectl = kubectl
        self._logs = logs
        self._lock = threading.Lock()
        self._steps: list[Step] = []
        self._pods: dict[str, dict[str, Any]] = {}
        self._children: list[subprocess.Popen[str]] = []
        self._followed: set[str] = set()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="timeline", daemon=True)
        self._thread.start()

    @property
    def steps(self) -> list[Step]:
        """Everything so far, in order of time."""
        with self._lock:
            return sorted(self._steps, key=lambda step: step.at)

    def mark(self, what: str) -> None:
        """Note what the test is about to do."""
        with self._lock:
            self._steps.append(Step(time.time(), what))

    def close(self) -> None:
        """Stop watching."""
        self._stopped.set()
        with self._lock:
            children = list(self._children)
        for child in children:
            child.terminate()
        for child in children:
            child.wait(timeout=10)
        self._thread.join(timeout=10)

    def _watch(self) -> None:
        argv = self._kubectl.argv(
            "get", "pods", "--watch", "--output-watch-events", "--output=json"
        )
        while not self._stopped.is_set():
            watch = self._start(argv, subprocess.PIPE)
            if watch is None:
                return
            assert watch.stdout is not None  # asked for above
            for line in watch.stdout:  # With --output-watch-events, one document a line.
                event = json.loads(line)
                self._take(event["type"], event["object"])
            watch.stdout.close()
            watch.wait()
            # kubectl ends a watch when the API server does; the next one shows all pods again.
            self._stopped.wait(0.5)

    def _take(self, kind: str, pod: dict[str, Any]) -> None:
        if pod.get("kind") != "Pod":
            return
        uid = pod["metadata"]["uid"]
        with self._lock:
            before = self._pods.get(uid, {})
            if kind == "DELETED":
                # The last sight of a pod carries the last words of its containers.
                self._steps += steps_between(before, pod, time.time())
                self._steps += steps_between(pod, {}, time.time())
                self._pods.pop(uid, None)
            else:
                self._steps += steps_between(before, pod, time.time())
                self._pods[uid] = pod
        if self._logs is not None and uid not in self._followed and _running(pod):
            self._followed.add(uid)
            name = pod["metadata"]["name"]
            argv = self._kubectl.argv(
                *("logs", name, "--all-containers", "--follow", "--prefix", "--timestamps"),
                f"--max-log-requests={_CONTAINERS}",
            )
            with (self._logs / f"{name}.log").open("w") as file:
                self._start(argv, file)

    def _start(self, argv: list[str], output: int | IO[str]) -> subprocess.Popen[str] | None:
        with self._lock:
            if self._stopped.is_set():
                return None
            child = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.DEVNULL, text=True
            )
            self._children.append(child)
            return child


def _running(pod: Mapping[str, Any]) -> bool:
    rows = list(_statuses(pod))
    return bool(rows) and all("running" in row.get("state", {}) for row in rows)
