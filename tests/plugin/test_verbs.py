"""Each verb against an API server: what it reads, what it writes, what it says."""

import asyncio
import io
import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from lossless.cluster.client import Client
from lossless.cluster.errors import ApiError, ForbiddenError, UnreachableError, error_of
from lossless.cluster.rollout_status import status_document
from lossless.cluster.timestamps import format_micro_time, format_time
from lossless.model.conditions import Answer, Condition, ConditionType, Reason
from lossless.model.names import RESUME_ANNOTATION
from lossless.model.phases import Phase
from lossless.model.status import RolloutPhase, RolloutRecord, RolloutStatus
from lossless.plugin.cli import agree
from lossless.plugin.commandline import parser
from lossless.plugin.exits import Exit, RefusedError, UsageError
from lossless.plugin.failures import remedy
from lossless.plugin.session import Session
from lossless.plugin.terminal import Terminal
from lossless.plugin.verbs import run
from tests.checks.manifests import right
from tests.plugin.test_drain_events import event
from tests.plugin.test_revisions import deployment, replica_set
from tests.plugin.test_tree import DRAINING
from tests.support.fake_kubernetes import FakeKubernetes, fake_kubernetes
from tests.support.raw_objects import (
    DEPLOYMENTS,
    PODS,
    REPLICA_SETS,
    ROLLOUTS,
    raw_pod,
    raw_report,
    raw_rollout,
)
from tests.support.waiting import eventually

SELF = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
REPORT = f"{PODS}/a:9913/proxy/v1/report"
PAUSED = Condition(ConditionType.PAUSED, Answer.TRUE, "DrainTimedOut", "late")
HISTORY = (RolloutRecord(1_800_000_000, 1_800_000_060, drained=3, before="1", revision="2"),)


@dataclass
class Desk:
    """A person at a terminal, with a cluster."""

    fake: FakeKubernetes
    client: Client
    out: io.StringIO = field(default_factory=io.StringIO)
    err: io.StringIO = field(default_factory=io.StringIO)

    async def types(self, *arguments: str) -> Exit:
        """Run one command."""
        options = parser().parse_args(arguments)
        agree(options)
        everywhere = getattr(options, "all_namespaces", False)
        session = Session(self.client, options.namespace or "shop", all_namespaces=everywhere)
        return await run(options, session, Terminal(out=self.out, err=self.err, width=80))

    @property
    def reads(self) -> str:
        """What stands on standard output, since the last look."""
        text = self.out.getvalue()
        self.out.seek(0)
        self.out.truncate()
        return text

    def rollout(self, status: RolloutStatus | None = None, **spec: Any) -> None:
        """Store LosslessRollout web."""
        raw = raw_rollout(**spec)
        if status is not None:
            raw["status"] = status_document(status)
            raw["metadata"]["managedFields"] = [
                {
                    "manager": "lossless-controller",
                    "subresource": "status",
                    "time": format_time(time.time() - 7),
                }
            ]
        self.fake.put(f"{ROLLOUTS}/web", raw)

    def stored(self) -> Any:
        """Return LosslessRollout web as it is stored."""
        return self.fake.objects[f"{ROLLOUTS}/web"]


@asynccontextmanager
async def desk() -> AsyncIterator[Desk]:
    """Run an API server for the length of the block."""
    async with fake_kubernetes() as (fake, client):
        yield Desk(fake, client)


def status(**changes: Any) -> RolloutStatus:
    """Return a status that the controller has written."""
    known: dict[str, Any] = {
        "phase": RolloutPhase.PROGRESSING,
        "observed_generation": 1,
        "pods": (DRAINING,),
        "history": HISTORY,
        "last_rollout": HISTORY[0],
    }
    return RolloutStatus(**(known | changes))


async def test_status_of_one_and_of_all() -> None:
    """By name, by kind and name, by target; without a name all of the namespace."""
    async with desk() as at:
        at.rollout(status())
        at.fake.put(f"{ROLLOUTS}/api", raw_rollout("api"))
        for named in ("web", "llr/web", "losslessrollouts/web"):
            assert await at.types("status", named) is Exit.OK
            text = at.reads
            assert text.startswith("shop/web  Progressing")
            assert "shop/api" not in text
        await at.types("status", "deploy/web")
        assert "shop/" in at.reads
        await at.types("status")
        assert (text := at.reads).startswith("shop/api")
        assert "\n\nshop/web" in text


