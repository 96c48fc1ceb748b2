"""What the broker took is written down with a signature, so that it can be proven later.

    acknowledged ─▶ note ─▶ waits in memory, 5 s at most ─▶ signed, one write for all

Nothing of it is on a price's way: a payload is hashed once the broker has it, and signed where
housekeeping is done. Whoever ends the process by force in these seconds ends the notes that wait
with it: pictures arrive all the same, and what was sent of them says that no signature is kept.
"""

import hashlib
from collections import deque
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import Final

import structlog

from esl.domain.chain import tree_root
from esl.domain.clock import EffectiveClock
from esl.domain.ids import GatewayId
from esl.domain.published import PublishedPayload, published_bytes, shown_leaf
from esl.store import published
from esl.store.columns import instant_text
from esl.store.write_group import Priority, Writes
from gateway.link import Manifest, Outgoing
from gateway.wire.signing import SigningKey

PAYLOADS_A_WRITE: Final = 500
"""So many are written in one transaction: 10 ms, after which reports have their turn."""

WAIT_MOST: Final = 10_000
"""Payloads that wait at most while the database does not answer: 10 MB; the oldest go then."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Noted:
    gateway_id: GatewayId
    sha256: str
    manifest: Manifest


class Ledger:
    """Notes payloads on the event loop; `write` by any thread."""

    def __init__(self, *, writer: Writes, clock: EffectiveClock, key: SigningKey) -> None:
        self._writer = writer
        self._clock = clock
        self._key = key
        self._lock = Lock()  # of what waits
        self._writing = Lock()
        self._waiting: deque[_Noted] = deque()
        self._dropped = 0

    def __len__(self) -> int:
        """Count the payloads that wait to be written down."""
        return len(self._waiting)

    def note(self, outgoing: Outgoing) -> None:
        """Take note of a payload that the broker acknowledged, if it told labels what to show."""
        manifest = outgoing.manifest
        if manifest is None or not manifest.shows:
            return
        sha256 = hashlib.sha256(outgoing.payload).hexdigest()
        with self._lock:
            if len(self._waiting) >= WAIT_MOST:
                self._waiting.popleft()
                self._dropped += 1
            self._waiting.append(_Noted(outgoing.gateway_id, sha256, manifest))

    def write(self) -> None:
        """Sign and write down all that waits.

        Raises:
            Unavailable: The database did not answer; the next call goes on.
        """
        with self._writing:  # who stops may meet the last look of housekeeping
            self._write()

    def _write(self) -> None:
        if self._dropped:
            dropped, self._dropped = self._dropped, 0
            log.warning("signatures of payloads are not kept", payloads=dropped)
        while True:
            with self._lock:
                some = [self._waiting[n] for n in range(min(PAYLOADS_A_WRITE, len(self._waiting)))]
            if not some:
                return
            signed = [self._sign(one) for one in some]
            work = partial(published.put_payloads, payloads=signed, now=self._clock.now())
            self._writer.write(work, priority=Priority.HOUSEKEEPING)
            with self._lock:
                for one in some:
                    if self._waiting and self._waiting[0] is one:  # else it was dropped meanwhile
                        self._waiting.popleft()

    def _sign(self, noted: _Noted) -> PublishedPayload:
        manifest = noted.manifest
        leaves = [shown_leaf(*shown) for shown in manifest.shows]
        root = tree_root(leaves).hex()
        signed = published_bytes(
            noted.gateway_id,
            manifest.session,
            manifest.counter,
            noted.sha256,
            root,
            len(leaves),
            instant_text(manifest.sent_at),
        )
        return PublishedPayload(
            gateway_id=noted.gateway_id,
            session=manifest.session,
            counter=manifest.counter,
            key_id=self._key.key_id,
            sha256=noted.sha256,
            root=root,
            commands=len(leaves),
            signature=self._key.sign(signed).hex(),
            sent_at=manifest.sent_at,
            leaves=b"".join(leaves),
        )
