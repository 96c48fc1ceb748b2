"""The controller that runs on the folder, by its own words: readiness, and clocks of gateways."""

import ssl
from collections.abc import Iterator
from functools import cache
from typing import Final

import httpx2
from prometheus_client.parser import text_string_to_metric_families

from api.client import trusting
from api.doctor.finding import Finding, failed, passed, skipped, warned
from api.private_files import read_runtime_file
from esl.settings import Settings

CLOCK_OFF_MOST_S: Final = 30.0
"""Far below the 120 s for which a payload holds: `gateway.link.EXPIRES_AFTER_S`."""

_PATIENCE_S: Final = 10.0
_CLOCK: Final = "esl_gateway_clock_off_seconds"
_IGNORED: Final = "esl_http_proxy_headers_ignored_total"


@cache
def _usual_trust() -> ssl.SSLContext:
    """Trust what the machine trusts; read once, for reading it takes 40 ms (measured)."""
    return httpx2.create_ssl_context(trust_env=False)


def look_at_running(settings: Settings) -> Iterator[Finding]:
    """Ask the controller that runs on the data folder, if one does."""
    runtime = read_runtime_file(settings.data_dir)
    if runtime is None:
        yield skipped("controller", "none runs on this folder", "Start it with: esl serve.")
        return
    with httpx2.Client(
        base_url=runtime.url,
        headers={"Authorization": f"Bearer {runtime.token}"},
        timeout=_PATIENCE_S,
        trust_env=False,
        verify=trusting(runtime.certificate) if runtime.certificate else _usual_trust(),
    ) as client:
        try:
            ready = client.get("/readyz").json()["checks"]
            metrics = client.get("/metrics").text
            clock = client.get("/api/v1/clock").json()
        except (httpx2.TransportError, ValueError, KeyError):
            fix = "Look at its log; start it again with: esl serve."
            yield failed("controller", "it left its address, and does not answer there", fix)
            return
    not_ok = {name: check for name, check in ready.items() if not check["ok"]}
    for name, check in not_ok.items():
        yield failed(f"controller: {name}", check["detail"], "Look at its log.")
    if not not_ok:
        yield passed("controller", f"ready: {', '.join(ready)}")
    if clock.get("held"):
        fix = "If the machine's clock is right: esl clock confirm."
        yield failed("clock", "the machine's clock is far ahead, and is not followed", fix)
    yield _gateways(metrics)
    yield _proxies(metrics)


def _gateways(metrics: str) -> Finding:
    off_s = _highest(metrics, _CLOCK)
    if off_s is None:
        return skipped("clock of gateways", "this process speaks with none")
    words = f"at most {off_s:.1f} s off, of those on the line"
    if off_s > CLOCK_OFF_MOST_S:
        fix = "Let gateways and this machine follow the same NTP server."
        return warned("clock of gateways", words, fix)
    return passed("clock of gateways", words)


def _proxies(metrics: str) -> Finding:
    ignored = _highest(metrics, _IGNORED)
    if ignored:
        words = f"headers of one that is not trusted came {ignored:.0f} times and were not believed"
        fix = "If it is yours, add the address that the log names to trusted_proxies."
        return warned("proxies", words, fix)
    return passed("proxies", "nobody speaks for others who is not trusted to")


def _highest(metrics: str, name: str) -> float | None:
    return max(
        (
            sample.value
            for family in text_string_to_metric_families(metrics)
            for sample in family.samples
            if sample.name == name
        ),
        default=None,
    )
