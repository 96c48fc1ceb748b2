"""The first rows of a delimited text: delimiter, quotes, header row."""

import csv
import io
from collections import Counter
from typing import NamedTuple

from esl.intake.mapping.model import Format
from esl.intake.suggest.encoding import guess_encoding
from esl.intake.suggest.suggestion import Column, Sample, Setting
from esl.intake.suggest.words import target_of_header

ROWS_MOST = 20_000
"""Rows that are looked at."""

_TRIED = 400  # rows that a delimiter is judged by
_HEADER_LAST = 30
_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", "^": "caret", "~": "tilde"}
_WIDTH_SHARE = 0.9


class _Tried(NamedTuple):
    share: float  # of rows that have the usual width
    width: int
    known: int  # headers we know the meaning of
    delimiter: str
    quote: str | None


def sample_csv(data: bytes) -> Sample:
    """Read the first rows of a delimited text, as its bytes show it to be."""
    encoding = guess_encoding(data)
    text = data.decode(str(encoding.value), "replace").removeprefix("\ufeff")
    if not text.endswith(("\n", "\r")) and "\n" in text and len(data) >= 1 << 16:
        text = text[: text.rindex("\n") + 1]  # the head of a larger file ends within a row
    tried = sorted(
        (_try(text, sign, quote) for sign in _NAMES for quote in ('"', None)),
        key=_rank,
        reverse=True,
    )
    best = tried[0]
    settings = [encoding, _delimiter_setting(best, tried)]
    if best.quote is None:
        settings.append(
            Setting(key="quote", value=None, why="quotes stand within cells and part nothing")
        )
    rows = _rows(text, best.delimiter, best.quote, ROWS_MOST + _HEADER_LAST)
    return build_sample(Format.CSV, rows, settings)


def build_sample(
    kind: Format, rows: list[tuple[int, list[str]]], settings: list[Setting]
) -> Sample:
    """Find the header among rows (each with its number in the file) and part them by column."""
    row_no, header = find_header(rows)
    settings = [
        *settings,
        Setting(key="header_row", value=row_no, why=_why_header(row_no), sure=row_no is not None),
    ]
    body = [cells for number, cells in rows if row_no is None or number > row_no]
    usual = len(header) if row_no is not None else _usual([len(cells) for cells in body])
    filled = max((at + 1 for at, name in enumerate(header) if name.strip()), default=usual)
    width = filled if row_no is not None else usual
    if kind is Format.CSV and row_no is not None:
        longer = sum(any(c.strip() for c in cells[len(header) :]) for cells in body)
        if longer > len(body) * (1 - _WIDTH_SHARE):
            settings = [_doubt_delimiter(each, longer, len(body)) for each in settings]
        short = sum(any(c.strip() for c in cells) and len(cells) < width for cells in body)
        if short:
            why = f"{short} of {len(body)} rows lack cells at their end"
            settings.append(Setting(key="short_rows", value=True, why=why))
    body = [cells for cells in body if any(cell.strip() for cell in cells)]
    names = Counter(name.strip() for name in header)
    columns = []
    for at in range(width):
        name = header[at].strip() if at < len(header) and row_no is not None else ""
        columns.append(
            Column(
                header=name,
                path=name,
                number=at + 1,
                by_number=not name or names[name] > 1,
                values=[cells[at].strip() if at < len(cells) else "" for cells in body],
            )
        )
    return Sample(
        format=kind,
        columns=tuple(columns),
        rows=len(body),
        settings=tuple(settings),
        has_header=row_no is not None,
    )


def _doubt_delimiter(setting: Setting, longer: int, rows: int) -> Setting:
    if setting.key != "delimiter":
        return setting
    why = f"{longer} of {rows} rows have more cells than the header: it stands within cells, too"
    return Setting(key="delimiter", value=setting.value, why=why, sure=False, needed=True)


def find_header(rows: list[tuple[int, list[str]]]) -> tuple[int | None, list[str]]:
    """Find the row of the header: the first with the most cells that we know the meaning of."""
    best: tuple[int, int, list[str]] | None = None
    for number, cells in rows[:_HEADER_LAST]:
        known = sum(target_of_header(cell) is not None for cell in cells if cell.strip())
        if known >= 2 and (best is None or known > best[0]):  # noqa: PLR2004
            best = (known, number, cells)
    if best is not None:
        return best[1], best[2]
    if len(rows) > 1:
        number, first = rows[0]
        digits = [any(c.isdecimal() for c in cell) for cell in first if cell.strip()]
        below = any(any(c.isdecimal() for c in cell) for cell in rows[1][1])
        if digits and not any(digits) and below and len(digits) > 1:
            return number, first
    return None, []


def _try(text: str, delimiter: str, quote: str | None) -> _Tried:
    rows = _rows(text, delimiter, quote, _TRIED)
    widths = [len(cells) for _, cells in rows if any(cell.strip() for cell in cells)]
    usual = _usual(widths)
    share = widths.count(usual) / len(widths) if widths else 0.0
    _, header = find_header(rows)
    known = sum(target_of_header(cell) is not None for cell in header)
    return _Tried(share if usual > 1 else 0.0, usual, known, delimiter, quote)


def _rank(tried: _Tried) -> tuple[float, ...]:
    return (
        tried.known >= 2,  # noqa: PLR2004
        tried.share > _WIDTH_SHARE,
        tried.known,
        round(tried.share, 2),
        tried.width,
        tried.quote is not None,
    )


def _rows(text: str, delimiter: str, quote: str | None, most: int) -> list[tuple[int, list[str]]]:
    """Read rows with their line numbers; one that cannot be read ends them."""
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=delimiter,
        quotechar=quote,
        quoting=csv.QUOTE_NONE if quote is None else csv.QUOTE_MINIMAL,
        strict=True,
        skipinitialspace=quote is not None,
    )
    rows: list[tuple[int, list[str]]] = []
    last = 0
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((last + 1, cells))
            last = reader.line_num
            if len(rows) >= most:
                break
    except csv.Error:
        return rows[:-1]
    return rows


def _usual(widths: list[int]) -> int:
    return Counter(widths).most_common(1)[0][0] if widths else 0


def _delimiter_setting(best: _Tried, tried: list[_Tried]) -> Setting:
    rivals = [
        each
        for each in tried[1:]
        if each.delimiter != best.delimiter
        and each.share > _WIDTH_SHARE
        and each.known >= best.known
    ]
    name = _NAMES[best.delimiter]
    why = f"{name}: {best.share:.0%} of rows have {best.width} cells then"
    if best.known:
        why += f", {best.known} headers are known"
    sure = best.share > _WIDTH_SHARE and not rivals
    if rivals:
        why += f"; {_NAMES[rivals[0].delimiter]} fits as well"
    return Setting(key="delimiter", value=best.delimiter, why=why, sure=sure, needed=True)


def _why_header(row: int | None) -> str:
    if row is None:
        return "no row has headers that are known; columns are named by letter"
    return "the row whose cells are known headers"
