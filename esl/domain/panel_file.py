"""Panel models as TOML: those that come with the project, and a user's own.

    [bwry-296x128]                     the id: inks, size in px, and a suffix where two share them
    name = '2.9" four-colour'
    inks = "bwry"
    …

A field that a file leaves out gets the usual value and counts as nominal, as do those that the
file lists in ``nominal``. Every mistake of a file is reported, each with model, field and fix.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import fields
from functools import cache
from importlib.resources import files
from pathlib import Path

from esl.domain.errors import SetupError
from esl.domain.ids import PanelId, has_control
from esl.domain.panel import (
    INK_SETS,
    MEASURED_RGB,
    MM_PER_INCH,
    Encoding,
    Ink,
    Panel,
    Panels,
    Rgb,
    RowPadding,
)

EXAMPLE = """\
# A model of your own. Name this file in esl.toml:  panels_file = "panels.toml"
# or in the environment:  ESL_PANELS_FILE=panels.toml

[bwry-296x128-mine]                  # inks, size, and a suffix: the plain id is taken
name = '2.9" four-colour, ours'      # begins with the diagonal
inks = "bwry"                        # bw, bwr, bwy or bwry
width_px = 296                       # as the label hangs on the shelf
height_px = 128
dpi = 112
codes = { black = 0, white = 1, yellow = 3, red = 2 }  # two bits; wrong ones swap colours
refresh_s = 20.0                     # one full refresh

# The rest may be left out; these are the usual values, or examples.
active_mm = [66.9, 29.06]            # width and height of the picture on the glass
encoding = "packed"                  # or "planes": one bit a pixel, twice
turn = 0                             # clockwise before packing: 0, 90, 180 or 270
row_padding = "byte"                 # or "none": rows run on in one stream of bits
padding = "white"                    # the ink that fills the last byte
slots = 2                            # picture memories of the label
zlib_window_bits = 12                # 4 KiB; 9 to 15
measured = false                     # true if ink_rgb was measured on this model
ink_rgb.black = [10, 7, 14]          # as the glass reflects it
ink_rgb.white = [173, 178, 174]
ink_rgb.yellow = [172, 128, 0]
ink_rgb.red = [85, 24, 14]
maker = "Example"
controller = "JD79661"
source = "data sheet, revision 1.2"
nominal = ["refresh_s"]              # what you are not sure of
"""

_ID = re.compile(r"(bw|bwr|bwy|bwry)-([1-9][0-9]{0,4})x([1-9][0-9]{0,4})(-[a-z0-9]+)*")
_ID_LONGEST = 64  # the wire protocol's rule for ids
_SIDE_PX = (8, 4096)
_DPI = (40, 600)
_SIDE_MM = (2.0, 1000.0)
_REFRESH_S = (0.1, 300.0)
_SLOTS = (1, 16)
_WINDOW_BITS = (9, 15)  # zlib's own limits for what it writes
_CODE_HIGHEST = 3
_CHANNEL_HIGHEST = 255
_TURNS = (0, 90, 180, 270)
_MM_TOLERANCE = 0.04  # dpi are whole, makers round millimetres
_TEXT_LONGEST = 120

_COLOURS = {ink.name.lower(): ink for ink in Ink}
_FIELDS = frozenset(f.name for f in fields(Panel)) - {"panel_id"}
_REQUIRED = ("name", "inks", "width_px", "height_px", "dpi", "codes", "refresh_s")
_NEVER_NOMINAL = {"nominal", "name", "inks", "ink_rgb", "measured", "maker", "controller", "source"}


def load_panels(extra: Path | None = None) -> Panels:
    """Read all panel models: the built-in ones, and those of a user's file.

    Raises:
        SetupError: The user's file cannot be read or has mistakes; names each.
    """
    if extra is None:
        return _built_in()
    try:
        text = extra.read_text(encoding="utf-8")
    except OSError as exc:
        raise SetupError(f"panels file {extra} cannot be read: {exc.strerror}") from exc
    except UnicodeDecodeError as exc:
        raise SetupError(f"panels file {extra} is not UTF-8 text") from exc
    ours = _built_in()
    return Panels([*ours.values(), *read_panels(text, str(extra), taken=ours)])


@cache
def _built_in() -> Panels:
    """Read the models that come with the project, once per process."""
    folder = files("esl.domain").joinpath("panels")
    texts = {f.name: f.read_text("utf-8") for f in folder.iterdir() if f.name.endswith(".toml")}
    return Panels(p for name, text in sorted(texts.items()) for p in read_panels(text, name))


def read_panels(text: str, file: str, *, taken: Iterable[str] = ()) -> list[Panel]:
    """Read the models of one TOML file; ``taken`` are ids it must not use.

    Raises:
        SetupError: With every mistake: file, model, field and fix.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise SetupError(f"{file} is not TOML: {exc}; an example: esl panels example") from exc
    problems: list[str] = []
    panels: list[Panel] = []
    for panel_id, table in tables.items():
        if not isinstance(table, dict):
            problems.append(f"{panel_id[:_ID_LONGEST]}: no table; write [{panel_id[:_ID_LONGEST]}]")
            continue
        reader = _Reader(panel_id, table)
        if panel_id in taken:
            reader.problem("id", "there is a built-in model of this id", "add a suffix")
        panel = reader.panel()
        problems += reader.problems
        if panel is not None:
            panels.append(panel)
    if problems:
        raise SetupError(f"{file}: " + " | ".join(problems))
    return panels


