"""What this process counts as it goes: requests, intake, and groups of the writer.

Labels of metrics come from lists of ours and never from what a sender wrote: a path that no route
fits is counted under ``other``, a method that HTTP does not know likewise.
"""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram

OTHER: Final = "other"
"""In place of a route or method that nobody of ours knows."""

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_INTAKE: Final = (
    "/api/v1/stores/{store}/price-changes",
    "/api/v1/stores/{store}/products",
    "/api/v1/stores/{store}/products/{sku:path}",
    "/api/v1/hooks/{source}",
)
"""Routes by which prices come in; those of other vendors' drivers begin with ``/compat/``."""

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_MEMBERS: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0)


class Meters:
    """The counters of one process, in a registry of their own; any thread may count."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "esl_http_requests",
            "HTTP requests answered.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._refused = Counter(
            "esl_http_refused",
            "HTTP requests that came too often, by the limit that they met.",
            ("limit",),
            registry=self.registry,
        )
        self._ignored_proxies = Counter(
            "esl_http_proxy_headers_ignored",
            "HTTP requests with a proxy's headers from an address that is not trusted.",
            registry=self.registry,
        )
        self._intake = Histogram(
            "esl_intake_seconds",
            "From a request that brings prices to its answer, after the commit.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._group = Histogram(
            "esl_writer_group_requests",
            "Requests that one transaction of the writer took.",
            buckets=_MEMBERS,
            registry=self.registry,
        )
        self._commit = Histogram(
            "esl_writer_group_seconds",
            "From a transaction's begin to its commit.",
            buckets=_SECONDS,
            registry=self.registry,
        )

    def note_request(self, method: str, route: str, status: int, took_s: float) -> None:
        """Count an answer; ``route`` is a route's own pattern, or `OTHER`."""
        known = method if method in _METHODS else OTHER
        self._requests.labels(known, route, str(status)).inc()
        if known == "POST" and (route in _INTAKE or route.startswith("/compat/")):
            self._intake.observe(took_s)

    def note_refused(self, limit: str) -> None:
        """Count a request that came too often; ``limit`` is a name of `api.rate_limits`."""
        self._refused.labels(limit).inc()

    def note_ignored_proxy(self) -> None:
        """Count a request whose sender says that it asks for another, and is not believed."""
        self._ignored_proxies.inc()

    def note_group(self, requests: int, took_s: float) -> None:
        """Count a transaction of the writer."""
        if requests:
            self._group.observe(requests)
            self._commit.observe(took_s)
