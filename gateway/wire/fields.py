r"""What a field of a message may hold: the ranges that are checked when a payload is read.

Bounds are generous where the number is only kept (revisions, ids) and sane where it is a
measurement: a value outside them is a broken sender, and its message is refused by itself.
Patterns end with ``\Z``, because ``$`` would let a trailing newline through.
"""

from typing import Annotated

from msgspec import Meta

MAX_INT = 2**53 - 1
"""Largest integer of the protocol: what a double, hence any JSON reader, still holds exactly."""

DIGEST_BYTES = 32  # SHA-256
MAX_ENTRIES = 4096  # labels in one command; a 64 KiB payload holds about 1,000
MAX_SLOTS = 256  # Bluetooth counts image indexes in one byte
MAX_FRAME_BYTES = 2**24  # the largest known panel needs 192 KiB
MAX_FEATURES = 64

Count = Annotated[int, Meta(ge=0, le=MAX_INT)]
Positive = Annotated[int, Meta(ge=1, le=MAX_INT)]
Instant = Annotated[int, Meta(ge=0, le=MAX_INT)]  # ms since 1970-01-01 UTC
Slot = Annotated[int, Meta(ge=0, lt=MAX_SLOTS)]
Byte = Annotated[int, Meta(ge=0, le=255)]
FrameBytes = Annotated[int, Meta(ge=0, le=MAX_FRAME_BYTES)]

Id = Annotated[str, Meta(pattern=r"\A[a-z0-9-]{1,64}\Z")]
"""A gateway, label, session, panel or encoding: these become topics, rows and URL paths."""
KeyId = Annotated[str, Meta(pattern=r"\A[0-9a-f]{8}\Z")]
Code = Annotated[str, Meta(pattern=r"\A[a-z0-9_]{1,64}\Z")]
Line = Annotated[str, Meta(pattern=r"\A[^\x00-\x1f\x7f]{0,64}\Z")]
"""A short text for people; no control characters, which logs and PostgreSQL take badly."""
Detail = Annotated[str, Meta(pattern=r"\A[^\x00-\x1f\x7f]{0,256}\Z")]

Digest = Annotated[bytes, Meta(min_length=DIGEST_BYTES, max_length=DIGEST_BYTES)]
MaybeDigest = Annotated[bytes, Meta(max_length=DIGEST_BYTES)]  # 32 bytes or none: is_digest
Pattern = Annotated[bytes, Meta(min_length=5, max_length=5)]

Labels = Annotated[list[Id], Meta(max_length=MAX_ENTRIES)]
SlotPictures = Annotated[list[tuple[Count, MaybeDigest]], Meta(max_length=MAX_SLOTS)]
Features = Annotated[dict[Code, Count], Meta(max_length=MAX_FEATURES)]

# Measurements. Batteries: coin cells 3 V, packs up to 6 V. Temperatures: what electronics
# survive. Signal: Bluetooth's own range, -127 to +20 dBm.
Millivolts = Annotated[int, Meta(ge=0, le=10_000)]
Celsius = Annotated[int, Meta(ge=-60, le=125)]
Dbm = Annotated[int, Meta(ge=-127, le=20)]

Seconds = Annotated[int, Meta(ge=1, le=86_400)]  # intervals: a day at most

# Blinking, as the Bluetooth LED command can say it: periods of 2 ms, 1 to 255 of them;
# repeats in 15 bits (field notes, standards A.7).
BlinkMs = Annotated[int, Meta(ge=2, le=510)]
Repeats = Annotated[int, Meta(ge=0, le=32_767)]


def is_digest(digest: bytes, *, or_empty: bool = False) -> bool:
    """Say whether these bytes have the length of a digest, or none where that is allowed."""
    return len(digest) == DIGEST_BYTES or (or_empty and not digest)
