import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl.domain.errors import InvalidInput
from esl.domain.gtin import check_digit, check_gtin, digital_link, is_gtin

# Worked examples of GS1, IBM and BWIPP (field notes, standards G.1).
VALID = [
    *("6291041500213", "9520123456788", "09520123456788", "09521234543213", "40987650000223"),
    *("09506000134352", "05412345000013", "2112345678900", "416000336108", "02345673"),
    *("96385074", "036000291452", "4006381333931"),
]
INVALID = [
    "2012345012345",  # should end in 9
    "9520123456789",
    "0952012345678",
    "952012345678912345",  # a right check digit, but an SSCC
    *("", "0", "00000000", "0000000000000", "00000000000000"),  # a till's "no code"
    *("abcdefgh", "629104150021X", "6291041500213 ", " 96385074", "9638-5074", "96385074\n"),
    *("９６３８５０７４", "٩٦٣٨٥٠٧٤", "9638507４", "963850", "123456789", "629104150021"),
    "².01234",
]


@pytest.mark.parametrize("text", VALID)
def test_a_gtin_with_its_check_digit_is_taken(text: str) -> None:
    assert is_gtin(text)
    assert check_gtin(text, path="/gtin") == text


@pytest.mark.parametrize("text", INVALID)
def test_anything_else_is_refused_at_its_path(text: str) -> None:
    assert not is_gtin(text)
    with pytest.raises(InvalidInput) as refused:
        check_gtin(text, path="/2/gtin")
    assert refused.value.problems[0].path == "/2/gtin"


@given(st.sampled_from([7, 11, 12, 13]), st.data())
def test_one_wrong_digit_is_always_found(length: int, data: st.DataObject) -> None:
    digits = st.text("0123456789", min_size=length, max_size=length)
    body = data.draw(digits.filter(lambda text: text.strip("0") != ""))
    whole = body + str(check_digit(body))
    assert is_gtin(whole)
    place = data.draw(st.integers(0, length))
    other = data.draw(st.sampled_from([d for d in "0123456789" if d != whole[place]]))
    assert not is_gtin(whole[:place] + other + whole[place + 1 :])


def test_a_digital_link_always_has_14_digits() -> None:
    assert digital_link("9520123456788") == "HTTPS://ID.GS1.ORG/01/09520123456788"
    assert digital_link("96385074", base="https://shop.example") == (
        "https://shop.example/01/00000096385074"
    )
