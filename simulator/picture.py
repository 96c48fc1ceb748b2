"""The bytes of a `Put` become a picture in a label's memory, or a reason why they do not.

Nothing is trusted: a label has room for one frame, so a stream that would inflate to more is
stopped one byte behind it, and a stream that needs a larger window than the panel announced
cannot be read at all. Only a frame with the digest it was promised under leaves here (L2).

What is kept is what travelled, compressed, a delta beside the picture it changes: a shop of
30,000 labels holds its pictures in some hundred megabytes.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

import numpy as np

from esl.domain.panel import Panel
from gateway.wire.failures import FailureCode
from gateway.wire.messages import RAW, XOR_ZLIB, ZLIB, Put

# RFC 1950, 2.2: CINFO is the base-2 logarithm of the window minus eight, and both bytes of the
# header as one number are a multiple of 31.
_WINDOW_BITS_BASE = 8
_HEADER_BYTES = 2
_HEADER_CHECK = 31

_DELTAS_DEEPEST = 3
"""A picture this many deltas away from a whole one is kept whole: reading it has to end."""
_FAST = 1  # zlib's level for what only saves memory


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a label or gateway does not do what it was told."""

    code: FailureCode
    detail: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A verified frame as it is kept: a zlib stream of it, or of its difference to ``base``."""

    digest: bytes
    stream: bytes
    base: "Picture | None" = None
    deltas: int = 0  # from here to a whole picture

    @classmethod
    def whole(cls, frame: bytes) -> "Picture":
        """Keep a frame."""
        return cls(sha256(frame).digest(), zlib.compress(frame, _FAST))

    def frame(self) -> bytes:
        """Return the packed pixels."""
        inflated = zlib.decompress(self.stream)
        return inflated if self.base is None else _xor(inflated, self.base.frame())


Held = Callable[[bytes], Picture | None]
"""Finds the picture of a digest among those a label holds."""


def open_picture(put: Put, panel: Panel, held: Held) -> Picture | Refusal:
    """Return the picture a put carries, complete and verified, or why there is none."""
    refusal = _judge_fields(put, panel)
    if refusal is not None:
        return refusal
    base = None
    if put.encoding == XOR_ZLIB and put.base is not None:
        base = held(put.base)
        if base is None:
            return Refusal(FailureCode.BASE_MISMATCH)
    frame = put.data if put.encoding == RAW else _inflate(put.data, panel)
    if isinstance(frame, Refusal):
        return frame
    if len(frame) != panel.frame_bytes:
        return Refusal(FailureCode.BAD_DIGEST, "not one whole frame")
    if base is not None:
        frame = _xor(frame, base.frame())
    if sha256(frame).digest() != put.digest:
        return Refusal(FailureCode.BAD_DIGEST)
    return _keep(put, frame, base)


def _keep(put: Put, frame: bytes, base: Picture | None) -> Picture:
    if put.encoding == RAW or (base is not None and base.deltas >= _DELTAS_DEEPEST):
        return Picture(put.digest, zlib.compress(frame, _FAST))
    if base is None:
        return Picture(put.digest, put.data)
    return Picture(put.digest, put.data, base, base.deltas + 1)


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(np.frombuffer(one, np.uint8) ^ np.frombuffer(other, np.uint8))


def _judge_fields(put: Put, panel: Panel) -> Refusal | None:
    if put.encoding not in (RAW, ZLIB, XOR_ZLIB):
        return Refusal(FailureCode.UNSUPPORTED, f"encoding {put.encoding}")
    if put.size != panel.frame_bytes:
        detail = f"size {put.size}, the panel's frame has {panel.frame_bytes}"
        return Refusal(FailureCode.INVALID_PARAMETERS, detail)
    return None


def _inflate(data: bytes, panel: Panel) -> bytes | Refusal:
    if _window_bits(data) > panel.zlib_window_bits:
        window = 1 << panel.zlib_window_bits
        return Refusal(FailureCode.CAPACITY_LIMIT, f"needs more than a window of {window} bytes")
    stream = zlib.decompressobj(wbits=panel.zlib_window_bits)
    try:
        frame = stream.decompress(data, panel.frame_bytes + 1)
    except zlib.error:
        return Refusal(FailureCode.BAD_DIGEST, "no zlib stream")
    if not stream.eof or stream.unused_data:
        return Refusal(FailureCode.BAD_DIGEST, "not one whole zlib stream")
    return frame


def _window_bits(data: bytes) -> int:
    """Window a zlib stream asks for in its header; 0 if it has none (RFC 1950, 2.2)."""
    if len(data) < _HEADER_BYTES or data[0] & 0x0F != zlib.DEFLATED:
        return 0
    if int.from_bytes(data[:_HEADER_BYTES]) % _HEADER_CHECK:
        return 0
    return (data[0] >> 4) + _WINDOW_BITS_BASE
