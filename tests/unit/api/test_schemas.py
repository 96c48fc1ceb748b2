"""What is written as JSON can be read back, and means the same."""

from dataclasses import replace
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from api.schemas import face_from, face_view
from esl.domain.face import Face, Multibuy, ReferenceKind, ReferencePrice, Unit
from esl.domain.ids import has_control
from esl.intake.face_json import parse_face

WORDS = st.text(min_size=1, max_size=40).filter(lambda t: t == t.strip() and not has_control(t))
MAYBE_WORDS = st.none() | WORDS
AMOUNTS = st.integers(1, 9_999_999)

FACES = st.builds(
    Face,
    name=WORDS,
    brand=MAYBE_WORDS,
    price_minor=st.integers(1000, 9_999_999),
    currency=st.sampled_from(["EUR", "JPY", "KWD"]),
    locale=st.sampled_from(["hr_HR", "de_DE", "ar"]),
    priced_per=st.none() | st.sampled_from(Unit),
    was_minor=st.none() | st.integers(10_000_000, 20_000_000),
    net_content=MAYBE_WORDS,
    badge=MAYBE_WORDS,
    valid_to=st.none() | st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    member_price_minor=st.none() | st.integers(1, 999),
    multibuy=st.none() | st.builds(Multibuy, quantity=st.integers(2, 9), total_minor=AMOUNTS),
    deposit_minor=st.none() | AMOUNTS,
    reference_prices=st.sampled_from(
        [(), (ReferencePrice(kind=ReferenceKind.LOWEST_30D, minor=119, wording="najniža"),)]
    ),
    category=MAYBE_WORDS,
    origin=MAYBE_WORDS,
    stock=st.none() | st.integers(-5, 500),
    sku=MAYBE_WORDS,
    gtin=st.sampled_from([None, "9520123456788"]),
    link=st.sampled_from([None, "HTTPS://ID.GS1.ORG/01/09520123456788"]),
    link_may_be_left_out=st.booleans(),
)


def cheap_enough(face: Face) -> Face:
    """Let several pieces together cost less than one by one; else there is no such offer."""
    together = face.multibuy
    if together is None or face.price_minor is None:
        return face
    return replace(face, multibuy=replace(together, total_minor=face.price_minor))


@given(face=FACES.map(cheap_enough), others=st.lists(FACES.map(cheap_enough), max_size=2))
def test_a_face_is_read_back_as_it_was(face: Face, others: list[Face]) -> None:
    whole = replace(face, others=tuple(others))
    assert face_from(face_view(whole)) == whole


@given(face=FACES.map(cheap_enough))
def test_a_face_as_it_is_answered_can_be_given_to_render(face: Face) -> None:
    view = face_view(face)
    del view["link_may_be_left_out"]
    assert replace(parse_face(view), link_may_be_left_out=face.link_may_be_left_out) == face


def test_three_for_two_stays_what_it_says() -> None:
    face = Face(
        name="Jogurt",
        price_minor=100,
        currency="EUR",
        locale="en",
        unit_price_minor=250,
        unit=Unit.KILOGRAM,
        member_price_minor=90,
        member_condition="Gold",
        multibuy=Multibuy(quantity=3, total_minor=200, pay_for=2, unit_price_minor=167),
    )
    view = face_view(face)
    assert view["multibuy"] == {"quantity": 3, "pay_for": 2, "unit_price": "1.67"}
    assert (view["member_price"], view["member_condition"]) == ("0.90", "Gold")
    assert face_from(face_view(face)) == face


def test_a_face_without_a_price_is_one_too() -> None:
    face = Face(name="Jogurt", price_minor=None, currency="EUR", locale="en")
    assert face_view(face)["price"] is None
    assert face_from(face_view(face)) == face
