"""A list's own unit price as a witness of what is in a pack."""

import csv
import io
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from esl.domain.face import Unit
from esl.domain.product import NetContent
from esl.intake.quantity import UnknownQuantity
from esl.intake.quantity_evidence import (
    Agreement,
    PriceEvidence,
    consistent,
    judge,
    read_content,
)

KG, L, PC = Unit.KILOGRAM, Unit.LITRE, Unit.PIECE
LISTS = Path(__file__).resolve().parents[5] / "shared" / "data" / "pricelists"


def _kg(milli):
    return NetContent(milli=milli, unit=KG)


def _evidence(price, unit_price):
    return PriceEvidence(prices=(Decimal(price),), unit_price=Decimal(unit_price))


@pytest.mark.parametrize(
    ("price", "unit_price", "milli", "verdict"),
    [
        ("1.25", "16.67", 75, Agreement.AGREES),
        ("1.25", "16.67", 80, Agreement.DISAGREES),  # "0.08 kg", rounded by the list
        ("3.59", "8.98", 400, Agreement.AGREES),  # 8.975: half up
        ("3.59", "8.97", 400, Agreement.AGREES),  # or down
        ("3.59", "3.59", 400, Agreement.SAYS_NOTHING),  # a copy of the price
        ("3.59", "3.59", 1000, Agreement.AGREES),
        ("0.59", "0.00", 400, Agreement.SAYS_NOTHING),
        ("1.59", "0.02", 80_000, Agreement.SAYS_NOTHING),  # 0.015 to 0.025: too coarse to tell
        ("8.99", "0.01", 800, Agreement.DISAGREES),
    ],
)
def test_a_unit_price_agrees_disagrees_or_says_nothing(price, unit_price, milli, verdict):
    assert consistent(Decimal(price), Decimal(unit_price), _kg(milli)) is verdict


def test_without_a_unit_price_nothing_is_said():
    assert judge(_kg(400), PriceEvidence(prices=(Decimal("3.59"),))) is Agreement.SAYS_NOTHING
    assert judge(_kg(400), _evidence("0", "3.59")) is Agreement.SAYS_NOTHING


def test_the_unit_price_may_follow_from_the_promotion():
    both = PriceEvidence(prices=(Decimal("1.53"), Decimal("0.89")), unit_price=Decimal("8.90"))
    assert judge(_kg(100), both) is Agreement.AGREES


@pytest.mark.parametrize(
    ("cell", "name", "price", "unit_price", "milli"),
    [
        ("0.40 kg", "ŠNICLE 400 g", "3.59", "8.98", 400),
        ("0.08 kg", "BROWNIE 75g", "1.25", "16.67", 75),  # the column rounds, the name does not
        ("0.08 kg", "BROWNIE", "1.25", "16.67", None),  # then the unit price contradicts it
        ("0.700 kg", "SARDINA 100 G", "1.59", "2.27", None),  # column and name contradict
        ("6666.667g", "GRISINI 150 g", "2.29", "15.27", 150),  # nonsense in the column
        ("", "GRISINI 150 g", "2.29", "15.27", 150),
        ("", "GRISINI 150 g", "2.29", "22.90", None),
        ("0.240 kg", "GRAŠAK 400/240 g", "0.85", "3.54", 240),  # drained, as the law counts
        ("2.00 kg", "", "6.39", "3.2", 2000),
        ("", "KROAS 250 G 2/1", "1.09", "4.36", 250),  # two together, says the unit price
        ("", "TUNA 80 G 3 PACK", "5.89", "24.54", 240),  # three of 80 g
        ("", "KROAS 250 G 2/1", "1.09", "1.09", None),  # a copied price decides nothing
        ("1 kom", "TORTILLA 370 g", "1.59", "4.30", 370),  # what the unit price counts
        ("0.370 kg", "TORTILLA 370 g", "1.59", "4.31", 370),  # two witnesses, and a hundredth off
        ("0.370 kg", "TORTILLA 370 g", "1.59", "9.31", 370),  # then the unit price is the mistake
        ("0.01 kg", "LIP BALM 4.8g", "4.49", "935.42", None),  # the smallest step, and no 4.8 in it
        ("0.02 kg", "KINDER 23.5g", "1.09", "46.38", None),
        ("0.05 kg", "INĆUNI 75g", "4.19", "93.11", None),  # 45 g drained, rounded
        ("0.01 kg", "ŽV GUMA 14g", "1.25", "89.29", 14),
        ("0,290 KG", "ANANAS 565 G", "1.79", "6.17", None),  # perhaps drained, perhaps wrong
        ("5000.0g", "MASLINE 350g/200", "3.99", "19.95", 200),
        ("8000.0g", "MOZZARELLA125 g", "2.89", "23.12", 125),  # packs in a kilogram
        ("0,570 KG", "KAVA KAPSULE 57 G", "4.59", "8.05", 57),  # the unit price is a tenth
        ("1 KG", "KEFIR 1,5 KG", "1.99", "2.99", 1000),  # neither fits: guards hold it back
        ("2 l", "ARIEL 40 PRANJA", "9.99", "0.25", None),  # the price of one wash
        ("2 l", "ARIEL 40 PRANJA", "9.99", "49.95", 2000),
        ("1 kom", "KOBASICA", "3.59", "8.98", None),  # kilograms, and who knows how many
        ("0.330 l", "PIVO 6x330 ml", "4.99", "2.52", 1980),
    ],
)
def test_a_row_s_content_is_what_its_witnesses_agree_on(cell, name, price, unit_price, milli):
    got = read_content(cell, name=name, evidence=_evidence(price, unit_price))
    assert (got.milli if isinstance(got, NetContent) else None) == milli, got


