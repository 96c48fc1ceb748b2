"""Codes that nobody misreads, and addresses that lead to no other host than those allowed."""

import pytest

from esl.domain.errors import InvalidInput
from esl.domain.ids import Sku, StoreId
from esl.domain.short_link import (
    CODE_CHARACTERS,
    LETTERS,
    check_base,
    check_host,
    check_target,
    leads_to_a_host_of,
    make_code,
    read_code,
)

HOSTS = ("www.shop.example",)
STORE = StoreId("main")


def test_a_code_is_short_and_has_no_letter_that_is_taken_for_another() -> None:
    codes = {make_code(STORE, Sku(str(n))) for n in range(20_000)}
    assert len(codes) == 20_000
    assert {len(code) for code in codes} == {CODE_CHARACTERS}
    assert {letter for code in codes for letter in code} == set(LETTERS)
    assert not set("ILOU") & set(LETTERS)


def test_a_code_stays_and_differs_by_store_product_and_attempt() -> None:
    assert make_code(STORE, Sku("1")) == make_code(STORE, Sku("1"))
    others = {
        make_code(STORE, Sku("1")),
        make_code(StoreId("main2"), Sku("1")),
        make_code(STORE, Sku("2")),
        make_code(STORE, Sku("1"), 1),
    }
    assert len(others) == 4


def test_what_a_person_mistypes_is_read_as_meant() -> None:
    assert read_code("k7wq2m9x") == "K7WQ2M9X"
    assert read_code("OIL00000") == "01100000"


@pytest.mark.parametrize(
    "text", ["", "K7WQ2M9", "K7WQ2M9XX", "K7WQ2M9U", "K7WQ2M9é", "../../..", "%"]
)
def test_what_can_be_no_code_is_none(text: str) -> None:
    assert read_code(text) is None


@pytest.mark.parametrize(
    "address",
    [
        "https://www.shop.example",
        "https://www.shop.example/p/1?a=b&c=d#e",
        "https://www.shop.example:443/p",
        "https://WWW.shop.example/p",
    ],
)
def test_an_address_on_an_allowed_host_is_one(address: str) -> None:
    assert leads_to_a_host_of(address, HOSTS)


@pytest.mark.parametrize(
    "address",
    [
        "http://www.shop.example/",
        "//www.shop.example/",
        "/p/1",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://evil.example/www.shop.example",
        "https://evil.example#www.shop.example",
        "https://evil.example?www.shop.example",
        "https://www.shop.example@evil.example/",
        "https://www.shop.example:pw@evil.example/",
        "https://www.shop.example.evil.example/",
        "https://evilwww.shop.example/",
        "https://www.shop.example\\@evil.example/",
        "https://evil.example\\.www.shop.example/",
        "https://www.shop.example:8443/",
        "https://www.shop.example:x/",
        "https://[::1]/",
        "https://[www.shop.example/",
        "https:www.shop.example/",
        "https:///www.shop.example/",
        "https://www.shop.example\r\nSet-Cookie: a=b",
        "https://www.shop.example/\t",
        " https://www.shop.example/",
        "https://www.shop.example/ž",
        "https://www.ѕhop.example/",
        'https://www.shop.example/"',
        "https://www.shop.example/{sku}",
        "https://www.shop.example./",
        "",
    ],
)
@pytest.mark.asvs("1.2.2", "3.7.2")
def test_an_address_that_leads_elsewhere_is_refused(address: str) -> None:
    assert not leads_to_a_host_of(address, HOSTS)
    with pytest.raises(InvalidInput):
        check_target(address, "/target", hosts=HOSTS)


@pytest.mark.parametrize(
    "host", ["", "shop", "*.shop.example", "shop.example:443", "https://a.example", "a..b", "-a.b"]
)
def test_what_is_no_name_of_a_host_is_refused(host: str) -> None:
    with pytest.raises(InvalidInput):
        check_host(host, "/hosts/0")


@pytest.mark.parametrize("base", ["http://a.example", "https://a.example/", "https://A.example/s"])
def test_a_base_is_https_and_a_host_alone(base: str) -> None:
    with pytest.raises(InvalidInput):
        check_base(base, "/base")
    assert check_base("https://go.shop.example", "/base") == "https://go.shop.example"
