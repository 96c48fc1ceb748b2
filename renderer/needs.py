"""What elements print, compiled once per template: values, amounts and conditions over a face."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import cast

from esl.domain.face import Face
from renderer.codes.symbols import has_symbol
from renderer.money_text import MoneyWriter
from renderer.template.conditions import compile_condition
from renderer.template.fields import FIELDS, FieldKind
from renderer.template.models import Barcode, Price, Qr, Text
from renderer.template.values import CompiledValue, compile_value

VALUES_KEPT = 256
"""Bound of the compiled values and conditions of one template."""


class FaceNeeds:
    """Compiles a template's values and conditions; equal texts are compiled once."""

    def __init__(self, words: Mapping[str, Mapping[str, str]], money: MoneyWriter) -> None:
        self.value: Callable[[str], CompiledValue] = lru_cache(maxsize=VALUES_KEPT)(
            lambda text: compile_value(text, words=words, money=money)
        )
        """Compile a text with placeholders."""

    def when(self, expression: str) -> Callable[[Face], bool]:
        """Compile a ``when``."""
        return compile_condition(expression).holds

    def present(self, element: Text | Price | Qr | Barcode) -> Callable[[Face], bool] | None:
        """Say when everything an element prints is there; None if it always is."""
        match element:
            case Text():
                value = self.value(element.value)
                return value.present if value.fields else None
            case Price():
                read = find_amount(element.value)
                return lambda face: read(face) is not None
            case Qr():
                values = [self.value(v) for v in (element.value, *element.fallbacks)]
                present = [v.present for v in values]
                return lambda face: any(has(face) for has in present)
            case Barcode():
                value = self.value(element.value)
                if element.symbology != "auto":
                    return value.present
                render = value.render
                return lambda face: (text := render(face)) is not None and has_symbol(text)


def find_amount(name: str) -> Callable[[Face], int | None]:
    """Find the reader of a money field; the template was checked, so it is one."""
    field = FIELDS[name]
    if field.kind is not FieldKind.MONEY:
        raise AssertionError(f"{name} is no amount")
    return cast("Callable[[Face], int | None]", field.read)
