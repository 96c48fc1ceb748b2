"""From inks to the bytes a panel reads, and back.

A canvas is a ``uint8`` array of shape (height, width) that holds `Ink` values as the shopper sees
them. Every road leads over *squeezed* inks, four pixels a byte, the leftmost pixel highest:

    canvas ─▶ turned, rows filled up ─▶ squeezed ─┬─▶ packed: each byte exchanged by a table
                                                  └─▶ planes: each 8 pixels looked up, per plane

    pixels   black white yellow red
    codes      00    01    10    11   ─▶  0b00011011 = 0x1b   (usual table)
    codes      00    01    11    10   ─▶  0b00011110 = 0x1e   (red and yellow swapped)
    codes      01    00    11    10   ─▶  planes 0b1010, 0b0011 (OpenEPaperLink's)

Vectors: field notes, standards G.6; plane codes: open-source 3.2.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from esl.domain.panel import ALL_INKS, Encoding, Ink, Panel, RowPadding

Canvas = NDArray[np.uint8]

PIXELS_PER_BYTE = 4

# Four pixels lie in a little-endian word as p0 | p1<<8 | p2<<16 | p3<<24. Multiplying moves each
# to its place in the top byte (p0<<30, p1<<28, p2<<26, p3<<24) and the products never meet,
# because a pixel has two bits only. 7-11 us a frame against 3,000 for a Python loop.
_GATHER = np.uint32(1 << 30 | 1 << 20 | 1 << 10 | 1)

_TO_LOWEST_BYTE = np.uint32(24)
_WORDS = np.dtype("<u4")

# Byte -> its four pixels as one word, the way `_GATHER` read them.
_SPREAD = np.array(
    [(b >> 6) | (b >> 4 & 3) << 8 | (b >> 2 & 3) << 16 | (b & 3) << 24 for b in range(256)],
    dtype="<u4",
)

PANELS_KEPT = 128
"""Panels whose tables are kept; of a two-plane model they take 130 KiB."""

_NO_CHANGE = bytes(range(256))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Tables:
    """What packing for one panel looks up."""

    codes_of: bytes  # squeezed inks -> squeezed codes, for bytes.translate
    inks_of: bytes  # and back; codes of no ink become inks that the panel lacks
    plane_of: tuple[Canvas, ...]  # per plane: two bytes of squeezed inks -> eight bits
    lacks: tuple[Ink, ...]
    shape: tuple[int, int]  # of a canvas
    plain: bool  # a frame is the squeezed canvas itself


@lru_cache(maxsize=PANELS_KEPT)
def _tables(panel: Panel) -> _Tables:
    """Make a panel's tables; kept by panel, the last `PANELS_KEPT`."""
    code_of = dict(zip(panel.inks, panel.codes, strict=True))
    spare = iter(sorted(set(range(len(ALL_INKS))) - set(panel.codes)))
    codes = np.array([code_of[i] if i in code_of else next(spare) for i in ALL_INKS], np.uint8)
    pixels = expand(_NO_CHANGE).reshape(-1, PIXELS_PER_BYTE)
    planes: list[Canvas] = []
    if panel.encoding is Encoding.PLANES:
        for plane in range(panel.planes):
            left = np.packbits(codes[pixels] >> plane & 1, axis=1).reshape(1, -1)
            right = left.reshape(-1, 1) // 16
            planes.append((left | right).reshape(-1).astype(np.uint8, copy=False))
    codes_of = squeeze(codes[pixels])
    upright = panel.turn == 0 and panel.encoding is Encoding.PACKED
    return _Tables(
        codes_of=codes_of,
        inks_of=squeeze(np.argsort(codes).astype(np.uint8)[pixels]),
        plane_of=tuple(planes),
        lacks=panel.lacks,
        shape=(panel.height_px, panel.width_px),
        plain=upright and codes_of == _NO_CHANGE and panel.width_px % PIXELS_PER_BYTE == 0,
    )


def is_plain(panel: Panel) -> bool:
    """Say whether a panel's frames are its canvases, squeezed, and nothing else."""
    return _tables(panel).plain


