"""Pictures to test with: stripes in the panel's own codes, no two of a run alike.

A picture is made of rows of black and white in a pattern that counts up, so that a person at the
shelf sees which attempt is on the glass, and the bytes are valid codes of any panel model.
"""

import zlib
from dataclasses import dataclass
from hashlib import sha256

from esl.domain.panel import Encoding, Ink, Panel
from gateway.wire.messages import RAW, XOR_ZLIB, ZLIB

_BITS = 16  # stripes that spell a picture's number


@dataclass(frozen=True, slots=True)
class Picture:
    """One frame of a panel."""

    frame: bytes
    window_bits: int

    @property
    def digest(self) -> bytes:
        """What names it."""
        return sha256(self.frame).digest()

    def encoded(self, encoding: str, base: "Picture | None" = None) -> bytes:
        """The bytes a ``put`` carries.

        Raises:
            ValueError: The encoding is none of the protocol's, or a delta lacks its base.
        """
        if encoding == RAW:
            return self.frame
        if encoding == ZLIB:
            return self._deflate(self.frame)
        if encoding == XOR_ZLIB and base is not None:
            pairs = zip(self.frame, base.frame, strict=True)
            return self._deflate(bytes(new ^ old for new, old in pairs))
        raise ValueError(f"no picture can be sent as {encoding!r}")

    def _deflate(self, data: bytes) -> bytes:
        stream = zlib.compressobj(wbits=self.window_bits)
        return stream.compress(data) + stream.flush()


def stripes(panel: Panel, number: int) -> Picture:
    """The picture of a number: stripes across the frame, black for each set bit.

    The lowest 16 bits count; frames shorter than that repeat after fewer.
    """
    codes = dict(zip(panel.inks, panel.codes, strict=True))
    size = panel.frame_bytes
    frame = bytearray()
    if panel.encoding is Encoding.PLANES:
        plane = size // panel.planes
        for bit in range(panel.planes):
            fills = {ink: 0xFF if code >> bit & 1 else 0 for ink, code in codes.items()}
            frame += _striped(plane, fills[Ink.BLACK], fills[Ink.WHITE], number)
    else:
        fills = {ink: code * 0b01010101 for ink, code in codes.items()}
        frame += _striped(size, fills[Ink.BLACK], fills[Ink.WHITE], number)
    return Picture(bytes(frame), panel.zlib_window_bits)


def _striped(size: int, black: int, white: int, number: int) -> bytes:
    width = max(1, size // _BITS)
    stripe = bytearray(
        black if number >> min(at // width, _BITS - 1) & 1 else white for at in range(size)
    )
    return bytes(stripe)
