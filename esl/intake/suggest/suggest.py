"""Propose a mapping for an unknown file."""

import re
from collections.abc import Sequence
from pathlib import PurePath

from esl.domain.errors import InvalidInput
from esl.domain.money import MINOR_DIGITS
from esl.intake.mapping.model import Format
from esl.intake.suggest.csv_sample import sample_csv
from esl.intake.suggest.evidence import share_of_gtins
from esl.intake.suggest.fields import Assignment
from esl.intake.suggest.json_sample import sample_json
from esl.intake.suggest.numbers import Counts, add_counts, count_shapes, decide_decimal
from esl.intake.suggest.questions import ask_of
from esl.intake.suggest.suggestion import (
    Column,
    FieldSuggestion,
    Sample,
    Setting,
    Suggestion,
)
from esl.intake.suggest.words import (
    NOT_FOR_LABELS,
    SOME_PRICE,
    meaning_of_header,
    says_minor_units,
)
from esl.intake.suggest.writing import write_mapping
from esl.intake.suggest.xlsx_sample import sample_xlsx
from esl.intake.suggest.xml_sample import sample_xml

HEAD_BYTES = 16 << 20
"""Bytes of a text that are enough to suggest from; JSON and xlsx are needed whole."""

_MONEY = ("price", "promotion_price", "was", "unit_price", "lowest_price_30d", "anchor_price")
_SIGNS = {
    "€": "EUR", "eur": "EUR", "euro": "EUR", "zł": "PLN", "pln": "PLN", "kč": "CZK", "czk": "CZK",
    "huf": "HUF", "£": "GBP", "gbp": "GBP", "₪": "ILS", "ils": "ILS", "₺": "TRY", "rsd": "RSD",
    "bam": "BAM", "ron": "RON", "bgn": "BGN", "chf": "CHF", "usd": "USD",
    "sek": "SEK", "dkk": "DKK", "nok": "NOK",
}  # fmt: skip
_WHOLE_ONLY = frozenset({"HUF"}) | {code for code, digits in MINOR_DIGITS.items() if not digits}
"""Currencies whose prices are written without decimals (the forint's are long gone)."""


def suggest_mapping(data: bytes, *, name: str) -> Suggestion:
    """Propose a mapping for a file, or for its first `HEAD_BYTES` where it is text.

    Args:
        data: The file.
        name: Its name; the mapping is named after it.

    Raises:
        InvalidInput: It is no list that can be read: empty, broken, or lines without delimiter.
    """
    if not data.strip(b"\0 \t\r\n"):
        raise InvalidInput.at("", "the file is empty", fix="Give a file with some products.")
    sample = _sample(data)
    if not sample.columns or not sample.rows:
        raise InvalidInput.at("", "no rows in it", fix="Give a file with some products.")
    decimal, thousands = decide_decimal(_count_money(sample))
    assignment = Assignment(
        sample,
        decimal=str(decimal.value) if decimal.value else None,
        thousands=str(thousands.value) if thousands.value else None,
    )
    fields = assignment.assign()
    currency = _find_currency(sample, fields)
    settings = [*sample.settings, decimal, thousands]
    if currency is not None:
        settings.append(currency)
    minor = _decide_minor_units(fields, currency)
    if minor is not None:
        settings.append(minor)
    named = {id(each.column) for each in fields}
    unused = tuple(column for column in assignment.unused() if id(column) not in named)
    rest = [c for c in unused if not any(c in each.others for each in fields if not each.sure)]
    questions = ask_of(rest, assignment.numbers_of)
    mapping_name = _slug(name)
    return Suggestion(
        name=mapping_name,
        format=sample.format,
        rows=sample.rows,
        settings=tuple(settings),
        fields=fields,
        questions=questions,
        unused=unused,
        text=write_mapping(
            name=mapping_name,
            file_name=PurePath(name).name,
            sample=sample,
            settings=settings,
            fields=fields,
            questions=questions,
            unused=unused,
        ),
    )


