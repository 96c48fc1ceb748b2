"""One scrape: everything that is counted, as Prometheus' text; and who may read it."""

import ipaddress
from threading import Lock
from typing import Final

from fastapi import Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api.house import House
from api.metrics.live import LiveState
from api.metrics.snapshot import Snapshot
from api.process import Process

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST

_FORWARDED: Final = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
"""Headers by which a proxy says that it asks for somebody else."""


class ProcessScrape:
    """What `/metrics` of a worker answers with: what this process knows."""

    def __init__(self, process: Process) -> None:
        self._registry = process.meters.registry
        self._lock = Lock()
        self._registry.register(LiveState(process))

    def text(self) -> bytes:
        """Return the metrics of now; blocks, so call it off the loop."""
        with self._lock:
            return generate_latest(self._registry)


class Scrape(ProcessScrape):
    """What `/metrics` of a controller answers with: also what the database says of all stores."""

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self._registry.register(Snapshot(house.database, house.clock, house.online))


def is_of_this_machine(request: Request) -> bool:
    """Say whether a request comes from this machine itself, as far as can be seen.

    A proxy on this machine asks for others: its headers give it away, or the name it was asked by.
    """
    if request.client is None or any(name in request.headers for name in _FORWARDED):
        return False
    return _is_loopback(request.client.host) and _is_loopback(request.url.hostname or "")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
