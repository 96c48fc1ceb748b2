"""A text of one or several lines, as large as its box allows."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from esl.domain.errors import NameDoesNotFit
from esl.domain.face import Face
from esl.domain.panel import Ink
from renderer.canvas import stamp
from renderer.draw.painter import Note, Notes, Reader
from renderer.draw.strike import strike_through
from renderer.packing import Canvas
from renderer.text.bidi import FIRST_FROM_THE_RIGHT
from renderer.text.fit import Fit, FittedText, fit_text
from renderer.text.fonts import DIGITS, Font
from renderer.text.scripts import runs_from_the_right

SHORT = 12
"""Letters of a stable text that is likely to stand on many labels."""

SHORT_UNSTABLE = 5
"""Letters of one that changes with the price and is likely to: "−25 %"."""

PLACEMENTS_KEPT = 256
"""Bound of the placements one text element keeps."""

_TO_ZEROS = str.maketrans("123456789", "000000000")


@dataclass(frozen=True, slots=True, kw_only=True)
class TextStyle:
    """How a text element looks, all lengths in pixels."""

    width: int
    height: int
    size_px: int
    min_px: int
    max_lines: int
    fit: Fit
    font: Callable[[int], Font]
    ink: Ink
    strike_ink: Ink
    align: str
    valign: str
    strike: bool


class _Line(NamedTuple):
    text: str
    left: int
    baseline: int


class _Placement(NamedTuple):
    """Lines with their places; ``whole`` if the text stands on one line, unshortened."""

    font: Font
    lines: tuple[_Line, ...]
    rtl: bool
    height: int  # from the highest ink to the lowest
    whole: bool
    cut: bool


_Chosen = tuple[str, _Placement]
"""The text that fits, and where it stands."""


class TextPainter:
    """Fits and paints a text, or the first shorter one that fits.

    Cache: the last `PLACEMENTS_KEPT` placements. Stable texts, such as badges, go by themselves;
    texts that change with the price by themselves with every digit replaced by 0, because digits
    are equally wide. Such a text on several lines is fitted anew: other digits may break elsewhere.
    And the text measured last, by its face: it is painted next.
    """

    def __init__(
        self,
        style: TextStyle,
        *,
        values: tuple[Callable[[Face], str | None], ...],
        reads: tuple[Reader, ...],
        stable: bool,
    ) -> None:
        self.stable = stable
        self.reads = reads
        self._style = style
        # Only the shortest text is cut with an ellipsis, where that is allowed at all.
        self._values = [(value, value is values[-1]) for value in values]
        self._place = lru_cache(maxsize=PLACEMENTS_KEPT)(self._find_place)
        self._measured: tuple[Face, _Chosen | None] | None = None

    def paint(self, view: Canvas, face: Face, notes: Notes = None) -> None:
        """Paint a face's text.

        Raises:
            NameDoesNotFit: It does not fit as far as the element allows.
            MissingGlyph: No font has a character.
        """
        measured = self._measured
        chosen = measured[1] if measured and measured[0] is face else self._choose(face)
        if chosen is None:
            return
        text, place = chosen
        font, lines, rtl, _, whole, _ = place
        style = self._style
        for line, left, baseline in lines:
            said = text if whole else line
            # A badge or a percentage, and not a name or a price.
            repeats = len(said) <= (SHORT if self.stable else SHORT_UNSTABLE)
            run = font.short_run(said, rtl) if repeats else font.run(said, rtl)
            stamp(view, run, left=left, baseline=baseline, ink=style.ink)
            if style.strike:
                strike_through(
                    view,
                    left=left,
                    width=run.width_px,
                    baseline=baseline,
                    cap_px=font.cap_px,
                    ink=style.strike_ink,
                )
        if notes is not None:
            notes.append(
                Note(
                    texts=(text,) if place.whole else tuple(line.text for line in place.lines),
                    font_px=font.size_px,
                    cap_px=font.cap_px,
                    ink=self._style.ink,
                    cut=place.cut,
                )
            )

    def measure_height(self, face: Face) -> int:
        """Measure how many rows the lines of a face's text take, accents and all.

        Raises:
            NameDoesNotFit: It does not fit as far as the element allows.
            MissingGlyph: No font has a character.
        """
        if not self.stable:
            return self._style.height
        chosen = self._choose(face)
        self._measured = face, chosen
        return self._style.height if chosen is None else chosen[1].height

    def _choose(self, face: Face) -> _Chosen | None:
        """Take the first of the element's texts that fits; None if the face has nothing to say."""
        refused = None
        for value, may_cut in self._values:
            text = value(face)
            if not text:
                continue
            try:
                place = self._place(text if self.stable else text.translate(_TO_ZEROS), may_cut)
                if not (self.stable or place.whole):
                    place = self._find_place(text, may_cut)
            except NameDoesNotFit as exc:
                refused = refused or exc
            else:
                return text, place
        if refused is not None:
            raise refused
        return None

    def _find_place(self, text: str, may_cut: bool) -> _Placement:  # noqa: FBT001  a cache key
        style = self._style
        fit = Fit.WRAP if style.fit is Fit.ELLIPSIS and not may_cut else style.fit
        fitted = self._fit(text, fit) if self.stable else self._fit_any_digits(text, fit)
        baseline = self._first_baseline(fitted)
        lines = []
        for line in fitted.lines:
            lines.append(_Line(line, self._left(fitted, line), baseline))
            baseline += fitted.line_px
        height = fitted.rise_px + (len(lines) - 1) * fitted.line_px + fitted.drop_px
        whole = fitted.lines == (text,)
        return _Placement(fitted.font, tuple(lines), fitted.rtl, height, whole, fitted.cut)

    def _fit(self, text: str, fit: Fit, *, less_width: int = 0, less_height: int = 0) -> FittedText:
        style = self._style
        return fit_text(
            text,
            style.font,
            width_px=style.width - less_width,
            height_px=style.height - less_height,
            size_px=style.size_px,
            min_px=style.min_px,
            max_lines=style.max_lines,
            fit=fit,
        )

    def _fit_any_digits(self, text: str, fit: Fit) -> FittedText:
        """Fit a text so that all digits have room: 8 may reach higher than 0, and 4 further."""
        style = self._style
        found = _with_any_digits(self._fit(text, fit))
        font = found.font
        wide = max(map(font.width_px, found.lines)) + font.digits_overhang_px - style.width
        between = (len(found.lines) - 1) * found.line_px
        tall = found.rise_px + between + found.drop_px - style.height
        if wide <= 0 and tall <= 0:
            return found
        return _with_any_digits(
            self._fit(text, fit, less_width=max(wide, 0), less_height=max(tall, 0))
        )

    def _first_baseline(self, fitted: FittedText) -> int:
        """Stand the lines at the top, in the middle or at the bottom, accents inside the box."""
        font, style = fitted.font, self._style
        above, below = fitted.rise_px, fitted.drop_px
        between = (len(fitted.lines) - 1) * fitted.line_px
        match style.valign:
            case "top":
                first = above
            case "bottom":
                first = style.height - below - between
            case _:
                first = (style.height - font.cap_px - between) // 2 + font.cap_px
        return max(min(first, style.height - below - between), above)

    def _left(self, fitted: FittedText, line: str) -> int:
        style = self._style
        if fitted.in_cells and style.align in {"start", "left"}:
            return 0
        spare = style.width - fitted.font.width_px(line)
        match style.align:
            case "center":
                before, behind = _overhang_px(fitted, line)
                return min(max(spare // 2, before), spare - behind)
            case "right":
                return spare - _overhang_px(fitted, line)[1]
            case "start" if fitted.rtl:
                return spare - _overhang_px(fitted, line)[1]
            case _ if _runs_rightwards(line):
                return max(-fitted.font.lead_px(line, fitted.rtl), 0)
            case _:
                return _overhang_px(fitted, line)[0]


def _overhang_px(fitted: FittedText, line: str) -> tuple[int, int]:
    """Measure how far a line's ink passes the pen's start and its end."""
    font = fitted.font
    if _runs_rightwards(line):
        digits = font.digits_overhang_px if line[-1] in DIGITS else 0
        return max(-font.lead_px(line, fitted.rtl), 0), max(-font.tail_px(line, fitted.rtl), digits)
    run = font.run(line, rtl=fitted.rtl)  # what stands first depends on the paragraph
    end = run.left_px + run.paper.shape[1]
    digits = font.digits_overhang_px if line[0] in DIGITS or line[-1] in DIGITS else 0
    return max(-run.left_px, 0), max(end - run.width_px, digits)


def _runs_rightwards(line: str) -> bool:
    return (
        line.isascii()
        or max(line) < FIRST_FROM_THE_RIGHT
        or not any(map(runs_from_the_right, line))
    )


def _with_any_digits(fitted: FittedText) -> FittedText:
    """Measure the first line's top and the last one's bottom for all digits at once."""
    font = fitted.font
    return fitted._replace(
        rise_px=max(fitted.rise_px, font.digits_reach_px[0]),
        drop_px=max(fitted.drop_px, font.digits_reach_px[1]),
    )
