"""Frames that labels show now: what the next picture is painted over, and told apart from.

    a label's own word: digest ─▶ in memory? ──yes──▶ pixels
                                   └─no─▶ as kept in the database, delta upon delta, unfolded

A base is found by its digest alone and its pixels are that digest's, so a wrong one cannot be
had: what is damaged or gone is not found, and the picture travels whole.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection

from esl.domain.errors import UnknownPanel
from esl.domain.ids import Digest, PanelId
from esl.domain.label import NOTHING_SHOWN
from esl.domain.panel import Panels
from esl.services.deliveries import StoredFrame, base_frames
from gateway.pictures import difference, inflate
from gateway.wire.messages import XOR_ZLIB

DEPTH_MOST = 3
"""Deltas between a kept frame and a whole one; a frame that would lie deeper is kept whole."""

BASES_BYTES = 96 * 2**20
"""Default bound of the pixels in memory: 10,600 frames of 296x128. Beyond it a base costs a row of
the database and about 25 µs to unfold."""

_STALE_AFTER = 8
"""A frame that nobody asked for while so many times the whole memory came in makes room."""

_FOLLOWED_MOST = 16  # rounds of loading; twice what any chain can be, and no endless loop

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Base:
    """A frame's pixels, how many deltas deep it is kept, and its product layer's mark."""

    panel_id: PanelId
    pixels: bytes
    depth: int
    mark: bytes = b""


class Bases:
    """Pixels of frames sent, by digest, within ``most_bytes``; used by one thread at a time.

    Every label of a shop takes its turn, so that forgetting the least recently used would forget
    each just before it is needed. Who is in stays in; a frame takes the place of the one that it
    follows on its label, and of what nobody has asked for in a long time.
    """

    def __init__(self, *, most_bytes: int = BASES_BYTES) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._came = 0  # bytes that ever asked to come in: the time by which frames grow stale
        self._kept: dict[Digest, Base] = {}
        self._used_at: dict[Digest, int] = {}

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def used_bytes(self) -> int:
        """Bytes of pixels in memory."""
        return self._bytes

    def get(self, digest: Digest) -> Base | None:
        """Find a frame in memory."""
        found = self._kept.get(digest)
        if found is not None:
            del self._used_at[digest]  # so that the order is that of their use
            self._used_at[digest] = self._came
        return found

    def put(self, digest: Digest, base: Base, *, instead_of: Digest | None = None) -> None:
        """Keep a frame that was sent, if there is room or it follows another on its label."""
        if instead_of is not None and instead_of != digest:
            self._drop(instead_of)
        size = len(base.pixels)
        self._came += size
        if digest in self._kept:
            self._drop(digest)
        while self._bytes + size > self._most_bytes:
            oldest = next(iter(self._used_at), None)
            if oldest is None or not self._is_stale(oldest):
                return
            self._drop(oldest)
        self._kept[digest] = base
        self._used_at[digest] = self._came
        self._bytes += size

    def _is_stale(self, digest: Digest) -> bool:
        return self._came - self._used_at[digest] > _STALE_AFTER * self._most_bytes

    def _drop(self, digest: Digest) -> None:
        dropped = self._kept.pop(digest, None)
        if dropped is not None:
            del self._used_at[digest]
            self._bytes -= len(dropped.pixels)


def find_bases(
    tx: Connection, bases: Bases, digests: Iterable[Digest], panels: Panels
) -> dict[Digest, Base]:
    """Find what labels show, in memory or kept."""
    found: dict[Digest, Base] = {}
    missing: set[Digest] = set()
    for digest in set(digests) - {NOTHING_SHOWN}:
        base = bases.get(digest)
        if base is None:
            missing.add(digest)
        else:
            found[digest] = base
    return found | load_bases(tx, missing, panels) if missing else found


def load_bases(tx: Connection, digests: Iterable[Digest], panels: Panels) -> dict[Digest, Base]:
    """Load kept frames and unfold them; what is gone or damaged is left out.

    One query for all of them, and one more for each step down the longest chain of deltas.
    """
    wanted = set(digests)
    stored: dict[Digest, StoredFrame] = {}
    missing = wanted
    for _ in range(_FOLLOWED_MOST):
        if not missing:
            break
        stored.update(base_frames(tx, missing))
        missing = {f.base for f in stored.values() if f.base is not None} - stored.keys()
    unfolded: dict[Digest, bytes | None] = {}
    return {
        digest: Base(stored[digest].panel_id, pixels, stored[digest].depth, stored[digest].mark)
        for digest in wanted
        if (pixels := _unfold(digest, stored, unfolded, panels)) is not None
    }


def load_pixels(tx: Connection, digest: Digest, panels: Panels) -> bytes | None:
    """Load the pixels of one kept frame; None if it is gone or damaged."""
    found = load_bases(tx, [digest], panels).get(digest)
    return found.pixels if found is not None else None


def _unfold(
    digest: Digest,
    stored: Mapping[Digest, StoredFrame],
    unfolded: dict[Digest, bytes | None],
    panels: Panels,
) -> bytes | None:
    chain: list[Digest] = []
    step: Digest | None = digest
    while step is not None and step not in unfolded:
        if step not in stored or step in chain:
            log.warning("a kept frame cannot be read", digest=digest, lacks=step)
            return None
        chain.append(step)
        step = stored[step].base
    pixels = unfolded[step] if step is not None else None
    for name in reversed(chain):
        pixels = unfolded[name] = _one_step(name, stored[name], pixels, panels)
        if pixels is None:
            return None
    return unfolded[digest]


def _one_step(
    digest: Digest, frame: StoredFrame, base: bytes | None, panels: Panels
) -> bytes | None:
    try:
        pixels = inflate(frame.data, panels.named(frame.panel_id))
        if frame.encoding == XOR_ZLIB:
            pixels = difference(pixels, base or b"")
    except (ValueError, UnknownPanel) as exc:
        log.warning("a kept frame cannot be read", digest=digest, reason=str(exc))
        return None
    if hashlib.sha256(pixels).hexdigest() != digest:
        log.warning("a kept frame is not the one it is called", digest=digest)
        return None
    return pixels
