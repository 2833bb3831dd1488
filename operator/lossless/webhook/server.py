"""``lossless webhook``: follows the cluster, answers reviews over TLS, stops without losing one."""

import asyncio
import signal
import time
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import structlog
from aiohttp import web

from lossless.cluster.client import Client, resource_path
from lossless.cluster.errors import ApiError, NotFoundError
from lossless.cluster.lease import Lease
from lossless.cluster.watches import Watches
from lossless.cluster.watching import Change, Changed, Timing, Watch
from lossless.cluster.workloads import PLURALS
from lossless.injection.problem import ProblemKind
from lossless.injection.problem_text import warning_text
from lossless.model.names import (
    API_VERSION,
    LEASE,
    PLURAL,
    VALIDATION_PATH,
    WEBHOOK_PATH,
)
from lossless.model.rollout.observation import Unknown
from lossless.telemetry.server import Probe, serving
from lossless.webhook.advice import advice, not_served, wanted_target
from lossless.webhook.leader import LeaderSign
from lossless.webhook.metrics import Metrics
from lossless.webhook.options import WebhookOptions
from lossless.webhook.owner import AdmissionRollout, parse_rollout
from lossless.webhook.review import (
    Context,
    MalformedReviewError,
    Result,
    ReviewAnswer,
    answer,
    parse_review,
    response_of,
    subject_of,
)
from lossless.webhook.rollout_review import proposed, refusal
from lossless.webhook.tls_secret import CertificateKeeper, server_context

_log: Final = structlog.get_logger(__name__)
#: etcd keeps objects up to 1.5 MiB, and a review may hold a pod twice, as JSON.
_BODY_MAX: Final = 8 * 1024 * 1024
#: As long as the API server waits for the whole answer.
_BODY_SECONDS: Final = 3.0
#: For one read of a workload, within the time of a review.
_WORKLOAD_SECONDS: Final = 1.0
#: Longer than Go's IdleConnTimeout of 90 s: the client closes idle connections, never we, so no
#: review meets a connection that is just being closed.
_KEEPALIVE: Final = 120.0
#: Calls that the log names of an error of ours.
_FRAMES: Final = 10


