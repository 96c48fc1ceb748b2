"""The forms that need no mapping: files whose header names our own targets, and samples of them.

    sku,name,gtin,…                             products
    sku,price,valid_from,valid_to,kind          prices of the past
    label,sku,panel,gateway,place               labels: `esl.intake.mapping.pairing_rows`;
                                                sku_2, sku_3 … where one has several products

UTF-8, commas, points in prices. A file may leave columns out; a column of another name is an
error, because it may be one that was misspelt.
"""

from collections.abc import Mapping as Table
from difflib import get_close_matches
from enum import StrEnum
from typing import Final

from esl.domain.errors import FieldProblem, InvalidInput
from esl.intake.mapping.model import PAIRING_TARGETS


class Form(StrEnum):
    """What a file of another system tells."""

    PRODUCTS = "products"
    HISTORY = "history"
    PAIRINGS = "pairings"


_PRODUCTS: Final = (
    *("sku", "name", "gtin", "brand", "category", "net_content", "unit", "priced_per", "origin"),
    *("location", "link", "tags", "stock", "deposit", "tax", "price"),
)
_COLUMNS: Final[Table[Form, Table[str, str]]] = {  # column -> target
    Form.PRODUCTS: {name: name for name in _PRODUCTS},
    Form.HISTORY: {
        "sku": "sku",
        "name": "name",
        "price": "price",
        "valid_from": "history",
        "valid_to": "history_to",
        "kind": "history_kind",
    },
    Form.PAIRINGS: {name: name for name in PAIRING_TARGETS},
}
_NEEDED: Final[Table[Form, tuple[str, ...]]] = {
    Form.PRODUCTS: ("sku",),
    Form.HISTORY: ("sku", "price", "valid_from"),
    Form.PAIRINGS: ("label",),
}
_SAMPLES: Final[Table[Form, tuple[tuple[str, ...], ...]]] = {
    Form.PRODUCTS: (
        ("sku", "name", "gtin", "brand", "category", "net_content", "origin", "price"),
        ("1001", "Kruh bijeli", "3850102000128", "Pekara", "Kruh", "500 g", "Hrvatska", "1.29"),
        ("1002", "Mlijeko 2,8 %", "3850151200012", "Dukat", "Mlijeko", "1 l", "", "0.99"),
    ),
    Form.HISTORY: (
        ("sku", "price", "valid_from", "valid_to", "kind"),
        ("1001", "1.35", "2026-01-07", "2026-02-11", "regular"),
        ("1001", "1.19", "2026-02-12", "2026-02-18", "promotion"),
        ("1001", "1.29", "2026-02-19", "", "regular"),
    ),
    Form.PAIRINGS: (
        ("label", "sku", "panel", "gateway", "place"),
        ("label-0001", "1001", "bwry-296x128", "", "Aisle 3, shelf 2"),
        ("label-0002", "1002", "bwry-296x128", "", "Aisle 7, cooler"),
        ("label-0003", "", "bwry-296x128", "", "Spare"),
    ),
}


_ZIPPED: Final = b"PK\x03\x04"


def sample(form: Form) -> str:
    """Write a small file of a form, to be filled in or looked at."""
    return "".join(",".join(_quoted(cell) for cell in row) + "\n" for row in _SAMPLES[form])


def columns_in(form: Form, head: bytes) -> dict[str, str]:
    """Return column and target of those columns of a form that a file has; ``head`` begins it.

    Raises:
        InvalidInput: A column is missing, or is none of the form's.
    """
    if head.startswith(_ZIPPED):
        raise InvalidInput.at(
            "", "a spreadsheet, not text", fix='Say with --mapping: "format: xlsx", and its fields.'
        )
    known, wanted = _COLUMNS[form], _NEEDED[form]
    line = next(iter(head.decode("utf-8-sig", "replace").splitlines()), "")
    named = [name.strip().strip('"') for name in line.split(",")]  # ours have no comma in them
    while named and not named[-1]:
        named.pop()
    problems = [
        FieldProblem(path="", detail=f"no column is named {name}", fix=_fix(form))
        for name in wanted
        if name not in named
    ]
    if not problems:  # else the file is of another form altogether
        for name in named:
            if name not in known:
                near = get_close_matches(name.casefold(), known, 1)
                hint = f"Did you mean {near[0]}? " if near else ""
                detail = f"unknown column {name[:40]!r}"
                problems.append(FieldProblem(path="", detail=detail, fix=hint + _fix(form)))
    if problems:
        raise InvalidInput(problems)
    return {name: known[name] for name in named}


def plain_document(form: Form, head: bytes) -> str:
    """Write the mapping of a file of products or of the past; ``head`` is how it begins.

    Raises:
        InvalidInput: As `columns_in`.
    """
    fields = "".join(f"  {target}: {name}\n" for name, target in columns_in(form, head).items())
    return f"name: migrated-{form}\nformat: csv\nencoding: utf-8-sig\nfields:\n{fields}"


def _fix(form: Form) -> str:
    return f"Say with --mapping what its columns mean, or see: esl migrate sample {form}."


def _quoted(cell: str) -> str:
    return f'"{cell}"' if "," in cell else cell
