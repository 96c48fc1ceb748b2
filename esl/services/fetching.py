"""A client shows its secret for a token; whoever guesses is slowed down, in all processes alike.

::

    too many were wrong lately ──▶ TooOften, and nobody looks at the secret
    right ──▶ noted as used
    wrong ──▶ counted: of this client from this network, and of this network; for a minute

One client from one network apart from others, so that no stranger locks a till out. A secret of 256
bits is not guessed: the counts spare the database and the log, and tell of whoever tries.
"""

from datetime import datetime, timedelta
from math import ceil
from typing import Final

from sqlalchemy import Connection

from esl.domain.errors import NotSignedIn, TooOften
from esl.domain.throttle import FORGOTTEN_AFTER
from esl.services import clients
from esl.services.access import hash_secret
from esl.services.access_times import is_use_worth_a_note
from esl.store import access_times, throttles
from esl.store.clients import MachineClient

FAILURES_OF_CLIENT: Final = 10
FAILURES_OF_NETWORK: Final = 60
WITHIN: Final = timedelta(minutes=1)
"""From the first failure on; then they are forgotten."""


def fetch(
    tx: Connection, client_id: str, secret: str, *, network: str, now: datetime
) -> tuple[MachineClient, str] | NotSignedIn:
    """Return the client and which of its secrets this is, or why not.

    What is wrong is returned and not raised: that it was must be committed.

    Raises:
        TooOften: Too many secrets of this client or from this network were wrong.
    """
    known = client_id if clients.is_client_id(client_id) else "no id"
    counted = (
        (f"client:{hash_secret(f'{known} {network}')}", FAILURES_OF_CLIENT),
        (f"fetch:{network}", FAILURES_OF_NETWORK),
    )
    lately = {name: _failures(tx, name, now) for name, _ in counted}
    for name, most in counted:
        failures, since = lately[name]
        if failures >= most:
            wait_s = ceil((since + WITHIN - now).total_seconds())
            raise TooOften("too many attempts have failed", again_after_s=max(1, wait_s))
    try:
        client, secret_id, times = clients.prove(tx, client_id, secret, now)
    except NotSignedIn as wrong:
        throttles.forget_old(tx, now, FORGOTTEN_AFTER)
        for name, (failures, since) in lately.items():
            throttles.note_failures(tx, name, failures + 1, since)
        return wrong
    if is_use_worth_a_note(times, now):
        access_times.note_used(tx, access_times.secret_key(client_id, secret_id), now)
    return client, secret_id


def _failures(tx: Connection, name: str, now: datetime) -> tuple[int, datetime]:
    """Return how many failed, and since when they are counted."""
    failures, since = throttles.failures_of(tx, name) or (0, now)
    return (failures, since) if now - since < WITHIN else (0, now)
