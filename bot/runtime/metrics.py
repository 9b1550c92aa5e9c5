"""What the process measures, for Prometheus. Labels come from closed sets: no text, no name, no id."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

QUICK = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10)  # seconds; Slack waits three
LATE = (0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600, 6 * 3600, 24 * 3600)  # seconds


class Metrics:
    """One process's figures, in a registry of their own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._acknowledgement = self._histogram(
            "plc_acknowledgement_seconds", "From a platform's request to our answer", ("platform",), QUICK
        )
        self._handler = self._histogram(
            "plc_handler_seconds", "Answering one request, transaction included", ("platform", "intent"), QUICK
        )
        self._due = self._histogram("plc_due_lag_seconds", "From a due time until it was done", ("kind",), LATE)
        self._lag = self._histogram(
            "plc_delivery_lag_seconds", "From queueing a delivery until it was sent", ("platform",), LATE
        )
        self._attempts = Counter(
            "plc_delivery_attempts", "Calls to a platform", ("platform", "verb"), registry=self._registry
        )
        self._failures = Counter(
            "plc_delivery_failures", "Calls that failed", ("platform", "reason"), registry=self._registry
        )
        self._depth = Gauge(
            "plc_deliveries_waiting", "Deliveries queued or under way", ("platform", "state"), registry=self._registry
        )

    def _histogram(self, name: str, says: str, labels: tuple[str, ...], buckets: tuple[float, ...]) -> Histogram:
        return Histogram(name, says, labels, buckets=buckets, registry=self._registry)

    def acknowledged(self, platform: str, seconds: float) -> None:
        """Measure the seconds from a platform's request to our answer."""
        self._acknowledgement.labels(platform).observe(seconds)

    def handled(self, platform: str, intent: str, seconds: float) -> None:
        """Measure the seconds that answering one request took, its transaction included."""
        self._handler.labels(platform, intent).observe(seconds)

    def done(self, kind: str, lag: float) -> None:
        """Measure the seconds from a moment's due time until it was done. Below zero counts as zero."""
        self._due.labels(kind).observe(max(lag, 0.0))

    def tried(self, platform: str, verb: str) -> None:
        """Count a call to a platform for a delivery of this verb."""
        self._attempts.labels(platform, verb).inc()

    def sent(self, platform: str, lag: float) -> None:
        """Measure the seconds from queueing a delivery until it was sent. Below zero counts as zero."""
        self._lag.labels(platform).observe(max(lag, 0.0))

    def failed(self, platform: str, reason: str) -> None:
        """``reason``: wait, temporary, permanent, uncertain, unconfirmed, gave_up, error."""
        self._failures.labels(platform, reason).inc()

    def render(self, depth: Mapping[tuple[str, str], int]) -> bytes:
        """The exposition text; ``depth``: deliveries by platform and state, counted just now."""
        self._depth.clear()
        for (platform, state), count in depth.items():
            self._depth.labels(platform, state).set(count)
        return generate_latest(self._registry)
