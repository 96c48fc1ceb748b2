"""Which characters a TrueType font really has, read from its own tables.

Pillow draws a box ("tofu") for a missing character and says nothing, and comparing pictures with
that box would mistake U+25A1 for it. The ``cmap`` table is the font's own word:

========= ============================================================================
format 4  segments of 16-bit characters: end, start, delta, offset into a glyph list
format 12 groups of 32-bit characters: start, end, first glyph
========= ============================================================================

Glyph 0 is ``.notdef`` and counts as missing (OpenType 1.9, "cmap").
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_SEGMENTS, _GROUPS = 4, 12
_LAST_SEGMENT = 0xFFFF


@dataclass(frozen=True, slots=True)
class FontFacts:
    """What the renderer needs to know of a font besides its outlines."""

    characters: frozenset[int]  # code points with a glyph of their own
    ascent_em: float  # highest point of any glyph above the baseline, in units of the size
    descent_em: float  # lowest point of any glyph below the baseline, positive


def read_facts(font: bytes) -> FontFacts:
    """Read coverage and bounds of one TrueType file.

    Raises:
        ValueError: The file has no Unicode ``cmap`` of format 4 or 12.
    """
    tables = dict(_tables(font))
    head = tables["head"]
    (units_per_em,) = struct.unpack_from(">H", font, head + 18)
    y_min, y_max = (struct.unpack_from(">h", font, head + at)[0] for at in (38, 42))
    return FontFacts(
        characters=frozenset(_characters(font, tables["cmap"])),
        ascent_em=y_max / units_per_em,
        descent_em=-y_min / units_per_em,
    )


def _tables(font: bytes) -> Iterator[tuple[str, int]]:
    (count,) = struct.unpack_from(">H", font, 4)
    for i in range(count):
        tag, _checksum, offset, _length = struct.unpack_from(">4sLLL", font, 12 + 16 * i)
        yield tag.decode("ascii"), offset


def _characters(font: bytes, cmap: int) -> Iterator[int]:
    (count,) = struct.unpack_from(">H", font, cmap + 2)
    offsets = (struct.unpack_from(">L", font, cmap + 8 + 8 * i)[0] for i in range(count))
    subtables = {struct.unpack_from(">H", font, cmap + at)[0]: cmap + at for at in offsets}
    if _GROUPS in subtables:
        return _groups(font, subtables[_GROUPS])
    if _SEGMENTS in subtables:
        return _segments(font, subtables[_SEGMENTS])
    raise ValueError(f"no Unicode cmap; found formats {sorted(subtables)}")


def _groups(font: bytes, table: int) -> Iterator[int]:
    (count,) = struct.unpack_from(">L", font, table + 12)
    for i in range(count):
        start, end, glyph = struct.unpack_from(">LLL", font, table + 16 + 12 * i)
        yield from range(start if glyph else start + 1, end + 1)


def _segments(font: bytes, table: int) -> Iterator[int]:
    (doubled,) = struct.unpack_from(">H", font, table + 6)
    count = doubled // 2
    ends, starts, deltas, offsets = (
        struct.unpack_from(f">{count}H", font, table + 14 + (2 if part else 0) + part * doubled)
        for part in range(4)
    )
    offsets_at = table + 16 + 3 * doubled
    for i, (start, end, delta, offset) in enumerate(
        zip(starts, ends, deltas, offsets, strict=True)
    ):
        for code in range(start, min(end, _LAST_SEGMENT - 1) + 1):
            if offset:
                at = offsets_at + 2 * i + offset + 2 * (code - start)
                (glyph,) = struct.unpack_from(">H", font, at)
                if glyph and (glyph + delta) & 0xFFFF:
                    yield code
            elif (code + delta) & 0xFFFF:
                yield code