async def test_status_everywhere_and_nowhere() -> None:
    """``-A`` lists over all namespaces; an empty list is said on standard error."""
    async with desk() as at:
        await at.types("status")
        assert (at.reads, at.err.getvalue()) == ("", "No LosslessRollout in shop.\n")
        at.rollout(status())
        await at.types("status", "-A")
        assert "shop/web" in at.reads
    listed = "GET /apis/lossless.dev/v1alpha1/losslessrollouts"
    assert listed in at.fake.requests


@pytest.mark.parametrize(("kind", "load"), [("json", json.loads), ("yaml", yaml.safe_load)])
async def test_status_for_programs(kind: str, load: Any) -> None:
    """The object itself, or a List of them, as kubectl gives them."""
    async with desk() as at:
        at.rollout(status())
        await at.types("status", "web", "-o", kind)
        assert load(at.reads)["metadata"]["name"] == "web"
        await at.types("status", "-o", kind)
        listed = load(at.reads)
    assert (listed["kind"], len(listed["items"])) == ("List", 1)


async def test_watching_follows_until_it_is_gone() -> None:
    """Off a terminal a picture is written for each change, and none for nothing."""
    async with desk() as at:
        at.rollout(status())
        follower = asyncio.create_task(at.types("status", "web", "--watch"))
        await eventually(lambda: "Progressing" in at.out.getvalue())
        # A list, then a watch of the same path.
        await eventually(lambda: at.fake.requests.count(f"GET {ROLLOUTS}") > 1)
        at.rollout(status(phase=RolloutPhase.READY, pods=()))
        await eventually(lambda: "shop/web  Ready" in at.out.getvalue())
        pictures = at.out.getvalue().count("shop/web  ")
        at.fake.remove(f"{ROLLOUTS}/web")
        with pytest.raises(RefusedError, match="LosslessRollout shop/web has been deleted"):
            await follower
    assert pictures == 2


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        """Return that people look at it."""
        return True


async def test_watching_draws_over_and_over_on_a_terminal() -> None:
    """From the top left, without clearing what is not drawn over: no flicker."""
    async with desk() as at:
        at.out = Screen()
        at.rollout(status())
        follower = asyncio.create_task(at.types("status", "--watch"))
        await eventually(lambda: at.out.getvalue().count("\x1b[H") >= 2)
        follower.cancel()
        with pytest.raises(asyncio.CancelledError):
            await follower
    assert at.out.getvalue().startswith("\x1b[2J\x1b[H")


async def test_explain_asks_the_agent_through_the_api_server() -> None:
    """Its own report comes first."""
    async with desk() as at:
        at.rollout(status())
        at.fake.put(f"{PODS}/a", raw_pod("a", deletion=time.time() + 200))
        at.fake.documents[REPORT] = json.loads(raw_report("a", Phase.DRAINING, reason="1 left"))
        assert await at.types("explain", "pod/a") is Exit.OK
        text = at.reads
        await at.types("explain", "a", "-o", "json")
        answer = json.loads(at.reads)

    assert "Not drained: 1 left" in text
    assert "Evidence, by its agent, asked just now" in text
    assert (answer["source"], answer["age"], answer["reason"]) == ("AGENT", 0.0, "1 left")
    assert answer["connections"] == {"active": 1, "idle": 0, "new": 0}


async def test_explain_asks_the_agent_at_the_port_of_its_pod() -> None:
    """On its node's network that is not the usual one."""
    async with desk() as at:
        at.rollout(status())
        at.fake.put(f"{PODS}/a", raw_pod("a", deletion=time.time() + 200, agent_port=20080))
        at.fake.documents[REPORT.replace("9913", "20080")] = json.loads(
            raw_report("a", Phase.DRAINING, reason="1 left")
        )
        await at.types("explain", "a", "-o", "json")

    assert json.loads(at.reads)["source"] == "AGENT"


@pytest.mark.parametrize(
    ("code", "answer", "says"),
    [
        pytest.param(403, None, "takes the verb get on pods/proxy", id="no right"),
        pytest.param(404, None, "the pod has probably gone", id="gone"),
        pytest.param(503, None, "did not answer through the API server: 503", id="unreachable"),
        pytest.param(None, {"phase": "Odd"}, "did not answer", id="rubbish"),
        pytest.param(
            None, json.loads(raw_report("b", Phase.DRAINING)), "a report of pod", id="another pod's"
        ),
    ],
)
async def test_explain_falls_back_to_status(code: int | None, answer: Any, says: str) -> None:
    """It says that it does, why, and how old what it shows is."""
    async with desk() as at:
        at.rollout(status(pods=(DRAINING,)))
        raw = raw_pod("a", deletion=time.time() + 200)
        raw["metadata"]["uid"] = DRAINING.uid
        at.fake.put(f"{PODS}/a", raw)
        if answer is not None:
            at.fake.documents[REPORT] = answer
        at.fake.refuse = lambda _, path: code if "/proxy/" in path else None
        await at.types("explain", "a")
        text = " ".join(at.reads.split())

    assert says in text
    # Times of managedFields are whole seconds, and the verb reads the clock a moment later.
    assert re.search(r"by status\.pods of its LosslessRollout \(written [789]s ago\)", text)
    assert "10.0.0.9:40000, open for 1m5s" in text


