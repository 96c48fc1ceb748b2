"""Formatters: how a field becomes printed text. ``{price}``, ``{valid_to|date:day}``.

Each formatter takes fields of some kinds and makes a closure for one field, so that nothing is
decided per label. Texts from outside are cleaned; what the formatters write themselves is clean.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from esl.domain.errors import InvalidInput
from esl.domain.face import Face, Unit
from renderer.money_text import DateStyle, MoneyWriter
from renderer.template.fields import TENTHS, Field, FieldKind, Read
from renderer.template.spelling import advise_on
from renderer.text.fit import clean

Write = Callable[[Face], str | None]
"""Prints one field of a face; None where the face lacks it or it is empty."""

Make = Callable[[Field, MoneyWriter, str], Write]
"""Makes the closure for a field, a writer and the formatter's argument ("" for none)."""

_DOTTED_I = ("tr", "az")


@dataclass(frozen=True, slots=True, kw_only=True)
class Formatter:
    """One formatter: what it takes, what it makes."""

    name: str
    kinds: frozenset[FieldKind]
    make: Make
    about: str  # one line for the documentation
    example: str
    fields: frozenset[str] | None = None  # only these, where the kind does not say it all
    arguments: tuple[str, ...] = ()  # what may stand behind the colon


def find_formatter(name: str | None, field: Field, argument: str | None) -> Formatter:
    """Find a formatter by name, or the usual one of the field's kind, and check that it fits.

    Raises:
        InvalidInput: No such formatter, not for such a field, or not with such an argument.
    """
    formatter = FORMATTERS.get(name if name is not None else usual_formatter(field))
    if formatter is None:
        raise InvalidInput.at(
            "", f"there is no formatter {name!r}", fix=advise_on(name or "", FORMATTERS)
        )
    if field.kind not in formatter.kinds or (
        formatter.fields is not None and field.name not in formatter.fields
    ):
        fitting = sorted(
            other.name
            for other in FORMATTERS.values()
            if field.kind in other.kinds and (other.fields is None or field.name in other.fields)
        )
        raise InvalidInput.at(
            "",
            f"{formatter.name} cannot print {field.name}, which is a {field.kind}",
            fix=f"For it there are {', '.join(fitting)}.",
        )
    if argument is not None and argument not in formatter.arguments:
        raise InvalidInput.at(
            "",
            f"{formatter.name} does not know {argument!r}",
            fix=f"Behind the colon may stand {', '.join(formatter.arguments)}."
            if formatter.arguments
            else f"Leave out the colon: {formatter.name} takes nothing.",
        )
    return formatter


def usual_formatter(field: Field) -> str:
    """Name what prints a field where the template names no formatter."""
    # A unit price without its unit says nothing.
    return "unit_price" if field.name in TENTHS else USUAL[field.kind]


def _make_text(field: Field, _money: MoneyWriter, _argument: str) -> Write:
    read = field.read
    if field.clean:
        return lambda face: read(face) or None  # type: ignore[return-value]

    def write(face: Face) -> str | None:
        value = read(face)
        return (clean(value) or None) if value else None  # type: ignore[arg-type]

    return write


def _make_upper(field: Field, money: MoneyWriter, argument: str) -> Write:
    write_text = _make_text(field, money, argument)

    def write(face: Face) -> str | None:
        text = write_text(face)
        if text is None:
            return None
        return (text.replace("i", "İ") if face.locale.startswith(_DOTTED_I) else text).upper()

    return write


def _make_lower(field: Field, money: MoneyWriter, argument: str) -> Write:
    write_text = _make_text(field, money, argument)

    def write(face: Face) -> str | None:
        text = write_text(face)
        if text is None:
            return None
        if face.locale.startswith(_DOTTED_I):
            text = text.replace("I", "ı").replace("İ", "i")
        return clean(text.lower())  # İ becomes two characters, which compose to none

    return write


def _make_money(field: Field, money: MoneyWriter, _argument: str) -> Write:
    read: Read = field.read
    read_tenths = TENTHS.get(field.name)
    style = money.style

    def write(face: Face) -> str | None:
        minor = read(face)
        if minor is None:
            return None
        return style(face.locale, face.currency).text(minor)  # type: ignore[arg-type]

    def write_tenths(face: Face) -> str | None:
        tenths = read_tenths(face) if read_tenths is not None else None
        if tenths is None:
            return write(face)
        return style(face.locale, face.currency).tenths_text(tenths)

    return write_tenths if read_tenths is not None else write


def _make_amount(field: Field, money: MoneyWriter, _argument: str) -> Write:
    read: Read = field.read
    read_tenths = TENTHS.get(field.name)
    style = money.style

    def write(face: Face) -> str | None:
        minor = read(face)
        if minor is None:
            return None
        return style(face.locale, face.currency).amount(minor)  # type: ignore[arg-type]

    def write_tenths(face: Face) -> str | None:
        tenths = read_tenths(face) if read_tenths is not None else None
        if tenths is None:
            return write(face)
        return style(face.locale, face.currency).tenths_amount(tenths)

    return write_tenths if read_tenths is not None else write


def _make_unit_price(field: Field, money: MoneyWriter, argument: str) -> Write:
    write_money, unit_text = _make_money(field, money, argument), money.unit_text
    of_unit_price = field.name in TENTHS

    def write(face: Face) -> str | None:
        unit = face.unit if of_unit_price else face.priced_per
        amount = write_money(face) if unit is not None else None
        if amount is None or unit is None:
            return None
        label = _unit_label(face) if of_unit_price else None
        return f"{amount}/{label or unit_text(unit, face.locale)}"

    return write


