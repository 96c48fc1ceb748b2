"""All that a shop depends on, looked at in one go: ``esl doctor``, and the page of health."""

from collections.abc import Iterable

from api.clock import MachineClock
from api.doctor.books import look_at_books
from api.doctor.broker import look_at_broker
from api.doctor.finding import Finding, Result
from api.doctor.machine import look_at_machine
from api.doctor.provider import look_at_provider
from api.doctor.running import look_at_running
from esl.settings import Settings
from gateway.wire.enrolment import Enrolment


async def look_at_all(settings: Settings, as_gateway: Enrolment | None = None) -> list[Finding]:
    """Try every part; ``as_gateway`` is whose login tries at the broker what it must not do.

    It waits for disks, servers and the controller itself: never in the event loop that serves.
    """
    now = MachineClock().wall()
    found = list(look_at_machine(settings, now))
    if not settings.data_dir.is_dir():
        return found
    found += look_at_books(settings, now)
    found += [one async for one in look_at_broker(settings, as_gateway)]
    found += [one async for one in look_at_provider(settings)]
    found += look_at_running(settings)
    return found


def worst_of(found: Iterable[Finding]) -> Result:
    """Return how bad it is in all."""
    results = {one.result for one in found}
    return next((r for r in (Result.FAIL, Result.WARN) if r in results), Result.PASS)