async def test_explain_a_pod_that_is_not_there() -> None:
    """Where to look instead is said."""
    async with desk() as at:
        with pytest.raises(RefusedError, match=r"there is no pod shop/x.*status -o wide"):
            await at.types("explain", "x")


async def test_check_reads_what_surrounds_it() -> None:
    """Nothing is found in a right set-up; the exit code says what is wrong in another."""
    objects = right()
    async with desk() as at:
        at.rollout()
        at.fake.put(f"{DEPLOYMENTS}/web", objects["deployment"])
        at.fake.put("/api/v1/namespaces/shop/services/web", objects["service"])
        budgets = "/apis/policy/v1/namespaces/shop/poddisruptionbudgets"
        at.fake.put(f"{budgets}/web", objects["budget"])
        assert await at.types("check", "web") is Exit.OK
        assert at.reads == "shop/web → Deployment shop/web: nothing found\n"

        at.fake.remove(f"{budgets}/web")
        assert await at.types("check") is Exit.OK
        assert await at.types("check", "--fail-on", "note") is Exit.FINDINGS
        assert "LL601" in at.reads

        at.fake.remove(f"{DEPLOYMENTS}/web")
        assert await at.types("check", "--fail-on", "never") is Exit.OK
        assert await at.types("check", "-o", "json") is Exit.FINDINGS


async def test_check_knows_who_scales_and_what_is_accepted() -> None:
    """In a cluster as in files; a code for one run is refused before anything is read."""
    scaled = {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"scaleTargetRef": {"name": "web"}, "triggers": [{"metricType": "Value"}]},
    }
    async with desk() as at:
        at.rollout()
        at.fake.put(f"{DEPLOYMENTS}/web", right()["deployment"])
        at.fake.put("/apis/keda.sh/v1alpha1/namespaces/shop/scaledobjects/web", scaled)
        arguments = ("check", "web", "--fail-on", "note", "--accept")
        assert await at.types(*arguments, "LL207") is Exit.FINDINGS
        assert "accepted LL207" in at.reads
        assert await at.types(*arguments, "LL207 ll401", "--accept", "LL601") is Exit.OK


async def test_check_without_every_right() -> None:
    """What this user may not see is left out, not taken for missing."""
    async with desk() as at:
        at.rollout()
        at.fake.put(f"{DEPLOYMENTS}/web", right()["deployment"])
        at.fake.put("/api/v1/namespaces/shop/services/web", right()["service"])
        at.fake.refuse = lambda _, path: 403 if "policy" in path or path.endswith("shop") else None
        await at.types("check", "web", "-o", "json")
        (result,) = json.loads(at.reads)["items"]
    assert result["findings"] == []


async def test_pause_and_resume() -> None:
    """Resume takes back whatever paused it, and says who did."""
    async with desk() as at:
        at.fake.documents[SELF] = {"status": {"userInfo": {"username": "alice"}}}
        at.rollout(status())
        await at.types("pause", "web")
        assert at.stored()["spec"]["paused"] is True
        assert "kubectl lossless resume web -n shop" in at.reads
        await at.types("pause", "web")
        assert "paused already" in at.reads

        await at.types("resume", "web")
        assert at.stored()["spec"]["paused"] is False
        assert RESUME_ANNOTATION not in at.stored()["metadata"].get("annotations", {})

        at.rollout(status(conditions=(PAUSED,)))
        await at.types("resume", "web")
        stamp = at.stored()["metadata"]["annotations"][RESUME_ANNOTATION]
        assert stamp.endswith("Z alice")

        writes = len(at.fake.writes)
        at.rollout(status())
        at.reads  # noqa: B018 # reading takes the text away
        await at.types("resume", "web")
        assert at.reads == "LosslessRollout shop/web is not paused; nothing was changed.\n"
        assert len(at.fake.writes) == writes


