"""Small fonts made on the spot: bundled outlines under characters the bundled fonts lack."""

from pathlib import Path

import uharfbuzz

from renderer.text.files import assemble_font, bundled, write_cmap

FOREIGN = {"日": "א", "本": "ב", "語": "ג", "ー": "ו", "。": "י", "ሀ": "ש", " ": " "}
"""Characters of no bundled font, and whose outlines stand in for theirs."""


def write_font(path: Path, *, characters: dict[str, str] | None = None, bold: bool = False) -> Path:
    """Write a font with outlines of Noto Sans Hebrew for other characters."""
    face = bundled(f"NotoSansHebrew-{'Bold' if bold else 'Regular'}.ttf").face
    font = uharfbuzz.Font(face)
    tables = {tag: face.reference_table(tag).data for tag in face.table_tags}
    chosen = FOREIGN if characters is None else characters
    glyphs = {ord(c): font.get_nominal_glyph(ord(like)) for c, like in sorted(chosen.items())}
    tables["cmap"] = write_cmap(glyphs, 0)
    path.write_bytes(assemble_font(tables, b"\x00\x01\x00\x00"))
    return path


def write_collection(path: Path) -> Path:
    """Write a collection of one font: its directory after a header, offsets moved along."""
    write_font(path)
    font = bytearray(path.read_bytes())
    header = b"ttcf" + (0x00010000).to_bytes(4) + (1).to_bytes(4) + (16).to_bytes(4)
    for i in range(int.from_bytes(font[4:6])):
        at = 12 + 16 * i + 8
        font[at : at + 4] = (int.from_bytes(font[at : at + 4]) + len(header)).to_bytes(4)
    path.write_bytes(header + font)
    return path
