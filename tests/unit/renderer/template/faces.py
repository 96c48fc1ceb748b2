"""Faces for tests of the template language: one full of everything, and random ones."""

from datetime import date

from hypothesis import strategies as st

from esl.domain.face import Face, Multibuy, ReferenceKind, ReferencePrice, Unit
from renderer.money_text import MoneyWriter

FULL = Face(
    name="Jogurt natur 3,2 %",
    brand="Dukat",
    price_minor=129,
    currency="EUR",
    locale="de_DE",
    was_minor=169,
    unit_price_minor=323,
    unit=Unit.KILOGRAM,
    net_content="0.4 kg",
    badge="Aktion",
    valid_to=date(2026, 12, 31),
    member_price_minor=99,
    member_condition="Plus-Karte",
    multibuy=Multibuy(quantity=3, total_minor=350, unit_price_minor=292),
    deposit_minor=25,
    reference_prices=(
        ReferencePrice(kind=ReferenceKind.LOWEST_30D, minor=139, wording="30-Tage-Bestpreis"),
        ReferencePrice(kind=ReferenceKind.RRP, minor=199),
    ),
    category="Kühlregal/Joghurt",
    origin="Kroatien",
    stock=1200,
    sku="4711",
    gtin="3850139171587",
    link="https://shop.example/p/4711",
)
BARE = Face(name="Kruh", price_minor=None, currency="EUR", locale="en")

WORDS = {"until": {"en": "until", "de": "bis", "de_CH": "gültig bis"}, "lowest": {"en": "lowest"}}


def make_money() -> MoneyWriter:
    """Make a writer whose font has every character."""
    return MoneyWriter(lambda _text: True)


_maybe_minor = st.none() | st.integers(0, 500)


def _single_faces() -> st.SearchStrategy[Face]:
    return st.builds(
        Face,
        name=st.sampled_from(["Kruh", "Milch", ""]),
        brand=st.none() | st.sampled_from(["Dukat", "promotion", ""]),
        price_minor=_maybe_minor,
        currency=st.just("EUR"),
        locale=st.sampled_from(["de_DE", "en"]),
        was_minor=st.none() | st.integers(1, 500),
        unit=st.none() | st.sampled_from(Unit),
        badge=st.none() | st.sampled_from(["Aktion", ""]),
        valid_to=st.none() | st.sampled_from([date(2026, 12, 31), date(2027, 1, 1)]),
        member_price_minor=_maybe_minor,
        stock=st.none() | st.integers(-1, 2),
    )


def faces() -> st.SearchStrategy[Face]:
    """Faces of one to three products, with few different values so that comparisons hit."""
    return st.tuples(_single_faces(), st.lists(_single_faces(), max_size=2)).map(
        lambda drawn: _with_others(*drawn)
    )


def _with_others(face: Face, others: list[Face]) -> Face:
    values = {name: getattr(face, name) for name in Face.__dataclass_fields__}
    return Face(**{**values, "others": tuple(others)})
