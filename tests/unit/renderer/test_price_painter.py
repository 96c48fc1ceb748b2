"""A big price shows all of itself, as large as its box allows, or is refused."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esl.domain.errors import PriceDoesNotFit
from esl.domain.face import Face, Multibuy, Unit
from esl.domain.panel import Ink
from renderer.canvas import Box
from renderer.drawing import DrawnPart
from tests.unit.renderer.drawings import FACE, draw, inks, inside, part_of

NB = "\u00a0"


def price(style: str = "", *, face: Face = FACE, box: str = "[0, 0, 200, 100]") -> DrawnPart:
    return part_of(draw(f"{{type: price, min_size: 10, box: {box}{style}}}", face=face), "price")


@pytest.mark.parametrize(
    ("cents", "minor", "texts"),
    [
        ("raised", 129, ("1", "29", "€")),
        ("plain", 129, ("1,29", "€")),
        ("dash", 129, ("1", "29", "€")),
        ("raised", 19900, ("199", "00", "€")),
        ("plain", 19900, ("199,00", "€")),
        ("dash", 19900, ("199,–", "€")),
        ("raised", 123456789, ("1.234.567", "89", "€")),
        ("raised", 5, ("0", "05", "€")),
    ],
)
def test_cents_are_raised_plain_or_a_dash(cents: str, minor: int, texts: tuple[str, ...]) -> None:
    assert price(f", cents: {cents}", face=replace(FACE, price_minor=minor)).texts == texts


@pytest.mark.parametrize(
    ("currency", "locale", "texts"),
    [
        ("JPY", "ja_JP", ("¥", "1,299")),
        ("KWD", "en_KW", ("KWD", "1", "299")),
        ("CHF", "de_CH", ("CHF", "12", "99")),
        ("USD", "en_US", ("$", "12", "99")),
        ("EUR", "nl_NL", ("€", "12", "99")),
        ("PLN", "pl_PL", ("12", "99", "zł")),
    ],
)
def test_the_currency_stands_where_the_locale_wants_it(
    currency: str, locale: str, texts: tuple[str, ...]
) -> None:
    face = replace(FACE, price_minor=1299, currency=currency, locale=locale)
    assert price(face=face).texts == texts


def test_the_currency_may_be_left_out() -> None:
    assert price(", symbol: false").texts == ("1", "29")


def test_goods_by_weight_say_what_the_price_is_for() -> None:
    weighed = replace(FACE, priced_per=Unit.KILOGRAM)
    assert price(face=weighed).texts == ("1", "29", "€/kg")
    assert price(", per: false", face=weighed).texts == ("1", "29", "€")


PER_UNIT = replace(
    FACE,
    unit_price_minor=323,
    unit=Unit.KILOGRAM,
    member_price_minor=119,
    multibuy=Multibuy(quantity=3, pay_for=2, total_minor=258, unit_price_minor=215),
)


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        ("unit_price", ("3", "23", "€/kg")),
        ("multibuy_unit_price", ("2", "15", "€/kg")),
        ("price", ("1", "29", "€")),
        ("member_price", ("1", "19", "€")),
    ],
)
def test_a_unit_price_set_large_says_its_unit(value: str, texts: tuple[str, ...]) -> None:
    assert price(f", value: {value}", face=PER_UNIT).texts == texts


@pytest.mark.parametrize(
    ("change", "unit"),
    [
        ({"unit_label": "100 g"}, "€/100 g"),
        ({"unit": Unit.PIECE}, "€/Stk."),
        ({"unit": Unit.PIECE, "locale": "hr_HR"}, "€/kom"),
        ({"priced_per": Unit.LITRE}, "€/kg"),
        ({"currency": "USD", "locale": "en_US"}, "/kg"),
    ],
)
def test_the_unit_of_a_large_unit_price_is_that_of_the_text(
    change: dict[str, object], unit: str
) -> None:
    face = replace(PER_UNIT, **change)
    assert price(", value: unit_price", face=face).texts[-1] == unit
    text = part_of(
        draw('{type: text, value: "{unit_price}", size: 20, box: [0, 0, 280, 40]}', face=face),
        "text",
    )
    assert text.texts[0].endswith(unit)


def test_a_large_unit_price_in_tenths_says_its_unit() -> None:
    face = replace(PER_UNIT, unit_price_minor=25, unit_price_tenths=253, unit_label="100 g")
    assert price(", value: unit_price, cents: plain", face=face).texts == ("0,253", "€/100 g")


def test_the_unit_of_a_large_unit_price_may_be_left_to_another_element() -> None:
    assert price(", value: unit_price, per: false", face=PER_UNIT).texts == ("3", "23", "€")


def test_the_unit_of_a_large_unit_price_stands_in_its_box_and_below_the_price() -> None:
    drawing = draw(
        "{type: price, value: unit_price, min_size: 10, box: [20, 10, 100, 60]}", face=PER_UNIT
    )
    bare = draw(
        "{type: price, value: unit_price, per: false, min_size: 10, box: [20, 10, 100, 60]}",
        face=PER_UNIT,
    )
    ink_box = part_of(drawing, "price").ink_box
    assert ink_box is not None
    assert 20 <= ink_box.left < ink_box.right <= 120
    assert 10 <= ink_box.top < ink_box.bottom <= 70
    digits, alone = part_of(drawing, "price").cap_px, part_of(bare, "price").cap_px
    assert digits is not None
    assert alone is not None
    assert digits < alone  # room was made for it: it is not drawn over the edge


def test_without_an_amount_nothing_is_shown() -> None:
    assert draw("{type: price, value: was}").parts == ()


WAS = replace(FACE, was_minor=499)


def test_an_old_price_stands_in_full_behind_the_price() -> None:
    part = price(", old: was", face=WAS)
    assert part.texts == ("1", "29", "€", f"4,99{NB}€")


@pytest.mark.parametrize(
    ("box", "beside"), [("[0, 0, 280, 40]", True), ("[0, 0, 100, 120]", False)]
)
def test_an_old_price_stands_beside_or_above_as_the_box_allows(box: str, *, beside: bool) -> None:
    drawing = draw(f"{{type: price, old: was, ink: red, min_size: 10, box: {box}}}", face=WAS)
    black, red = (np.argwhere(drawing.canvas == ink) for ink in (Ink.BLACK, Ink.RED))
    stroke_px = 25  # the old price's own line is red too
    if beside:
        assert black[:, 1].min() > red[:, 1][red[:, 0] > stroke_px].max()
    else:
        assert black[:, 0].max() < red[:, 0].max()
        assert black[:, 0].min() <= red[:, 0].min() + 2


def test_an_old_price_is_struck_through_in_the_ink_of_emphasis() -> None:
    struck = draw("{type: price, old: was, min_size: 10, box: [0, 0, 280, 40]}", face=WAS)
    assert inks(struck.canvas) == {Ink.BLACK, Ink.WHITE, Ink.RED}
    red = np.argwhere(struck.canvas == Ink.RED)
    first, last = red[red[:, 1].argmin()], red[red[:, 1].argmax()]
    assert first[0] > last[0]  # it rises


@settings(max_examples=80, deadline=None)
@given(
    minor=st.integers(1, 999_999),
    more=st.integers(1, 999_999),
    width=st.integers(60, 290),
    height=st.integers(20, 120),
)
def test_an_old_price_is_never_larger_than_the_price(
    minor: int, more: int, width: int, height: int
) -> None:
    face = replace(FACE, price_minor=minor, was_minor=minor + more)
    style = ", old: was, old_size: 60, old_min_size: 8"
    try:
        part = price(style, face=face, box=f"[0, 0, {width}, {height}]")
    except PriceDoesNotFit:
        return
    assert part.cap_px is not None
    assert part.small_cap_px is not None
    assert part.small_cap_px <= part.cap_px


def test_a_price_itself_can_be_struck_through() -> None:
    plain, struck = price(", ink: black"), price(", ink: black, strike: true")
    assert struck.mask.sum() > plain.mask.sum()
    assert struck.texts == plain.texts


@pytest.mark.parametrize("minor", [111, 129, 444, 777, 10_000, 99_999])
def test_a_price_is_flush_with_the_edge_it_is_aligned_to(minor: int) -> None:
    face = replace(FACE, price_minor=minor)
    left, middle, right = (
        price(f", size: 40, align: {align}", face=face).ink_box
        for align in ("left", "center", "right")
    )
    assert left is not None
    assert middle is not None
    assert right is not None
    assert left.left <= 1
    assert 200 - 4 <= right.right <= 200
    assert abs((middle.left + middle.right) - 200) <= 6


def test_a_price_stands_at_the_top_in_the_middle_or_at_the_bottom() -> None:
    top, middle, bottom = (
        price(f", size: 40, valign: {valign}").ink_box for valign in ("top", "middle", "bottom")
    )
    assert top is not None
    assert middle is not None
    assert bottom is not None
    assert top.top <= 1
    assert abs((middle.top + middle.bottom) - 100) <= 2
    assert 99 <= bottom.bottom <= 100


def test_a_price_grows_to_its_size_and_no_further() -> None:
    assert price(", size: 40").cap_px == 40
    assert price().cap_px is not None
    assert 60 < (price().cap_px or 0) <= 100


def test_an_inverted_price_is_white_on_its_ink() -> None:
    drawing = draw("{type: price, invert: true, ink: red, box: [0, 0, 120, 60]}")
    area = inside(drawing.canvas, Box(0, 0, 120, 60))
    assert inks(area) == {Ink.RED, Ink.WHITE}
    assert (area == Ink.RED).mean() > 0.5


def test_a_price_too_wide_at_its_smallest_is_refused_with_numbers() -> None:
    face = replace(FACE, price_minor=99_999_999)
    with pytest.raises(
        PriceDoesNotFit,
        match=r"price 'big'.* it needs \d+x\d+ px with digits of 20 px, its smallest, "
        r"and has 60x40 px$",
    ):
        draw("{type: price, id: big, min_size: 20, box: [0, 0, 60, 40]}", face=face)


def test_a_refusal_says_that_an_old_price_needs_room_too() -> None:
    with pytest.raises(PriceDoesNotFit, match="for it and the old price"):
        draw("{type: price, old: was, min_size: 20, box: [0, 0, 60, 30]}", face=WAS)


def test_a_box_lower_than_the_smallest_digits_refuses_the_price() -> None:
    """A size in percent of a low box must not undercut the smallest size."""
    with pytest.raises(PriceDoesNotFit, match=r"digits of 20 px, its smallest, and has 290x12 px"):
        draw("{type: price, min_size: 4.5mm, box: [0, 0, 290, 12]}")
    small = draw("{type: price, size: 14, min_size: 4.5mm, box: [0, 0, 290, 18]}")
    assert part_of(small, "price").cap_px in {14, 15}  # asked for in so many words


@pytest.mark.parametrize("minor", [129, 149, 111, 888, 777])
def test_prices_of_as_many_digits_are_set_alike(minor: int) -> None:
    face = replace(FACE, price_minor=minor)
    assert price(face=face).font_px == price().font_px
