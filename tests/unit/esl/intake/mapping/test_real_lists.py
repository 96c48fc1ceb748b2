"""Three real lists of chains, through mappings kept here: all rows counted, each refusal told."""

import csv
from collections import Counter
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from esl.domain.entry import Entry, StatedPromotion
from esl.domain.face import Unit
from esl.domain.guards import Limits, Reason, Said, judge
from esl.domain.pricing import KEEP
from esl.domain.product import NetContent
from tests.mapping_files import Read, read

MAPPINGS = Path(__file__).parents[4] / "data/mappings"
LISTS = Path(__file__).parents[6] / "shared/data/pricelists"
KONZUM = {
    ("net_content", "not whole pieces"): 21,
    ("net_content", "rounded, says the list's unit price"): 28,  # "0.01 kg" for 4.8 g
    ("net_content", "rounded, and the list's unit price says otherwise"): 6,
    ("net_content", "the name differs"): 11,
    ("unit_price", "is a price of zero"): 2,
}
STUDENAC = {
    ("net_content", "not a whole thousandth of its unit"): 5,
    ("unit_price", "is a price of zero"): 122,
}
PLODINE = {
    ("gtin", "has 11 digits, and a GTIN has 8, 12, 13 or 14"): 2,
    ("gtin", "has 2 digits, and a GTIN has 8, 12, 13 or 14"): 1,
    ("gtin", "has 4 digits, and a GTIN has 8, 12, 13 or 14"): 1,
    ("gtin", "has 5 digits, and a GTIN has 8, 12, 13 or 14"): 9,
    ("gtin", "has 6 digits, and a GTIN has 8, 12, 13 or 14"): 9,
    ("gtin", "has 7 digits, and a GTIN has 8, 12, 13 or 14"): 39,
    ("gtin", "has 9 digits, and a GTIN has 8, 12, 13 or 14"): 2,
    ("gtin", "has a wrong check digit"): 37,
    ("net_content", "rounded, says the list's unit price"): 61,
    ("net_content", "the name differs"): 396,  # drained weights, most of them
    ("unit_price", "is a price of zero"): 2,
}
SLIPS = [Fraction(1, 1000), Fraction(1, 100), Fraction(1, 10), Fraction(10)]
KONZUM_COLUMNS = (
    "ŠIFRA PROIZVODA",
    "MALOPRODAJNA CIJENA",
    "MPC ZA VRIJEME POSEBNOG OBLIKA PRODAJE",
    "SIDRENA CIJENA NA 2.5.2025",
)
PLODINE_COLUMNS = (
    "Sifra proizvoda",
    "Maloprodajna cijena",
    "MPC za vrijeme posebnog oblika prodaje",
    "Sidrena cijena na 2.5.2025",
)
STUDENAC_COLUMNS = (
    "SifraProizvoda",
    "MaloprodajnaCijena",
    "MaloprodajnaCijenaAkcija",
    "SidrenaCijena",
)
pytestmark = pytest.mark.skipif(not LISTS.is_dir(), reason="the real price lists are not here")


def read_list(chain: str) -> Read:
    [path] = LISTS.glob(f"{chain}-*")
    return read(
        path.read_bytes(), (MAPPINGS / f"{chain}.yaml").read_text("utf-8"), file_name=path.name
    )


def left_out(found: Read) -> Counter[tuple[str, str]]:
    """Count problems by field and by the kind of words they have."""
    return Counter((problem.field, _kind(problem.reason)) for problem in found.problems)


def _kind(reason: str) -> str:
    kind = reason.rsplit("' ", 1)[-1].rsplit(": ", 1)[-1]
    return "the name differs" if kind.startswith("the column says") else kind


def csv_rows(chain: str, delimiter: str) -> list[dict[str, str]]:
    [path] = LISTS.glob(f"{chain}-*")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def assert_prices(
    found: Read, rows: list[dict[str, str]], decimal: str, columns: tuple[str, str, str, str]
) -> None:
    """Compare every amount with a second, slow reading of the list."""
    sku, price, promotion, anchor = columns
    assert len(rows) == len(found.entries)
    by_sku = found.by_sku
    for row in rows:
        entry = by_sku[row[sku].strip()]
        stated = entry.promotion
        got = (
            entry.price_minor,
            stated if stated is KEEP or stated is None else stated.price_minor,
            entry.anchor_minor,
        )
        texts = (row[name].strip().replace(decimal, ".") for name in (price, promotion, anchor))
        assert got == tuple(int(Decimal(text) * 100) if text else KEEP for text in texts)