async def test_resume_where_nobody_says_who_we_are() -> None:
    """The time alone is enough."""
    async with desk() as at:
        at.rollout(status(conditions=(PAUSED,)))
        await at.types("resume", "web")
        stamp = at.stored()["metadata"]["annotations"][RESUME_ANNOTATION]
    assert stamp.endswith("Z")


async def test_restart() -> None:
    """The annotation of kubectl, on the template; a paused Deployment is refused."""
    path = f"{DEPLOYMENTS}/web"
    async with desk() as at:
        at.rollout()
        at.fake.put(path, deployment())
        await at.types("restart", "web")
        template = at.fake.objects[path]["spec"]["template"]
        at.fake.put(path, deployment() | {"spec": deployment()["spec"] | {"paused": True}})
        with pytest.raises(RefusedError, match="kubectl rollout resume deployment web -n shop"):
            await at.types("restart", "web")
    assert "kubectl.kubernetes.io/restartedAt" in template["metadata"]["annotations"]
    assert template["spec"] == deployment()["spec"]["template"]["spec"]


async def test_undo() -> None:
    """The template of the revision before, of this Deployment's own ReplicaSets."""
    path = f"{DEPLOYMENTS}/web"
    stranger = replica_set("stranger", 4)
    stranger["metadata"]["ownerReferences"][0]["uid"] = "uid-other"
    async with desk() as at:
        at.rollout()
        at.fake.put(path, deployment())
        for digest, revision in (("old", 1), ("middle", 3), ("new", 5)):
            at.fake.put(f"{REPLICA_SETS}/web-{digest}", replica_set(digest, revision))
        at.fake.put(f"{REPLICA_SETS}/stranger", stranger)

        def image() -> str:
            containers = at.fake.objects[path]["spec"]["template"]["spec"]["containers"]
            return str(containers[0]["image"])

        await at.types("undo", "web")
        assert image() == "middle"
        assert "goes back to revision 3" in at.reads
        await at.types("undo", "web", "--to-revision", "1")
        assert image() == "old"
        at.reads  # noqa: B018 # reading takes the text away
        await at.types("undo", "web", "--to-revision", "1")
        assert "as revision 1 already.\n  Nothing was changed." in at.reads

        at.fake.refuse = lambda method, _: 422 if method == "PATCH" else None
        with pytest.raises(RefusedError, match="changed by somebody else at this moment"):
            await at.types("undo", "web")
        at.fake.put(path, deployment() | {"spec": deployment()["spec"] | {"paused": True}})
        with pytest.raises(RefusedError, match="is paused, and a paused Deployment cannot go back"):
            await at.types("undo", "web")


async def test_history() -> None:
    """What has ended, and what is under way before it."""
    running = RolloutRecord(1_800_000_100, before="2", revision="3")
    async with desk() as at:
        at.rollout(status(last_rollout=running))
        await at.types("history", "web")
        text = at.reads
        await at.types("history", "web", "-o", "yaml")
        items = yaml.safe_load(at.reads)["items"]
        at.rollout()
        await at.types("history", "web")

    assert [line.split()[2:5] for line in text.splitlines()[1:]] == [
        ["2", "→", "3"],
        ["1", "→", "2"],
    ]
    assert [item["to"] for item in items] == ["3", "2"]
    assert at.err.getvalue() == "No rollout of web was seen yet.\n"


async def test_history_as_a_page(tmp_path: Path) -> None:
    """What the status and the Events tell, in a file or on standard output."""
    page = tmp_path / "web.html"
    events = "/api/v1/namespaces/shop/events"
    async with desk() as at:
        at.rollout(status())
        uid = at.stored()["metadata"]["uid"]
        for reason, moment in ((Reason.DRAIN_STARTED, 10), (Reason.DRAINED, 31)):
            told = event(reason, 0, of=uid)
            told["eventTime"] = format_micro_time(1_800_000_000 + moment)
            at.fake.put(f"{events}/{reason.value.lower()}", told)
        assert await at.types("history", "web", "--html", str(page)) is Exit.OK
        assert (at.reads, at.err.getvalue()) == ("", f"Wrote {page}.\n")
        await at.types("history", "web", "--html", "-")
        text = at.reads
        at.fake.refuse = lambda _, path: 403 if path.startswith(events) else None
        await at.types("history", "web", "--html", "-")

    words = page.read_text()
    assert "drained 21s" in words
    assert "Revision 1 → 2" in words
    assert "Revision 1 → 2" in text
    assert "You may not list Events here" in at.reads


