"""Digital Links: the vectors of GS1's syntax engine (field notes, G.2), and round trips."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl.domain.digital_link import (
    check_base,
    digital_link,
    in_capitals,
    parse_digital_link,
)
from esl.domain.element_string import message_of, parse_element_string
from esl.domain.errors import InvalidInput
from esl.domain.gtin import check_digit

GS1 = "https://id.gs1.org"
GTIN = "09520123456788"

ACCEPTED = [
    (f"{GS1}/01/09520123456788", "^0109520123456788"),
    (f"{GS1}/01/09520123456788/22/2A", "^0109520123456788222A"),
    (
        f"{GS1}/01/09520123456788/10/ABC1/21/12345?17=180426",
        "^010952012345678810ABC1^2112345^17180426",
    ),
    (
        "https://example.com/01/09520123456788?3103=000195&3922=0299&17=201225",
        "^0109520123456788310300019539220299^17201225",
    ),
    (f"{GS1}/414/9520123456788/254/32a%2Fb", "^414952012345678825432a/b"),
    (
        "HTTPS://ID.GS1.ORG/01/09521234543213/22/ABC%2D123?99=XYZ-987",
        "^010952123454321322ABC-123^99XYZ-987",
    ),
]

BUILT = [
    (
        "(01)12312312312333(10)ABC+123(99)XYZ+QWERTY",
        "https://example.com/01/12312312312333/10/ABC%2B123?99=XYZ%2BQWERTY",
    ),
    (
        "(21)XYZ(01)12312312312333(10)ABC123(99)XYZ",
        "https://example.com/01/12312312312333/10/ABC123/21/XYZ?99=XYZ",
    ),
]

REFUSED = [
    f"{GS1}/01/9520123456788",  # 13 digits
    f"{GS1}/01/09520123456789",  # check digit
    f"{GS1}/gtin/09520123456788",
    f"{GS1}/01/09520123456788/21/12345/10/ABC123",  # order
    f"{GS1}/01/09520123456788?10=ABC123",  # a qualifier in the query
    f"{GS1}/01/09520123456788?99=A&01=09520123456788",
    f"{GS1}/01/09520123456788?99=A&99=B",
    f"{GS1}/01/09520123456788/10/A/10/B",
    f"{GS1}/01/09520123456788/",
    f"{GS1}/01/09520123456788/10/",
    "https://a/01//123",
    f"https://a/01//{GTIN}",
    f"{GS1}/01/09520123456788/10/A%00B",
    f"{GS1}/01/09520123456788/10/A%2",
    f"{GS1}/01/09520123456788/10/%C3%9F",
    f"{GS1}/01/09520123456788/235/X/21/Y",
    f"{GS1}/01/09520123456788/17/201225",  # an attribute in the path
    f"{GS1}/01/09520123456788?05=1",  # no identifier has this number
    f"{GS1}/01/09520123456788?17",
    f"{GS1}/01/09520123456788?99=A+B",  # a plus in a query is a blank
    f"{GS1}/10/ABC",
    f"{GS1}/",
    GS1,
    "ftp://id.gs1.org/01/09520123456788",
    "//id.gs1.org/01/09520123456788",
    "https:///01/09520123456788",
    "https://user@id.gs1.org/01/09520123456788",
    f" {GS1}/01/09520123456788",
    f"{GS1}/01/09520123456788\n",
    "",
]


@pytest.mark.parametrize(("text", "message"), ACCEPTED)
def test_a_valid_link_says_its_elements(text: str, message: str) -> None:
    assert "^" + message_of(parse_digital_link(text).elements, separator="^") == message


@pytest.mark.parametrize(("elements", "link"), BUILT)
def test_elements_become_the_link_of_the_standard(elements: str, link: str) -> None:
    found = dict(parse_element_string(elements))
    gtin = found.pop("01")
    qualifiers = {key: found.pop(key) for key in ("21", "22", "10") if key in found}
    assert (
        digital_link(gtin, base="https://example.com", qualifiers=qualifiers, attributes=found)
        == link
    )


@pytest.mark.parametrize("text", REFUSED)
def test_a_wrong_link_is_refused_with_path_and_fix(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_digital_link(text, path="/link")
    (problem,) = refused.value.problems
    assert problem.path == "/link"
    assert problem.fix


def test_keys_that_are_no_numbers_and_fragments_are_left_to_others() -> None:
    link = parse_digital_link(f"{GS1}/01/{GTIN}?utm_source=label&17=201225&#part")
    assert link.elements == (("01", GTIN), ("17", "201225"))


def test_a_stem_stays_with_the_base() -> None:
    link = parse_digital_link(f"https://shop.example:8443/at/home/01/{GTIN}/10/01")
    assert link.base == "https://shop.example:8443/at/home"
    assert link.gtin == GTIN
    assert link.elements[1] == ("10", "01")


def test_a_link_to_a_place_names_no_product() -> None:
    assert parse_digital_link(f"{GS1}/414/9520123456788").gtin is None


def test_a_digital_link_always_has_14_digits() -> None:
    assert digital_link("9520123456788") == "HTTPS://ID.GS1.ORG/01/09520123456788"
    assert digital_link("96385074", base="https://shop.example") == (
        "https://shop.example/01/00000096385074"
    )
    assert digital_link("036000291452", base="https://shop.example/p/") == (
        "https://shop.example/p/01/00036000291452"
    )


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"gtin": "9520123456789"}, "/gtin"),
        ({"base": "ftp://shop.example"}, "/base"),
        ({"base": "https://shop.example/p?x=1"}, "/base"),
        ({"base": "https://shop.example/ä"}, "/base"),
        ({"qualifiers": {"17": "201225"}}, "/qualifiers"),
        ({"qualifiers": {"235": "A", "10": "B"}}, "/qualifiers"),
        ({"qualifiers": {"10": "two words"}}, "/qualifiers/10"),
        ({"attributes": {"10": "A"}}, "/attributes"),
        ({"attributes": {"01": GTIN}}, "/attributes"),
        ({"attributes": {"17": "2012-25"}}, "/attributes/17"),
    ],
)
def test_a_link_that_cannot_be_built_is_refused_where_it_is_wrong(
    wrong: dict[str, object], path: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        digital_link(**({"gtin": GTIN} | wrong))  # type: ignore[arg-type]
    assert refused.value.problems[0].path == path


def test_capitals_leave_the_path_alone() -> None:
    assert in_capitals("https://shop.example:8443/Products/x") == (
        "HTTPS://SHOP.EXAMPLE:8443/Products/x"
    )
    assert in_capitals("https://shop.example") == "HTTPS://SHOP.EXAMPLE"


def test_a_base_with_a_path_is_taken() -> None:
    assert check_base("https://shop.example/p", path="/base") == "https://shop.example/p"


VALUES = st.text(
    "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz",
    min_size=1,
    max_size=20,
)


@given(
    body=st.from_regex(r"[0-9]{12}[1-9]", fullmatch=True),
    qualifiers=st.dictionaries(st.sampled_from(["22", "10", "21"]), VALUES),
    attributes=st.dictionaries(st.sampled_from(["90", "99", "240"]), VALUES),
    base=st.sampled_from([GS1, "HTTPS://SHOP.EXAMPLE", "https://shop.example/01/stem"]),
)
def test_what_is_built_is_read_back(
    body: str, qualifiers: dict[str, str], attributes: dict[str, str], base: str
) -> None:
    gtin = body + str(check_digit(body))
    link = digital_link(gtin, base=base, qualifiers=qualifiers, attributes=attributes)
    read = parse_digital_link(link)
    in_order = [(key, qualifiers[key]) for key in ("22", "10", "21") if key in qualifiers]
    assert read.elements == (("01", gtin), *in_order, *attributes.items())
    assert read.base == base