class _Reader:
    """One model's table; gathers every mistake."""

    def __init__(self, panel_id: str, table: Mapping[str, object]) -> None:
        self.problems: list[str] = []
        self._id = panel_id
        self._table = table

    def problem(self, name: str, what: str, fix: str) -> None:
        """Note a mistake."""
        self.problems.append(f"[{self._id[:_ID_LONGEST]}] {name}: {what}; {fix}")

    def panel(self) -> Panel | None:
        """Read all fields; None where there was a mistake."""
        for name in self._table.keys() - _FIELDS:
            self.problem(name[:_ID_LONGEST], "unknown field", "leave it out or check its spelling")
        for name in _REQUIRED:
            if name not in self._table:
                self.problem(name, "missing", "every model needs it; see: esl panels example")
        letters = self._choice("inks", INK_SETS, "bwry")
        inks = INK_SETS[letters]
        encoding = Encoding(self._choice("encoding", [*Encoding], "packed"))
        measured = self._table.get("measured", False)
        if not isinstance(measured, bool):
            self.problem("measured", "neither true nor false", "write true or false")
        if measured is True and "ink_rgb" not in self._table:
            self.problem("measured", "true without ink_rgb", "give ink_rgb, or leave it out")
        panel = Panel(
            panel_id=PanelId(self._id),
            name=self._text("name"),
            width_px=int(self._number("width_px", *_SIDE_PX, _SIDE_PX[0])),
            height_px=int(self._number("height_px", *_SIDE_PX, _SIDE_PX[0])),
            dpi=int(self._number("dpi", *_DPI, _DPI[0])),
            active_mm=self._active_mm(),
            inks=inks,
            ink_rgb=self._ink_rgb(inks),
            measured=measured is True,
            codes=self._codes(inks),
            encoding=encoding,
            turn=self._turn(),
            row_padding=RowPadding(self._choice("row_padding", [*RowPadding], "byte")),
            padding=self._padding(inks),
            refresh_s=self._number("refresh_s", *_REFRESH_S, 1.0, whole=False),
            slots=int(self._number("slots", *_SLOTS, 2)),
            zlib_window_bits=int(self._number("zlib_window_bits", *_WINDOW_BITS, 12)),
            maker=self._text("maker"),
            controller=self._text("controller"),
            source=self._text("source"),
            nominal=self._nominal(),
        )
        if not self.problems:
            self._check_together(panel, letters)
        return None if self.problems else panel

    def _check_together(self, panel: Panel, letters: str) -> None:
        """Compare the id with the facts, and pixels with millimetres."""
        form = _ID.fullmatch(self._id)
        plain = f"{letters}-{panel.width_px}x{panel.height_px}"
        if form is None or len(self._id) > _ID_LONGEST:
            self.problem("id", "not <inks>-<width>x<height>[-suffix]", f"write [{plain}]")
        elif f"{form[1]}-{form[2]}x{form[3]}" != plain:
            self.problem(
                "id", f"its fields say {plain}", f"begin it with {plain} or mend the fields"
            )
        if panel.active_mm is not None:
            sides = (panel.width_px, panel.active_mm[0]), (panel.height_px, panel.active_mm[1])
            for px, mm in sides:
                dpi = px * MM_PER_INCH / mm
                if abs(dpi / panel.dpi - 1) > _MM_TOLERANCE:
                    self.problem(
                        "active_mm",
                        f"{px} px over {mm:g} mm are {dpi:.0f} dpi, and dpi is {panel.dpi}",
                        "mend one of them",
                    )

    def _text(self, name: str) -> str:
        value = self._table.get(name, "")
        if not isinstance(value, str) or len(value) > _TEXT_LONGEST or has_control(value):
            self.problem(name, "no short line of text", f"write up to {_TEXT_LONGEST} characters")
            return ""
        if name == "name" and name in self._table and not value.strip():
            self.problem(name, "empty", "write what people call the model")
        return value.strip()

    def _number(
        self, name: str, low: float, high: float, default: float, *, whole: bool = True
    ) -> float:
        value = self._table.get(name, default)
        kind = int if whole else int | float
        if isinstance(value, bool) or not isinstance(value, kind) or not low <= value <= high:
            number = "whole number" if whole else "number"
            self.problem(name, f"no {number} from {low:g} to {high:g}", "write one")
            return default
        return value

    def _choice(self, name: str, allowed: Iterable[str], default: str) -> str:
        value = self._table.get(name, default)
        if not isinstance(value, str) or value not in (known := list(allowed)):
            self.problem(name, "not a known word", f"write one of {', '.join(allowed)}")
            return default
        return str(known[known.index(value)])

    def _turn(self) -> int:
        value = self._table.get("turn", 0)
        if isinstance(value, bool) or not isinstance(value, int) or value not in _TURNS:
            self.problem("turn", "no quarter turn", "write 0, 90, 180 or 270")
            return 0
        return value

    def _padding(self, inks: tuple[Ink, ...]) -> Ink:
        colours = [ink.name.lower() for ink in inks]
        return _COLOURS[self._choice("padding", colours, "white")]

    def _active_mm(self) -> tuple[float, float] | None:
        match self._table.get("active_mm"):
            case None:
                return None
            case [(int() | float()) as width, (int() | float()) as height] if all(
                _SIDE_MM[0] <= side <= _SIDE_MM[1] and not isinstance(side, bool)
                for side in (width, height)
            ):
                return float(width), float(height)
        self.problem("active_mm", "no width and height in mm", "write them as [66.9, 29.06]")
        return None

    def _by_ink(self, name: str, inks: tuple[Ink, ...]) -> dict[Ink, object] | None:
        """Read a table with one value for each ink of the model."""
        value = self._table.get(name)
        if value is None:
            return None
        colours = {ink.name.lower() for ink in inks}
        if not isinstance(value, dict) or value.keys() != colours:
            wanted = ", ".join(ink.name.lower() for ink in inks)
            self.problem(name, "not one value for each ink", f"give {wanted}, and no other")
            return None
        return {_COLOURS[colour]: value[colour] for colour in colours}

    def _codes(self, inks: tuple[Ink, ...]) -> tuple[int, ...]:
        """Read the codes, one an ink: whole numbers of two bits, no two the same."""
        given = self._by_ink("codes", inks)
        if given is None:
            return tuple(range(len(inks)))
        codes = tuple(
            code
            for ink in inks
            if isinstance(code := given[ink], int) and not isinstance(code, bool)
        )
        if len(set(codes)) < len(inks) or not all(0 <= code <= _CODE_HIGHEST for code in codes):
            self.problem("codes", "not different numbers from 0 to 3", "give each ink its own")
            return tuple(range(len(inks)))
        return codes

    def _ink_rgb(self, inks: tuple[Ink, ...]) -> tuple[Rgb, Rgb, Rgb, Rgb]:
        """Read the colours; those of inks the model lacks, or of all, are the stand-ins."""
        colours = list(MEASURED_RGB)
        for ink, value in (self._by_ink("ink_rgb", inks) or {}).items():
            match value:
                case [int() as red, int() as green, int() as blue] if all(
                    0 <= channel <= _CHANNEL_HIGHEST and not isinstance(channel, bool)
                    for channel in (red, green, blue)
                ):
                    colours[ink] = (red, green, blue)
                case _:
                    self.problem(
                        "ink_rgb", f"{ink.name.lower()} is no colour", "write it as [85, 24, 14]"
                    )
        black, white, yellow, red_ink = colours
        return black, white, yellow, red_ink

    def _nominal(self) -> frozenset[str]:
        left_out = _FIELDS - self._table.keys() - _NEVER_NOMINAL
        value = self._table.get("nominal", [])
        known = _FIELDS - _NEVER_NOMINAL
        if not isinstance(value, list) or not all(isinstance(n, str) and n in known for n in value):
            self.problem(
                "nominal", "not names of fields", f"write some of {', '.join(sorted(known))}"
            )
            return frozenset()
        return left_out | frozenset(value)