def pack(canvas: Canvas, panel: Panel) -> bytes:
    """Turn a canvas into the panel's frame, `Panel.frame_bytes` long.

    Raises:
        ValueError: The canvas has not the panel's size, or an ink the panel lacks.
    """
    tables = _tables(panel)
    if canvas.shape != tables.shape:
        raise ValueError(
            f"canvas is {canvas.shape[1]}x{canvas.shape[0]}, "
            f"{panel.panel_id} is {panel.width_px}x{panel.height_px}"
        )
    for ink in tables.lacks:
        if (canvas == ink).any():
            raise ValueError(f"{panel.panel_id} has no {ink.name.lower()} ink")
    if tables.plain:
        return squeeze(canvas)
    scan = np.rot90(canvas, k=-panel.turn // 90) if panel.turn else canvas
    squeezed = squeeze(np.ascontiguousarray(_filled_up(scan, panel)))
    if panel.encoding is Encoding.PLANES:
        words = np.frombuffer(squeezed, "<u2")  # the first byte is the lower one
        return b"".join(plane.take(words, mode="clip").tobytes() for plane in tables.plane_of)
    return squeezed if tables.codes_of == _NO_CHANGE else squeezed.translate(tables.codes_of)


def _filled_up(scan: Canvas, panel: Panel) -> Canvas:
    """Fill up each row, or the end of a frame without row padding, to whole bytes."""
    if panel.row_padding is RowPadding.NONE:
        scan = scan.reshape(1, -1)
    rows, width = scan.shape
    padding = -width % panel.pixels_per_byte
    if not padding:
        return scan
    filled = np.full((rows, width + padding), panel.padding, np.uint8)
    filled[:, :width] = scan
    return filled


def unpack(pixels: bytes, panel: Panel) -> Canvas:
    """Read a frame back into a canvas: ``unpack(pack(x)) == x``.

    Raises:
        ValueError: The bytes are not `Panel.frame_bytes` many, or hold a code of no ink.
    """
    if len(pixels) != panel.frame_bytes:
        raise ValueError(f"{len(pixels)} bytes, {panel.panel_id} has {panel.frame_bytes}")
    tables = _tables(panel)
    codes = _codes_from_planes(pixels, panel) if panel.encoding is Encoding.PLANES else pixels
    flat = expand(codes if tables.inks_of == _NO_CHANGE else codes.translate(tables.inks_of))
    width, height = panel.scan_size_px
    if panel.row_padding is RowPadding.NONE:
        scan = flat[: width * height].reshape(height, width)
    else:
        scan = flat.reshape(height, -1)[:, :width]
    if any((scan == ink).any() for ink in tables.lacks):
        raise ValueError(f"the pixels hold a code that is no ink of {panel.panel_id}")
    return np.ascontiguousarray(np.rot90(scan, k=panel.turn // 90) if panel.turn else scan)


def _codes_from_planes(pixels: bytes, panel: Panel) -> bytes:
    """Lay planes of one bit a pixel together to squeezed codes."""
    bits = np.unpackbits(np.frombuffer(pixels, np.uint8).reshape(panel.planes, -1), axis=1)
    return squeeze(bits[0] if panel.planes == 1 else bits[0] | bits[1] << 1)


def squeeze(pixels: Canvas) -> bytes:
    """Pack a contiguous array of two-bit values in its own order, zeros behind the last."""
    flat = pixels.reshape(-1)
    if flat.size % PIXELS_PER_BYTE:
        flat = np.pad(flat, (0, -flat.size % PIXELS_PER_BYTE))
    words = flat.view(_WORDS) * _GATHER
    words >>= _TO_LOWEST_BYTE
    return words.astype(np.uint8).tobytes()


def expand(packed: bytes) -> Canvas:
    """Undo `squeeze`: a fresh, writable, flat array of four values a byte."""
    return _SPREAD.take(np.frombuffer(packed, np.uint8), mode="clip").view(np.uint8)
