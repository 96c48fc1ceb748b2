import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl.domain.errors import InvalidInput
from esl.domain.gtin import check_digit, check_gtin, expand_upc_e, is_gtin, suppress_upc_e

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


# GS1 General Specifications, 5.2.2.4: one for each way the zeros are left out.
UPC_E = [
    ("012345000065", "01234565"),
    ("042100005264", "04252614"),
    ("012300000642", "01236432"),
    ("012340000053", "01234543"),
    ("123456000070", "12345670"),
]


@pytest.mark.parametrize(("gtin", "short"), UPC_E)
def test_upc_e_leaves_zeros_out_and_puts_them_back(gtin: str, short: str) -> None:
    assert suppress_upc_e(gtin) == short
    assert expand_upc_e(short) == gtin


@given(st.sampled_from("01"), st.text("0123456789", min_size=6, max_size=6))
def test_every_upc_e_number_that_a_gtin_can_shorten_to_comes_back(system: str, body: str) -> None:
    for check in "0123456789":
        try:
            gtin = expand_upc_e(system + body + check)
        except InvalidInput:
            continue
        assert is_gtin(gtin)
        assert len(gtin) == 12
        short = suppress_upc_e(gtin)
        assert short is not None
        assert expand_upc_e(short) == gtin


@given(st.text("0123456789", min_size=11, max_size=11))
def test_a_gtin_with_an_upc_e_form_gets_itself_back(body: str) -> None:
    gtin = body + str(check_digit(body))
    short = suppress_upc_e(gtin)
    assert short is None or not is_gtin(gtin) or expand_upc_e(short) == gtin


@pytest.mark.parametrize("gtin", ["036000291452", "9520123456788", "212345000062", "012345678905"])
def test_most_gtins_have_no_upc_e_form(gtin: str) -> None:
    assert suppress_upc_e(gtin) is None


@pytest.mark.parametrize("text", ["01234566", "21234565", "0123456", "", "0123456５"])
def test_what_is_no_upc_e_number_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        expand_upc_e(text)
