"""What an operator of the webhook may watch; one registry per process, none of it global."""

from collections.abc import Callable
from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from lossless.telemetry.metrics import registry_of
from lossless.webhook.review import Result

#: The API server gives up after three seconds.
_BUCKETS: Final = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 3.0)


class Metrics:
    """Counters and gauges of one webhook process."""

    def __init__(
        self,
        *,
        leader: Callable[[], float],
        certificate_expiry: Callable[[], float],
        rollouts_silence: Callable[[], float],
    ) -> None:
        """Register everything.

        Args:
            leader: 1 if a controller is alive, else 0.
            certificate_expiry: Unix time; 0 if there is no certificate.
            rollouts_silence: seconds since the watch of LosslessRollouts was last heard.
        """
        self.registry = registry_of("webhook")
        self.reviews = Counter(
            "lossless_webhook_reviews", "Reviews by result.", ["result"], registry=self.registry
        )
        for result in Result:
            # A series that appears with the first failure has no increase to alert on.
            self.reviews.labels(result.value)
        self.malformed = Counter(
            "lossless_webhook_malformed_reviews",
            "Requests that were no AdmissionReview.",
            registry=self.registry,
        )
        self.seconds = Histogram(
            "lossless_webhook_review_seconds",
            "From a review's last byte to its answer.",
            registry=self.registry,
            buckets=_BUCKETS,
        )
        for name, text, value in (
            ("leader_fresh", "1 while a controller is alive: pods get the gate.", leader),
            (
                "certificate_expiry_timestamp_seconds",
                "When the serving certificate ends, in Unix time.",
                certificate_expiry,
            ),
            (
                "rollouts_watch_silence_seconds",
                "Since the watch of LosslessRollouts was last heard.",
                rollouts_silence,
            ),
        ):
            Gauge(f"lossless_webhook_{name}", text, registry=self.registry).set_function(value)
