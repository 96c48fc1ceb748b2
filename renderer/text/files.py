"""Font files: the ones this package carries, and those of a user's folder.

HarfBuzz shapes by glyph number, Pillow draws by character. So that both mean the same glyph, a
file is put together anew in memory with a longer ``cmap`` table: every character it had, and
after them one of plane 15 (private use) for each glyph:

=================== ===========================================
U+0020 … U+FFFD …   as the file says
U+F0000 + *n*       glyph number *n*, joined forms and ligatures too
=================== ===========================================

The other tables are the file's own. Characters of plane 15 in a text are not in `characters`,
hence never drawn.
"""

import struct
from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from importlib import resources
from io import BytesIO
from pathlib import Path

import uharfbuzz
from PIL import ImageFont

from esl.domain.errors import SetupError
from renderer.text.scripts import BLANKS, JOINERS

GLYPH_PLANE = 0xF0000
"""Character that stands for glyph 0 of a file put together here."""

SIZES_KEPT_BYTES = 32 * 2**20
"""Bound of what the open sizes of one file may hold: Pillow keeps a copy of the file for each."""

FOLDER_FILES, FILE_BYTES, FOLDER_BYTES = 64, 32 * 2**20, 128 * 2**20
"""Bounds of a user's folder. The largest common file, Noto Sans CJK, has 20 MB."""

_TALL_EM, _HANGING_EM = 0.4, -0.03
_GLYPHS_SEARCHED = 4096
_SUFFIXES = frozenset({".ttf", ".otf", ".ttc"})
_OUTLINES = frozenset({"glyf", "CFF ", "CFF2"})
_BOLD = 600  # OS/2 usWeightClass: semi-bold and above
_TRUETYPE, _POSTSCRIPT = b"\x00\x01\x00\x00", b"OTTO"


class FontFile:
    """One font, read when it is first needed.

    Cache: the font opened by Pillow at the last sizes, together at most `SIZES_KEPT_BYTES`.
    """

    def __init__(self, name: str, read: Callable[[], bytes]) -> None:
        self.name = name
        self._read = read

    @cached_property
    def _loaded(self) -> "_Loaded":
        return _Loaded(self._read())

    @property
    def characters(self) -> frozenset[int]:
        """Code points with a glyph of their own."""
        return self._loaded.characters

    @property
    def face(self) -> uharfbuzz.Face:
        """The font as HarfBuzz sees it."""
        return self._loaded.face

    @property
    def bold(self) -> bool:
        """Say whether this is the heavy weight of its family."""
        return self._loaded.weight >= _BOLD

    def has_all(self, cluster: str) -> bool:
        """Say whether every character has a glyph of its own here, or needs none."""
        characters = self._loaded.characters
        return all(ord(c) in characters or c in BLANKS or c in JOINERS for c in cluster)

    @cached_property
    def ruler(self) -> int:
        """A glyph that stands well above the base line: the H, or the first that does."""
        found = self._search("H", lambda top_em: top_em > _TALL_EM)
        if found is None:
            raise ValueError("it has no glyph of a letter's height")
        return found

    @cached_property
    def plumb(self) -> int | None:
        """A glyph that hangs wholly below the base line: "_", or the first that does."""
        return self._search("_", lambda top_em: top_em < _HANGING_EM)

    def _search(self, first: str, fits: Callable[[float], bool]) -> int | None:
        face = self._loaded.face
        font = uharfbuzz.Font(face)
        candidates = [font.get_nominal_glyph(ord(first)) or 0]
        candidates += range(1, min(face.glyph_count, _GLYPHS_SEARCHED))
        for glyph in candidates:
            box = font.get_glyph_extents(glyph)
            if glyph and box and box.height and fits(box.y_bearing / face.upem):
                return glyph
        return None

    def open_at(self, size_px: int) -> ImageFont.FreeTypeFont:
        """Open the font for drawing; characters of plane 15 are glyph numbers.

        Always with Pillow's own basic layout: the other one needs a library that some machines
        have and some lack, and draws other pixels (field notes, ux 0.2).
        """
        return self._open(size_px)

    @cached_property
    def _open(self) -> Callable[[int], ImageFont.FreeTypeFont]:
        data = self._loaded.data
        kept = max(SIZES_KEPT_BYTES // len(data), 1)
        return lru_cache(maxsize=kept)(
            lambda size_px: ImageFont.truetype(
                BytesIO(data), size_px, layout_engine=ImageFont.Layout.BASIC
            )
        )


class _Loaded:
    """What is kept of a file's content."""

    def __init__(self, content: bytes) -> None:
        original = uharfbuzz.Face(uharfbuzz.Blob(content))
        font = uharfbuzz.Font(original)
        try:
            tags = set(original.table_tags)
        except UnicodeDecodeError:
            raise ValueError("its directory of tables is damaged") from None
        found = {code: font.get_nominal_glyph(code) for code in sorted(original.unicodes)}
        glyphs = {code: glyph for code, glyph in found.items() if glyph}
        tables = {
            tag: original.reference_table(tag).data for tag in sorted(tags - {"cmap", "DSIG"})
        }
        tables["cmap"] = write_cmap(glyphs, original.glyph_count)
        head, weight = tables.get("head", b""), tables.get("OS/2", b"")[4:6]
        if not glyphs or not tags & _OUTLINES or len(head) < 54:  # noqa: PLR2004 size of "head"
            raise ValueError("it has no outlines, or no characters")
        if ord(" ") not in glyphs:
            raise ValueError("it has no blank")
        self.characters = frozenset(glyphs)
        self.weight = int.from_bytes(weight)
        self.data = assemble_font(tables, _TRUETYPE if "glyf" in tags else _POSTSCRIPT)
        self.face = uharfbuzz.Face(uharfbuzz.Blob(self.data))


def bundled(name: str) -> FontFile:
    """Take a font of this package."""
    return FontFile(name, (resources.files("renderer") / "fonts" / name).read_bytes)


def read_folder(folder: Path) -> list[FontFile]:
    """Read a user's fonts, in the order of their file names; of a collection the first font.

    Raises:
        SetupError: The folder cannot be read or holds too much, or a file is no usable font.
    """
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)
        sizes = [path.stat().st_size for path in paths]
    except OSError as exc:
        raise SetupError(f"fonts_folder: cannot be read: {exc.strerror}") from None
    if len(paths) > FOLDER_FILES:
        raise SetupError(
            f"fonts_folder: {len(paths)} fonts, at most {FOLDER_FILES}; take some out of it"
        )
    for path, size in zip(paths, sizes, strict=True):
        if size > FILE_BYTES:
            raise SetupError(f"fonts_folder: {path.name} has more than {FILE_BYTES} bytes")
    if sum(sizes) > FOLDER_BYTES:
        raise SetupError(f"fonts_folder: its fonts have together more than {FOLDER_BYTES} bytes")
    return [_read_checked(path) for path in paths]


