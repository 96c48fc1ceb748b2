"""Do the codes read: every module where it belongs, and a scanner's own decoder agrees."""

from collections.abc import Iterator

from esl.domain.errors import CodeUnreadable
from renderer.codes.read_back import check_codes, decode_codes
from renderer.drawing import Drawing
from renderer.lint.finding import Remark, Severity
from renderer.lint.naming import point_at
from renderer.packing import pack


def check_readable(drawing: Drawing) -> Iterator[Remark]:
    """Find codes that something else is drawn over, or that no scanner would read."""
    pixels = pack(drawing.canvas, drawing.panel)
    for part in drawing.parts:
        if part.code is None:
            continue
        try:
            check_codes(pixels, drawing.panel, [part.code])
            decode_codes(pixels, drawing.panel, [part.code])
        except CodeUnreadable as exc:
            yield Remark(
                path=point_at(part),
                severity=Severity.ERROR,
                code=exc.code,
                message=str(exc),
                fix="Keep everything else out of the code's box, its white edge included.",
            )
