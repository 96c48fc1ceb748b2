"""XML: paths anywhere under the root, attributes, namespaces, null; bombs and stubs refused."""

import pytest

from esl.domain.pricing import KEEP
from esl.intake.mapping.store_context import StoreContext
from tests.mapping_files import ZAGREB, read, refusal

HEBREW = """
name: hebrew
format: xml
items: Items/Item
currency: EUR
fields:
  sku: ItemCode
  gtin: ItemCode
  name: ItemName
  price: ItemPrice
  unit_price: Prices/@unit
  stock: "@stock"
  promotion_price: Promo
  store: /Root/StoreId
"""
HEBREW_BODY = """<?xml version="1.0" encoding="{encoding}"?>
<Root xmlns:x="urn:x"><ChainId>729</ChainId><StoreId> 007 </StoreId>
 <Items Count="2">
  <Item stock="4"><ItemCode>3859888152014</ItemCode><ItemName>חלב 3% בקרטון</ItemName>
   <ItemPrice>6.20</ItemPrice><Prices unit="6.20"/><Promo/></Item>
  <x:Item><x:ItemCode>3830000620871</x:ItemCode><ItemName><![CDATA[A & B]]></ItemName><ItemPrice>
   1.5 </ItemPrice><Promo xsi:nil="true" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"/></x:Item>
 </Items></Root>"""
ROUTED = StoreContext(route=lambda name: ZAGREB if name == "007" else None)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-8"])
def test_hebrew_items_in_the_encoding_the_file_declares(encoding: str) -> None:
    found = read(HEBREW_BODY.format(encoding=encoding).encode(encoding), HEBREW, store=ROUTED)
    first, second = found.entries
    assert (first.name, first.price_minor, first.stock) == ("חלב 3% בקרטון", 620, 4)
    assert (first.unit_price_minor, first.gtins) == (620, ("3859888152014",))
    assert (second.name, second.price_minor) == ("A & B", 150)
    assert (first.promotion, second.promotion) == (KEEP, None)
    assert first.store_id == ZAGREB.store_id
    assert found.problems == []


def test_an_item_in_a_list_of_the_same_name_is_found_by_the_end_of_its_path() -> None:
    body = (
        b"<P><O><P><I><s>1</s><p>1.00</p></I></P></O><O><P><I><s>2</s><p>2.00</p></I></P></O></P>"
    )
    mapping = "name: x\nformat: xml\nitems: P/I\nfields: {sku: s, price: p}"
    assert read(body, mapping).prices == {"1": 100, "2": 200}
    assert read(body, mapping.replace("P/I", "/P/O/P/I")).prices == {"1": 100, "2": 200}
    assert read(body, mapping.replace("P/I", "/P/I")).entries == []


def test_what_one_store_says_of_itself_does_not_hold_for_the_next() -> None:
    body = (
        b"<L><S><id>007</id><I><s>1</s><p>1.00</p></I></S>"
        b"<S><I><s>2</s><p>2.00</p></I><id>007</id></S>"
        b"<S><id>8</id><I><s>3</s><p>3.00</p></I></S></L>"
    )
    mapping = (
        "name: x\nformat: xml\nitems: S/I\ncurrency: EUR\n"
        "fields: {sku: s, price: p, store: /L/S/id}"
    )
    found = read(body, mapping, store=ROUTED)
    assert found.prices == {"1": 100}
    assert found.rejected == [(2, "store"), (3, "store")]


def test_two_prices_in_one_item_are_no_price_and_two_bar_codes_are_two() -> None:
    body = (
        b"<L><I><s>1</s><p>1.00</p><p>2.00</p></I><I><s>2</s><p>1.00</p>"
        b"<g>3859888152014</g><g>3830000620871</g></I></L>"
    )
    mapping = "name: x\nformat: xml\nitems: I\nfields: {sku: s, price: p, gtin: g}"
    found = read(body, mapping)
    assert found.prices == {"2": 100}
    assert found.by_sku["2"].gtins == ("3859888152014", "3830000620871")
    assert found.rejected == [(1, "price")]


BOMB = (
    '<!DOCTYPE l [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    "<l><I><s>1</s><p>&b;</p></I></l>"
)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (BOMB, "document type"),
        ('<!DOCTYPE l SYSTEM "file:///etc/passwd"><l/>', "document type"),
        ("<l><I><s>1</s><p>&xxe;</p></I></l>", "undefined entity"),
        ("<l><I><s>1</s><p>1.00</p></I>", "no element found"),
        ("<l><I><s>1</s><p>1.0", "no element found"),
        ("<l><I><s>1</s></p></I></l>", "mismatched tag"),
        ("", "no element found"),
        ("sku;price", "no XML, or not in the encoding"),
        ("<l>" + "<a>" * 100, "nested deeper"),
        ("<l><I><s>" + "1" * 300_000 + "</s></I></l>", "more than 262144 characters"),
        ("<l><I " + "a" * 3_000_000, "one tag of more than a megabyte"),
        ("<l><I a='" + "1" * 300_000 + "'/></l>", "more than 262144 characters"),
        ("<l/><l/>", "junk after document element"),
    ],
)
@pytest.mark.asvs("1.5.1")
def test_bombs_and_what_is_cut_off_are_refused_as_a_whole(body: str, said: str) -> None:
    assert said in refusal(
        body.encode(), "name: x\nformat: xml\nitems: I\nfields: {sku: s, price: p}"
    )


def test_a_wrong_encoding_names_row_and_byte() -> None:
    mapping = "name: x\nformat: xml\nencoding: utf-8\nitems: I\nfields: {sku: s, name: n}"
    body = "<l>\n<I><s>1</s><n>čaj</n></I></l>".encode("cp1250")
    assert "row 2, byte 19 from the start" in refusal(body, mapping)
    assert read(body, mapping.replace("utf-8", "cp1250")).by_sku["1"].name == "čaj"
    utf8 = "<l><I><s>1</s><n>čaj ž</n></I></l>".encode()
    assert "this is utf-8" in refusal(utf8, mapping.replace("utf-8", "cp1250"))
    assert "cannot be read" in refusal(
        utf8[:12] + b"</s></I></l>", mapping.replace("utf-8", "big5")
    )


def test_a_price_with_elements_in_it_is_no_price() -> None:
    body = b"<L><I><s>1</s><p>1<b>9</b>2.50</p></I><I><s>2</s><p>1<!-- -->2.50</p></I></L>"
    found = read(body, "name: x\nformat: xml\nitems: I\nfields: {sku: s, price: p}")
    assert (found.prices, found.rejected) == ({"2": 1250}, [(1, "price")])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1255"])
def test_a_declared_encoding_is_the_one_that_is_read(encoding: str) -> None:
    body = HEBREW_BODY.replace(' encoding="{encoding}"', "").encode(encoding)
    mapping = HEBREW.replace("items:", f"encoding: {encoding}\nitems:")
    found = read(body, mapping, store=ROUTED)
    assert [entry.name for entry in found.entries] == ["חלב 3% בקרטון", "A & B"]