def test_pieces_and_mass_are_decided_by_the_unit_price():
    pieces = read_content("1 kom", name="TORTILLA 370 g", evidence=_evidence("1.59", "1.59"))
    assert pieces == NetContent(milli=1000, unit=PC)


def test_without_prices_cell_and_name_still_have_to_agree():
    assert read_content("0.5 l", name="SOK 0,5 L") == NetContent(milli=500, unit=L)
    assert isinstance(read_content("0.5 l", name="SOK 0,7 L"), UnknownQuantity)
    assert isinstance(read_content("0.5 l", name="SOK 5 L"), UnknownQuantity)
    assert isinstance(read_content("", name="SOK 0,7 L"), UnknownQuantity)
    assert isinstance(read_content(None, name=None), UnknownQuantity)


def _rows():
    """Yield list, decimal sign, cell, name, regular price, promotion price and unit price."""
    text = (LISTS / "konzum-vrsar-2026-01.csv").read_text("utf-8-sig")
    for row in list(csv.reader(io.StringIO(text)))[1:]:
        yield "konzum", ".", row[3], row[0], row[5], row[7], row[6]
    text = (LISTS / "plodine-pleternica-2025-12-29.csv").read_text("utf-8-sig")
    for row in list(csv.reader(io.StringIO(text), delimiter=";"))[1:]:
        yield "plodine", ",", row[3], row[0], row[5], row[7], row[6]
    tags = "NetoKolicina NazivProizvoda MaloprodajnaCijena MaloprodajnaCijenaAkcija"
    root = ET.parse(LISTS / "studenac-funtana-2025-12-29.xml").getroot()  # noqa: S314
    for item in root.iter("Proizvod"):
        cells = [(item.findtext(tag) or "") for tag in tags.split()]
        yield "studenac", ".", *cells, item.findtext("CijenaZaJedinicuMjere") or ""


def _decimal(text):
    return Decimal(text.strip().replace(",", ".")) if text.strip() else None


@pytest.mark.skipif(not LISTS.is_dir(), reason="the three published price lists are not here")
def test_over_three_whole_lists_content_and_unit_price_agree(capsys):
    verdicts: Counter[tuple[str, str]] = Counter()
    off = []
    for chain, sign, cell, name, price, promotion, unit_price in _rows():
        prices = tuple(p for p in map(_decimal, (price, promotion)) if p)
        evidence = PriceEvidence(prices=prices, unit_price=_decimal(unit_price))
        content = read_content(cell, name=name, evidence=evidence, decimal=sign)
        if isinstance(content, UnknownQuantity):
            verdicts[chain, "unknown"] += 1
            continue
        verdict = judge(content, evidence)
        verdicts[chain, verdict.value] += 1
        if verdict is Agreement.DISAGREES:
            off.append((chain, name, cell, price, promotion, unit_price))
    agreeing = sum(n for (_, verdict), n in verdicts.items() if verdict == "agrees")
    with capsys.disabled():
        share = agreeing / (agreeing + len(off))
        sys.stdout.write(f"\n{dict(verdicts)}; {share:.4%} agree\n")
    assert agreeing > 14_000
    # Of the rest, column and name say the same, and the list worked its unit price out from a
    # price that is up to a hundredth off; or it is wrong, and guards hold it back
    # (and four more, whose unit price is a copy of the price).
    hundredths = 0
    for chain, name, cell, price, promotion, unit_price in off:
        evidence = PriceEvidence(
            prices=tuple(p for p in map(_decimal, (price, promotion)) if p),
            unit_price=_decimal(unit_price),
        )
        sign = "," if chain == "plodine" else "."
        content = read_content(cell, name=name, evidence=evidence, decimal=sign)
        assert isinstance(content, NetContent)
        worked_out = (_decimal(promotion) or _decimal(price)) * 1000 / content.milli
        share = abs(worked_out / _decimal(unit_price) - 1)
        hundredths += share <= Decimal("0.0102")
        assert share <= Decimal("0.0102") or share >= Decimal("0.25"), name
    assert (hundredths, len(off) - hundredths) == (34, 140)
    known = sum(n for (_, verdict), n in verdicts.items() if verdict != "unknown")
    assert known / sum(verdicts.values()) > 0.88