def _sample(data: bytes) -> Sample:
    """Read the first rows, as the kind of file that its first bytes show."""
    if data.startswith(b"PK\x03\x04"):
        return sample_xlsx(data)
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise InvalidInput.at("", "an old Excel file (xls)", fix="Save it as xlsx or CSV.")
    start = data[:4096].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    if start.startswith(b"<"):
        return sample_xml(data)
    if start.startswith((b"{", b"[")):
        return sample_json(data)
    sample = sample_csv(data)
    if len(sample.columns) < 2:  # noqa: PLR2004
        raise InvalidInput.at(
            "",
            "no sign that parts its lines into columns",
            fix="For columns by position write a mapping with format: fixed.",
        )
    return sample


def _count_money(sample: Sample) -> Counts:
    """Count how prices are written, in all columns that are prices by header or else by shape."""
    money = [
        column
        for column in sample.columns
        if (meaning := meaning_of_header(column.header)) is not None
        and meaning.target in (*_MONEY, SOME_PRICE, NOT_FOR_LABELS)
    ]
    counted = [count_shapes(column.values) for column in money]
    counted = [each for each in counted if each.numbers > each.other]
    if not counted:
        shapes = [
            count_shapes(column.values)
            for column in sample.columns
            if share_of_gtins(column.values) < 0.5  # noqa: PLR2004
        ]
        counted = [
            each for each in shapes if each.numbers > each.other and each.numbers > each.whole
        ]
    return add_counts(counted)


def _find_currency(sample: Sample, fields: Sequence[FieldSuggestion]) -> Setting | None:
    """Find the one currency that headers, cells or a column of codes name."""
    found: dict[str, str] = {}
    columns = [each.column for each in fields if each.target in _MONEY and each.column]
    for column in columns:
        words = re.findall(r"[^\W\d_]+|[€£₪₺]", column.header.casefold())
        for word in words:
            if word in _SIGNS:
                found.setdefault(_SIGNS[word], f"the header {column.header!r} says so")
        for value in column.values[:50]:
            for word in re.findall(r"[^\W\d_]+|[€£₪₺]", value.casefold()):
                if word in _SIGNS:
                    found.setdefault(_SIGNS[word], "the cells say so")
    for column in sample.columns:
        codes = {value for value in column.values if value}
        if len(codes) == 1 and (code := next(iter(codes))) in MINOR_DIGITS:
            found.setdefault(code, f"the column {column.header!r} says so")
    if len(found) != 1:
        return None
    code, why = next(iter(found.items()))
    return Setting(key="currency", value=code, why=why)


def _decide_minor_units(
    fields: Sequence[FieldSuggestion], currency: Setting | None
) -> Setting | None:
    """Say whether whole prices may count the smallest coin; None where prices have decimals."""
    by_target = {each.target: each for each in fields}
    price = by_target.get("price")
    columns = [c for c in ([price.column, *price.others] if price else []) if c is not None]
    if not columns:
        return None
    counts = add_counts([count_shapes(column.values) for column in columns])
    if not counts.whole or counts.whole < counts.numbers:
        return None
    if any(says_minor_units(column.header) for column in columns):
        return Setting(key="minor_units", value=True, why="the header says so")
    if currency is not None and currency.value in _WHOLE_ONLY:
        why = f"whole prices, as {currency.value} has them"
        return Setting(key="minor_units", value=False, why=why)
    unit_price = by_target.get("unit_price")
    if unit_price is not None and unit_price.sure and unit_price.column is not None:
        shape = count_shapes(unit_price.column.values)
        if shape.comma + shape.point:
            why = "unit prices with decimals follow from the whole prices"
            return Setting(key="minor_units", value=False, why=why)
    return Setting(
        key="minor_units",
        value="unsure",
        why=f"all prices are whole, such as {counts.example}: is that in cents? true or false",
        sure=False,
        needed=True,
    )


def _slug(name: str) -> str:
    stem = PurePath(name).name.split(".", 1)[0].casefold()
    slug = re.sub(r"[^a-z0-9_-]+", "-", stem).strip("-_")[:64]
    return slug if slug and slug[0].isalnum() else "source"


__all__ = ["Column", "Format", "Suggestion", "suggest_mapping"]
