"""Scanned texts taken apart by their form alone."""

import pytest

from esl.domain.errors import InvalidInput
from esl.domain.scan import LONGEST, read_scan

BREAD = "3850104087301"


@pytest.mark.parametrize(
    "text",
    [
        BREAD,
        f"]E0{BREAD}",
        f" {BREAD}\r\n",
        f"0{BREAD}",
        f"(01)0{BREAD}",
        f"010{BREAD}\x1d10ABC",
        f"010{BREAD}",
        f"https://id.gs1.org/01/0{BREAD}",
        f"HTTPS://SHOP.EXAMPLE/01/0{BREAD}?17=290101",
    ],
)
def test_one_product_in_every_form_of_its_number(text: str) -> None:
    scan = read_scan(text)
    assert {BREAD, f"0{BREAD}"} <= set(scan.gtins)
    assert scan.label is None or "://" not in text


def test_a_wrong_check_digit_is_no_gtin_and_may_be_a_sku() -> None:
    scan = read_scan("3850104087302")
    assert scan.gtins == ()
    assert scan.sku == "3850104087302"


def test_upc_e_is_the_number_that_it_stands_for() -> None:
    assert "042100005264" in read_scan("04252614").gtins


def test_a_labels_id_is_read_in_capitals_too() -> None:
    scan = read_scan("L-00007")
    assert (scan.label, scan.sku, scan.shelf_code) == ("l-00007", "L-00007", "L-00007")


def test_an_address_with_label_and_product() -> None:
    scan = read_scan("https://shop.example/p?store=vrsar&label=l-7&product=4711")
    assert (scan.label, scan.sku, scan.gtins) == ("l-7", "4711", ())


def test_a_short_link() -> None:
    assert read_scan("https://go.shop.example/k7wq2m9x").short_code == "K7WQ2M9X"


@pytest.mark.parametrize("text", ["", "  ", "\r\n", "x" * (LONGEST + 1)])
def test_nothing_and_too_much_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        read_scan(text)


@pytest.mark.parametrize("text", ["https://", "(01)12", "]E0", "http://[::1", "01" * 40, "\x1d"])
def test_broken_codes_are_nothing_rather_than_a_fault(text: str) -> None:
    try:
        scan = read_scan(text)
    except InvalidInput:
        return
    assert scan.gtins == ()