class Webhook:
    """One webhook process: its caches, its certificate and its two listeners."""

    def __init__(self, options: WebhookOptions, client: Client) -> None:
        """Compose; nothing is sent or listened on before ``serve``."""
        self._options = options
        self._client = client
        self._rollouts: Watches[AdmissionRollout] = Watches(
            client, API_VERSION, PLURAL, parse_rollout, options.scope
        )
        self._leases: Watch[Lease] = Watch(
            client,
            resource_path("coordination.k8s.io/v1", "leases", namespace=options.namespace),
            Lease.parse,
            field_selector=f"metadata.name={LEASE}",
            # A leader renews every few seconds: a silent watch is a dead connection, or no leader.
            timing=Timing(silence=20.0),
        )
        self._leader = LeaderSign(options.lease_tolerance, time.monotonic)
        self._context = server_context()
        self._keeper = CertificateKeeper(
            client,
            options.namespace,
            self._context,
            external=options.external_certificate,
            interval=options.certificate_interval,
        )
        self._metrics = Metrics(
            leader=lambda: float(self._leader.fresh()),
            certificate_expiry=lambda: (
                self._keeper.expires.timestamp() if self._keeper.expires else 0.0
            ),
            rollouts_silence=self._rollouts.silence,
        )
        self._stopping = False
        self.port = 0
        """Where reviews are answered, once serving."""
        self.http_port = 0
        """Where metrics and health are told, once serving."""

    @property
    def ready(self) -> bool:
        """Whether the API server should be sent here."""
        synced = self._rollouts.synced and self._leases.synced
        return synced and self._keeper.ready and not self._stopping

    async def serve(self, stop: asyncio.Event) -> None:
        """Serve until ``stop`` is set, then leave so that no review is lost."""
        async with (
            serving(
                self._metrics.registry,
                healthy=lambda: Probe(well=True, text="ok\n"),
                ready=self._ready,
                host=self._options.host,
                port=self._options.http_port,
            ) as self.http_port,
            self._answering() as self.port,
            asyncio.TaskGroup() as tasks,
        ):
            followers = [
                tasks.create_task(self._follow_rollouts(), name="rollouts"),
                tasks.create_task(self._follow_lease(), name="lease"),
                tasks.create_task(self._keeper.run(), name="certificate"),
            ]
            _log.info(
                "webhook started",
                port=self.port,
                http_port=self.http_port,
                namespaces=self._options.scope.namespaces or "all",
            )
            await stop.wait()
            # The API server keeps its connections to a pod that is going: each of them is told
            # to close with its next answer, while the Service sends new ones elsewhere.
            self._stopping = True
            _log.info("webhook stopping", linger=self._options.linger)
            await asyncio.sleep(self._options.linger)
            for task in followers:
                task.cancel()
        _log.info("webhook stopped")

    async def _follow_rollouts(self) -> None:
        def take(change: Changed[AdmissionRollout]) -> None:
            if change.object.problem and change.change is not Change.DELETED:
                _log.warning(
                    "invalid LosslessRollout",
                    namespace=change.key.namespace,
                    name=change.key.name,
                    problem=change.object.problem,
                )

        await self._rollouts.follow(take)

    async def _follow_lease(self) -> None:
        async for change in self._leases.events():
            if isinstance(change, Changed):
                self._leader.observe(None if change.change is Change.DELETED else change.object)

    @asynccontextmanager
    async def _answering(self) -> AsyncIterator[int]:
        """Answer reviews for the length of the block; yield the port."""
        options = self._options
        admission = web.Application(client_max_size=_BODY_MAX)
        admission.router.add_post(WEBHOOK_PATH, self._review)
        admission.router.add_post(VALIDATION_PATH, self._review_rollout)
        admission.on_response_prepare.append(self._tell_to_close)
        runner = web.AppRunner(
            admission, access_log=None, keepalive_timeout=_KEEPALIVE, shutdown_timeout=5.0
        )
        try:
            await runner.setup()
            await web.TCPSite(runner, options.host, options.port, ssl_context=self._context).start()
            yield runner.addresses[0][1]
        finally:
            await runner.cleanup()

    async def _asked(self, request: web.Request) -> tuple[dict[str, Any], float]:
        """Return what is asked, and since when it is being answered."""
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                body = await request.read()
        except TimeoutError:
            raise web.HTTPRequestTimeout(text="the body did not arrive in time") from None
        began = time.perf_counter()
        try:
            return parse_review(body), began
        except MalformedReviewError as error:
            self._metrics.malformed.inc()
            _log.warning("malformed review", cause=str(error), bytes=len(body))
            raise web.HTTPBadRequest(text=str(error)) from error

    async def _review_rollout(self, request: web.Request) -> web.Response:
        review, _ = await self._asked(request)
        try:
            body = await self._judged(review)
        except Exception as error:  # noqa: BLE001 # it is advice: what goes wrong refuses nothing
            namespace, rollout = subject_of(review)
            _log.bind(uid=review["uid"], namespace=namespace, rollout=rollout).error(
                "review failed", **_cause(error)
            )
            body = response_of(review["uid"])
        return web.json_response(body)

    async def _judged(self, review: dict[str, Any]) -> dict[str, Any]:
        rollout = proposed(review)
        if rollout is None:
            return response_of(review["uid"])
        if rollout.spec is None:
            return refusal(review, rollout)
        if not self._options.scope.serves(rollout.namespace):
            return response_of(review["uid"], warnings=[not_served(rollout.namespace)])
        said = advice(
            rollout, self._rollouts.objects, await self._workload(rollout), self._options.agent
        )
        return response_of(review["uid"], warnings=said)

    async def _workload(self, rollout: AdmissionRollout) -> dict[str, Any] | Unknown | None:
        target = wanted_target(rollout)
        if target is None:
            return None
        path = resource_path(
            target.kind.api_version,
            PLURALS[target.kind],
            namespace=rollout.namespace,
            name=target.name,
        )
        try:
            async with asyncio.timeout(_WORKLOAD_SECONDS):
                return await self._client.get(path)
        except NotFoundError:
            return None
        except (ApiError, TimeoutError) as error:
            # Advice is not worth a wait: the API server that asks gives up after three seconds.
            return Unknown(str(error))

    async def _review(self, request: web.Request) -> web.Response:
        review, began = await self._asked(request)
        answered = answer(
            review,
            Context(
                rollouts=self._rollouts.objects,
                leader=self._leader.fresh(),
                agent=self._options.agent,
            ),
        )
        response = web.json_response(answered.body)
        seconds = time.perf_counter() - began
        self._metrics.reviews.labels(answered.result.value).inc()
        self._metrics.seconds.observe(seconds)
        _tell(answered, review, seconds)
        return response

    async def _tell_to_close(self, _: web.Request, response: web.StreamResponse) -> None:
        if self._stopping:
            # aiohttp writes the header before it calls this hook, so it has to be said twice.
            response.headers["Connection"] = "close"
            response.force_close()

    def _ready(self) -> Probe:
        parts = {
            "rollouts": self._rollouts.synced,
            "lease": self._leases.synced,
            "certificate": self._keeper.ready,
            "staying": not self._stopping,
        }
        text = "".join(f"{name}: {'ok' if good else 'not yet'}\n" for name, good in parts.items())
        return Probe(self.ready, text)


def _tell(answered: ReviewAnswer, review: dict[str, object], seconds: float) -> None:
    log = _log.bind(
        uid=review["uid"],
        namespace=answered.namespace,
        workload=answered.workload,
        rollout=answered.rollout,
        dry_run=bool(review.get("dryRun")),
        milliseconds=round(seconds * 1000, 2),
    )
    injection = answered.injection
    match answered.result:
        case Result.INJECTED:
            unprotected = injection.of(ProblemKind.UNPROTECTED)
            log.info("injected", unprotected=sorted(one.subject for one in unprotected))
        case Result.NOT_OURS:
            log.debug("not ours")
        case Result.REFUSED | Result.SUSPENDED:
            log.warning(answered.result.value, warnings=[*map(warning_text, injection.problems)])
        case Result.FAILED:
            log.error("review failed", pod=answered.pod, **_cause(answered.error))


def _cause(error: Exception | None) -> dict[str, object]:
    """Return what an error was and where, but not its message, which may quote what was asked."""
    # The innermost: of endless recursion there are a thousand.
    frames = traceback.extract_tb(error.__traceback__, limit=-_FRAMES) if error else []
    return {
        "error": type(error).__name__,
        "at": [
            f"{'/'.join(Path(frame.filename).parts[-2:])}:{frame.lineno} {frame.name}"
            for frame in frames
        ],
    }


async def run(options: WebhookOptions) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        ConfigurationError: there is no way to an API server.
        OSError: a port is taken.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with await Client.connect(options.kubeconfig) as client:
        await Webhook(options, client).serve(stop)
