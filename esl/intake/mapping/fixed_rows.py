"""Lines with columns by position, in characters after decoding.

A line that ends within a number was cut: a price that lost its last digits is a lower price. Such
a row is refused; a text may be shorter than its place, and a line may end before one.
"""

from collections.abc import Iterator
from collections.abc import Mapping as Table
from typing import BinaryIO

from esl.domain.entry import RowProblem
from esl.intake.mapping.model import TARGETS, Kind, Mapping, Value
from esl.intake.mapping.opened import Cells, Opened
from esl.intake.mapping.record_types import TYPE
from esl.intake.mapping.text_source import open_text

_TEXTS = frozenset({Kind.TEXT, Kind.LINK})


def open_fixed(source: BinaryIO, mapping: Mapping, wanted: Table[str, Value]) -> Opened:
    """Begin a file of fixed columns.

    Raises:
        InvalidInput: From reading: a NUL byte or an endless line; also UnicodeDecodeError.
    """
    text = open_text(source, mapping.encoding)
    spans: list[tuple[int, int, bool]] = []
    index: dict[str, int] = {}
    for target, value in wanted.items():
        if value.start is not None and value.length is not None:
            index[target] = len(spans)
            end = value.start - 1 + value.length
            may_end = target not in TARGETS or TARGETS[target].kind in _TEXTS
            spans.append((value.start - 1, end, may_end))
    mark = None
    if mapping.records is not None:
        mark = (spans[index[TYPE]][0], spans[index[TYPE]][1], mapping.records.item)
    found = {
        target: f"characters {spans[at][0] + 1} to {spans[at][1]}" for target, at in index.items()
    }
    return Opened(index=index, found=found, rows=_read_rows(text, spans, mapping, mark))


def _read_rows(
    text: Iterator[str],
    spans: list[tuple[int, int, bool]],
    mapping: Mapping,
    mark: tuple[int, int, str] | None,
) -> Iterator[tuple[int, Cells] | RowProblem]:
    furthest = max((end for _, end, _ in spans), default=0)
    for row, line in enumerate(text, start=1):
        content = line.rstrip("\r\n\x1a")
        if row == 1:
            content = content.removeprefix("\ufeff")
        if not content.strip():
            continue
        length = len(content)
        is_item = mark is None or content[mark[0] : mark[1]].strip() == mark[2]
        if length < furthest and is_item and not mapping.short_rows:
            cut = next(((s, e) for s, e, may_end in spans if s < length < e and not may_end), None)
            if cut is not None:
                yield RowProblem(
                    row=row,
                    field="",
                    reason=f"ends at character {length}, in a value of {cut[0] + 1} to {cut[1]}",
                    fix="Send whole lines; say short_rows: true if blanks at the end are left out.",
                )
                continue
        yield row, [content[start:end] for start, end, _ in spans]