def _unit_label(face: Face) -> str | None:
    """Return what the unit price counts, where that is not one of a whole unit."""
    return clean(face.unit_label) or None if face.unit_label is not None else None


def _make_percent(field: Field, money: MoneyWriter, _argument: str) -> Write:
    read: Read = field.read
    percent_less = money.percent_less

    def write(face: Face) -> str | None:
        percent = read(face)
        return None if percent is None else percent_less(percent, face.locale)

    return write


def _make_date(field: Field, money: MoneyWriter, argument: str) -> Write:
    read: Read = field.read
    date_text, style = money.date_text, DateStyle(argument or DateStyle.SHORT)

    def write(face: Face) -> str | None:
        day = read(face)
        return date_text(day, face.locale, style) if isinstance(day, date) else None

    return write


def _make_quantity(field: Field, money: MoneyWriter, argument: str) -> Write:
    read: Read = field.read
    count_text, decimal_mark = money.count_text, money.decimal_mark
    if field.kind is FieldKind.COUNT:

        def write_count(face: Face) -> str | None:
            count = read(face)
            return None if count is None else count_text(count, face.locale)

        return write_count
    write_text = _make_text(field, money, argument)

    def write_content(face: Face) -> str | None:
        text = write_text(face)
        return text.replace(".", decimal_mark(face.locale)) if text and "." in text else text

    return write_content


def _make_unit(field: Field, money: MoneyWriter, _argument: str) -> Write:
    read: Read = field.read
    unit_text = money.unit_text
    of_unit_price = field.name == "unit"

    def write(face: Face) -> str | None:
        unit = read(face)
        if not isinstance(unit, Unit):
            return None
        return (_unit_label(face) if of_unit_price else None) or unit_text(unit, face.locale)

    return write


def _make_gtin(field: Field, _money: MoneyWriter, _argument: str) -> Write:
    read: Read = field.read

    def write(face: Face) -> str | None:
        digits = read(face)
        return group_gtin(digits) if isinstance(digits, str) and digits else None

    return write


def group_gtin(digits: str) -> str:
    """Group a GTIN as it stands below its bars: "3 850139 171587", "4901 2347"."""
    cuts = {8: (4,), 12: (1, 6, 11), 13: (1, 7), 14: (1, 3, 8, 13)}.get(len(digits), ())
    starts, ends = (0, *cuts), (*cuts, len(digits))
    return " ".join(digits[start:end] for start, end in zip(starts, ends, strict=True))


def _formatter(
    name: str,
    make: Make,
    about: str,
    example: str,
    *kinds: FieldKind,
    fields: tuple[str, ...] | None = None,
    arguments: tuple[str, ...] = (),
) -> Formatter:
    return Formatter(
        name=name,
        kinds=frozenset(kinds),
        make=make,
        about=about,
        example=example,
        fields=frozenset(fields) if fields is not None else None,
        arguments=arguments,
    )


_TEXT, _MONEY, _CODE = FieldKind.TEXT, FieldKind.MONEY, FieldKind.CODE

FORMATTERS: Mapping[str, Formatter] = MappingProxyType(
    {
        formatter.name: formatter
        for formatter in (
            _formatter("text", _make_text, "As it is", "Dukat Jogurt", _TEXT, _CODE),
            _formatter("upper", _make_upper, "In capitals", "DUKAT JOGURT", _TEXT),
            _formatter("lower", _make_lower, "In small letters", "dukat jogurt", _TEXT),
            _formatter("money", _make_money, "With its currency", "1.234,50 €", _MONEY),
            _formatter("amount", _make_amount, "Without its currency", "1.234,50", _MONEY),
            _formatter(
                "unit_price",
                _make_unit_price,
                "With its unit: unit prices take unit, all others priced_per",
                "3,23 €/kg",
                _MONEY,
            ),
            _formatter("percent", _make_percent, "As a reduction", "−25 %", FieldKind.PERCENT),
            _formatter(
                "date",
                _make_date,
                "A day; behind a colon short (unless said), medium or day",
                "31.12.26",
                FieldKind.DATE,
                arguments=tuple(DateStyle),
            ),
            _formatter(
                "quantity",
                _make_quantity,
                "A count, or the content of a pack with the locale's decimal sign",
                "1,5 l",
                FieldKind.COUNT,
                _TEXT,
                fields=("stock", "multibuy_quantity", "multibuy_pay_for", "net_content"),
            ),
            _formatter("unit", _make_unit, "In the shop's language", "kg, Stk.", FieldKind.UNIT),
            _formatter(
                "gtin",
                _make_gtin,
                "Its digits in groups",
                "3 850139 171587",
                _CODE,
                fields=("gtin",),
            ),
        )
    }
)
"""Every formatter by its name."""

USUAL: Mapping[FieldKind, str] = MappingProxyType(
    {
        FieldKind.TEXT: "text",
        FieldKind.CODE: "text",
        FieldKind.MONEY: "money",
        FieldKind.COUNT: "quantity",
        FieldKind.PERCENT: "percent",
        FieldKind.DATE: "date",
        FieldKind.UNIT: "unit",
    }
)
"""What prints a field of a kind; see `usual_formatter` for the exception."""