def _read_checked(path: Path) -> FontFile:
    """Read a font and draw with it once, so that a broken one is found at the start."""
    file = FontFile(path.name, path.read_bytes)
    try:
        drawn = "".join(map(chr, sorted(file.characters)[:64]))
        file.open_at(16).getmask(drawn, mode="1")
        _ = file.ruler, file.plumb
    except (OSError, ValueError, uharfbuzz.HarfBuzzError) as exc:
        raise SetupError(
            f"fonts_folder: {path.name} is not a usable font ({exc}); take it out of the folder"
        ) from exc
    return file


def write_cmap(glyphs: dict[int, int], count: int) -> bytes:
    """Write a ``cmap`` of format 12: the characters given, and one of plane 15 a glyph."""
    groups: list[tuple[int, int, int]] = []
    for code, glyph in glyphs.items():
        if code >= GLYPH_PLANE:
            break
        if groups and code == groups[-1][1] + 1 and glyph == groups[-1][2] + code - groups[-1][0]:
            groups[-1] = (groups[-1][0], code, groups[-1][2])
        else:
            groups.append((code, code, glyph))
    groups.append((GLYPH_PLANE, GLYPH_PLANE + count - 1, 0))
    table = b"".join(struct.pack(">LLL", *group) for group in groups)
    header = struct.pack(">HHHHL", 0, 1, 3, 10, 12)  # one subtable: Windows, full Unicode
    return header + struct.pack(">HHLLL", 12, 0, 16 + len(table), 0, len(groups)) + table


def assemble_font(tables: dict[str, bytes], kind: bytes) -> bytes:
    """Put tables together to a font file; checksums are left out, nobody reads them."""
    at = 12 + 16 * len(tables)
    directory, body = [], []
    for tag, table in sorted(tables.items()):
        directory.append(struct.pack(">4sLLL", tag.encode("latin-1"), 0, at, len(table)))
        padded = table + bytes(-len(table) % 4)
        body.append(padded)
        at += len(padded)
    return b"".join([kind, struct.pack(">HHHH", len(tables), 0, 0, 0), *directory, *body])


def pick_weight(files: Sequence[FontFile], *, bold: bool) -> list[FontFile]:
    """Put the files of a weight before those of the other, else in the same order."""
    return sorted(files, key=lambda file: file.bold != bold)
