"""Frames as they travel and as they are kept: zlib, within the panel's window.

======== ==========================================================================
zlib     the whole frame
xor-zlib the frame XOR another, its base: zeros wherever a price change changed nothing
======== ==========================================================================

zlib-ng writes plain zlib in a third to a half of the standard library's time at the same size.
The window is the panel's, 4 KiB by default, because small label controllers have no 32 KiB to
inflate into.
"""

from typing import cast

import numpy as np
from zlib_ng import zlib_ng

from esl.domain.panel import Panel

TRAVEL_LEVEL = 5
"""Of what travels. Measured on 296x128 price labels: level 5 takes 61 µs and 1,387 bytes for a
whole picture, level 6 takes 74 µs and 1,378; of a delta 39 µs and 788 against 47 and 777."""

_NO_ZLIB = cast("type[Exception]", zlib_ng.error)  # the stub calls it an instance

KEEP_LEVEL = 1
"""Of what is only kept: 22 µs and 2,269 bytes."""


def deflate(pixels: bytes, panel: Panel, *, level: int = TRAVEL_LEVEL) -> bytes:
    """Compress a packed frame, or a difference, for a panel's window."""
    return bytes(zlib_ng.compress(pixels, level, panel.zlib_window_bits))


def inflate(data: bytes, panel: Panel) -> bytes:
    """Expand what `deflate` made; never to more than one frame of the panel.

    Raises:
        ValueError: It is not one whole frame of this panel.
    """
    unpacker = zlib_ng.decompressobj()
    try:
        pixels = unpacker.decompress(data, panel.frame_bytes + 1)
    except _NO_ZLIB as exc:
        raise ValueError(f"not a compressed frame: {exc}") from exc
    if len(pixels) != panel.frame_bytes or not unpacker.eof:
        raise ValueError(f"not one frame of {panel.panel_id}")
    return bytes(pixels)


def difference(pixels: bytes, base: bytes) -> bytes:
    """XOR two frames of one panel: from the second either gives the other.

    Raises:
        ValueError: They are of different sizes.
    """
    if len(pixels) != len(base):
        raise ValueError(f"a frame of {len(pixels)} bytes has no base of {len(base)}")
    return (np.frombuffer(pixels, np.uint8) ^ np.frombuffer(base, np.uint8)).tobytes()