def test_konzum() -> None:
    found = read_list("konzum")
    assert (found.summary.rows, len(found.by_sku), found.rejected) == (2262, 2262, [])
    assert left_out(found) == KONZUM
    entry = found.by_sku["90750681"]
    assert (entry.price_minor, entry.unit_price_minor, entry.anchor_minor) == (359, 898, 359)
    assert entry.gtins == ("3850334111227",)
    assert entry.promotion is KEEP
    assert_prices(found, csv_rows("konzum", ","), ".", KONZUM_COLUMNS)


def test_plodine() -> None:
    found = read_list("plodine")
    assert (found.summary.rows, len(found.by_sku), found.rejected) == (10442, 10442, [])
    assert left_out(found) == PLODINE
    assert found.by_sku["010102"].price_minor == 69
    promoted = [e for e in found.entries if e.promotion is not KEEP]
    assert len(promoted) == 1047
    assert all(e.price_minor is KEEP and e.lowest_30d_minor is not KEEP for e in promoted)
    assert_prices(found, csv_rows("plodine", ";"), ",", PLODINE_COLUMNS)
    assert Counter(e.priced_per for e in found.entries) == {KEEP: 9964, Unit.KILOGRAM: 478}


def test_studenac() -> None:
    found = read_list("studenac")
    assert (found.summary.rows, len(found.by_sku), found.rejected) == (3618, 3618, [])
    assert left_out(found) == STUDENAC
    assert found.by_sku["088874"].name == "RIŽA SCOTTI NIKAS ARBORIO 1 kg"
    [path] = LISTS.glob("studenac-*")
    items = ET.parse(path).iterfind(".//Proizvod")  # noqa: S314  a list that is known
    rows = [{part.tag: part.text or "" for part in item} for item in items]
    assert_prices(found, rows, ".", STUDENAC_COLUMNS)


def test_unit_prices_are_held_back_where_the_list_is_wrong_and_nowhere_else() -> None:
    """Of 16,322 products 144 are: each one's unit price belongs to another content."""
    held: dict[str, list[Fraction]] = {}
    for chain in ("konzum", "plodine", "studenac"):
        held[chain] = [ratio for entry in read_list(chain).entries if (ratio := doubted(entry))]
    assert {chain: len(ratios) for chain, ratios in held.items()} == {
        "konzum": 0, "plodine": 144, "studenac": 0,
    }  # fmt: skip
    near = dict.fromkeys(SLIPS, 0)
    others = []
    for ratio in held["plodine"]:
        slip = min(SLIPS, key=lambda each: abs(ratio / each - 1))
        if abs(ratio / slip - 1) < (Fraction(2, 3) if slip < Fraction(1, 100) else Fraction(1, 50)):
            near[slip] += 1
        else:
            others.append(float(round(ratio, 2)))
    assert list(near.values()) == [3, 0, 121, 10], "the column says a tenth or tenfold of the name"
    assert sorted(others) == [0.22, 0.22, 0.22, 0.25, 0.5, 0.5, 0.5, 0.7, 0.75, 1.5], (
        "the price was multiplied by the content, or copied"
    )


def doubted(entry: Entry) -> Fraction | None:
    """Say how far a unit price is from what follows, where the guards hold it back for that."""
    promotion = entry.promotion if isinstance(entry.promotion, StatedPromotion) else None
    price = entry.price_minor if isinstance(entry.price_minor, int) else None
    content = entry.net_content if isinstance(entry.net_content, NetContent) else None
    unit_price = entry.unit_price_minor if isinstance(entry.unit_price_minor, int) else None
    said = Said(
        currency="EUR",
        store_currency="EUR",
        regular_minor=price,
        promotion_minor=promotion.price_minor if promotion else None,
        unit_price_minor=unit_price,
        content=content,
    )
    if Reason.UNIT_PRICE not in judge(said, None, Limits()).reasons:
        return None
    assert content is not None
    assert unit_price is not None
    paid = promotion.price_minor if promotion else price
    return Fraction(unit_price * content.milli, 1000 * (paid or 1))
