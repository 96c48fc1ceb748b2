"""Addresses of the shop are filled in safely, and wrong patterns are named."""

from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl.domain.errors import InvalidInput
from esl.domain.shop_link import (
    ADDRESS_MAX_CHARACTERS,
    check_shop_pattern,
    shop_link,
)

PATTERN = "https://shop.example/p/{gtin}?s={store}&l={label}"


def test_every_placeholder_is_filled() -> None:
    link = shop_link(PATTERN, store="zagreb-1", label="L 1", sku="A1", gtin="9520123456788")
    assert link == "https://shop.example/p/09520123456788?s=zagreb-1&l=L%201"


def test_a_pattern_that_asks_for_what_is_not_there_gives_no_link() -> None:
    assert shop_link(PATTERN, store="s", label="L", sku="A1", gtin=None) is None
    assert shop_link("https://x.example/{sku}", store="s", label="L", sku="A", gtin=None) == (
        "https://x.example/A"
    )


def test_what_is_filled_in_is_no_placeholder() -> None:
    link = shop_link(
        "https://x.example/{label}/{sku}", store="s", label="{sku}", sku="{gtin}", gtin=None
    )
    assert link == "https://x.example/%7Bsku%7D/%7Bgtin%7D"


def test_an_address_that_no_code_holds_is_none() -> None:
    pattern = "https://x.example/{sku}"
    check_shop_pattern(pattern, store="s", path="/shop_link")
    assert shop_link(pattern, store="s", label="L", sku="x" * 64, gtin=None) is not None
    assert shop_link(pattern, store="s", label="L", sku="ж" * 64, gtin=None) is None


@pytest.mark.parametrize("fits", [True, False])
def test_a_pattern_leaves_room_for_the_longest_ids(*, fits: bool) -> None:
    pattern = "https://x.example/{store}/{gtin}/{label}/{sku}/"
    room = ADDRESS_MAX_CHARACTERS - len("https://x.example/s1/") - len("12345678901234/") - 2 * 65
    pattern += "x" * (room if fits else room + 3)
    if fits:
        assert check_shop_pattern(pattern, store="s1", path="/shop_link") == pattern
        longest = shop_link(pattern, store="s1", label="l" * 64, sku="s" * 64, gtin="1" * 13)
        assert longest is not None
        assert len(longest) == ADDRESS_MAX_CHARACTERS
        return
    with pytest.raises(InvalidInput, match="203 characters") as refused:
        check_shop_pattern(pattern, store="s1", path="/shop_link")
    assert "by 3 characters" in str(refused.value.problems[0].fix)


@given(sku=st.text(min_size=1, max_size=6).filter(str.isprintable))
@pytest.mark.asvs("1.2.2")
def test_no_sku_changes_the_rest_of_the_address(sku: str) -> None:
    pattern = "https://shop.example/p/{sku}?s={store}&sku={sku}"
    link = shop_link(pattern, store="a&b=c#d", label="l", sku=sku, gtin=None)
    assert link is not None
    parts = urlsplit(link)
    assert (parts.scheme, parts.netloc, parts.fragment) == ("https", "shop.example", "")
    assert unquote(parts.path.removeprefix("/p/")) == sku
    assert parse_qs(parts.query) == {"s": ["a&b=c#d"], "sku": [sku]}


@pytest.mark.parametrize(
    ("pattern", "detail"),
    [
        ("https://shop.example/{price}", r"unknown placeholder \{price\}"),
        ("https://shop.example/{}", r"unknown placeholder \{\}"),
        ("https://shop.example/{gtin", "brace"),
        ("https://shop.example/gtin}", "brace"),
        ("https://shop.example/{{gtin}}", "brace"),
        ("ftp://shop.example/{gtin}", "not an http or https address"),
        ("javascript:alert({gtin})", "not an http or https address"),
        ("shop.example/{gtin}", "not an http or https address"),
        ("https://{sku}/x", "not an http or https address"),
        ("https://{sku}.shop.example/x", "not an http or https address"),
        ("https://user@shop.example/{gtin}", "not an http or https address"),
        ("https://shop.example/a b/{gtin}", "no address may have"),
        ("https://shop.example/ä/{gtin}", "no address may have"),
        ("https://shop.example/\n{gtin}", "no address may have"),
        ("https://shop.example/" + "x" * 200, "200 characters"),
    ],
)
def test_a_wrong_pattern_is_refused_with_its_reason(pattern: str, detail: str) -> None:
    with pytest.raises(InvalidInput, match=detail) as refused:
        check_shop_pattern(pattern, store="s1", path="/shop_link")
    assert refused.value.problems[0].path == "/shop_link"
    assert refused.value.problems[0].fix