@pytest.mark.parametrize(
    ("reference", "shown"),
    [
        pytest.param({"kind": "StatefulSet", "name": "db"}, "StatefulSet db", id="a workload"),
        pytest.param({"apiVersion": "v1", "kind": "Pod"}, "lossless.dev/rollout=web", id="pods"),
        pytest.param({"kind": "Job", "name": "x"}, "nothing that it could protect", id="neither"),
    ],
)
async def test_a_page_names_the_target(reference: dict[str, str], shown: str) -> None:
    """In the words of all other messages, whatever it is."""
    async with desk() as at:
        at.rollout(status(), targetRef=reference)
        await at.types("history", "web", "--html", "-")

    assert shown in at.reads


async def test_a_page_that_cannot_be_written(tmp_path: Path) -> None:
    """It is refused before anything is asked."""
    async with desk() as at:
        with pytest.raises(RefusedError, match="is a folder: name a file, such as"):
            await at.types("history", "web", "--html", str(tmp_path))
        with pytest.raises(UsageError, match="choose one"):
            await at.types("history", "web", "--html", "-", "-o", "json")
        assert at.fake.requests == []


@pytest.mark.parametrize(
    ("named", "kind", "says"),
    [
        ("nix", RefusedError, "there is no LosslessRollout shop/nix; name one that is there: web"),
        (
            "deploy/nix",
            RefusedError,
            "no LosslessRollout protects Deployment shop/nix; name one that is there: web",
        ),
        ("pod/web", UsageError, "name a LosslessRollout, as web, llr/web or deploy/web"),
        ("llr/", UsageError, "name a LosslessRollout"),
    ],
)
async def test_a_name_that_means_nothing(named: str, kind: type[Exception], says: str) -> None:
    """Says which names there are."""
    async with desk() as at:
        at.rollout()
        with pytest.raises(kind, match=says):
            await at.types("status", named)


async def test_a_cluster_without_lossless() -> None:
    """The API server does not know the resource; the remedy is to install it."""
    async with desk() as at:
        at.fake.refuse = lambda _, path: 404 if "lossless.dev" in path else None
        with pytest.raises(RefusedError, match=r"does not know losslessrollouts: .*helm install"):
            await at.types("status")


async def test_a_target_that_is_not_there() -> None:
    """Verbs that change the workload say what is missing."""
    async with desk() as at:
        at.rollout()
        with pytest.raises(RefusedError, match="there is no Deployment shop/web, which"):
            await at.types("restart", "web")
        at.rollout(targetRef={"kind": "Job", "name": "web"})
        with pytest.raises(RefusedError, match=r"spec.targetRef names Job/web; correct it"):
            await at.types("restart", "web")


@pytest.mark.parametrize("verb", ["restart", "undo"])
async def test_pods_of_another_controller_are_left_to_it(verb: str) -> None:
    """The LosslessRollout is right, so nobody is told to correct it."""
    async with desk() as at:
        at.rollout(targetRef={"apiVersion": "v1", "kind": "Pod"})
        with pytest.raises(RefusedError) as refused:
            await at.types(verb, "web")
        assert at.fake.writes == []
    assert str(refused.value) == (
        "LosslessRollout shop/web is for pods labelled lossless.dev/rollout=web, whoever makes"
        " them; do this by the controller that made them"
    )


async def test_check_of_pods_of_another_controller() -> None:
    """Nothing is missing; what is looked at is named by the pods' label."""
    async with desk() as at:
        at.rollout(targetRef={"apiVersion": "v1", "kind": "Pod"})
        assert await at.types("check", "web") is Exit.OK
        assert at.reads == ("shop/web → pods labelled lossless.dev/rollout=web: nothing found\n")


@pytest.mark.parametrize(
    ("error", "says"),
    [
        pytest.param(error_of(401, b""), "log in again", id="401"),
        pytest.param(error_of(403, b""), "lossless-view", id="403"),
        pytest.param(error_of(404, b""), "another namespace", id="404"),
        pytest.param(error_of(422, b""), "does not accept", id="422"),
        pytest.param(error_of(429, b""), "try again", id="429"),
        pytest.param(error_of(500, b""), "--context", id="500"),
        pytest.param(error_of(409, b""), "Try again", id="409"),
        pytest.param(UnreachableError("refused"), "is its API server up", id="no answer"),
    ],
)
def test_every_failure_has_a_remedy(error: ApiError, says: str) -> None:
    """What to do next, by what came back."""
    assert says in remedy(error)
    assert isinstance(error, ForbiddenError) == (error.status in {401, 403})
