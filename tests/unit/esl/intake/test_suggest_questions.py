"""What a person is asked of columns that no target has, and how dates are told apart."""

import pytest

from esl.domain.errors import InvalidInput
from esl.intake.mapping.document import parse_mapping
from esl.intake.suggest.suggest import suggest_mapping


def suggested(header, *values):
    """Suggest a mapping for a list with one more column, of the given cells."""
    rows = [f"{n};Bread {n};{n},49;{values[n % len(values)]}" for n in range(1, 41)]
    return suggest_mapping(f"SKU;Name;Price;{header}\n{chr(10).join(rows)}\n".encode(), name="x")


def question(header, *values):
    found = suggested(header, *values).questions
    assert [each.column.header for each in found] == [header]
    return found[0]


@pytest.mark.parametrize(
    ("cells", "members"),
    [
        (("29.12.2025", "07.01.2026"), ('format: "%d.%m.%Y"',)),
        (("29.12.2025.", "7.1.2026."), ('format: "%d.%m.%Y."',)),
        (("12/29/2025", "01/07/2026"), ('format: "%m/%d/%Y"',)),
        (("29/12/2025 06:00", "07/01/2026 23:59"), ('format: "%d/%m/%Y %H:%M"',)),
        (("2025-12-29", "2026-01-07"), ()),
        (("2025-12-29T06:00:00Z",), ()),
        (("20251229", "20260107"), ('format: "%Y%m%d"',)),
        (("29-12-25", "28-12-25"), None),  # two digits of a year after dashes: nobody knows
        (("29.12.25", "13.12.25"), ('format: "%d.%m.%y"',)),
        (
            ("29.12.2025", "00.00.0000", "31.12.9999"),
            ('format: "%d.%m.%Y"', 'map: {"00.00.0000": null, "31.12.9999": null}'),
        ),
    ],
)
def test_the_form_of_dates_is_read_from_days_that_no_month_can_be(cells, members):
    asked = question("Offer ends", *cells)
    if members is None:
        assert "no form that is known" in asked.words
        return
    assert asked.members == members
    assert "told apart" not in asked.words


@pytest.mark.parametrize("cells", [("03/04/2026", "11/12/2025"), ("03.04.2026",), ("1-2-2026",)])
def test_days_that_may_be_months_are_said_to_be_so(cells):
    asked = question("Valid from", *cells)
    assert "Day and month cannot be told apart" in asked.words
    assert f'"{cells[-1]}"' in asked.words or f'"{cells[0]}"' in asked.words


@pytest.mark.parametrize(
    ("header", "target"),
    [
        ("Akcija od", "promotion_from"),
        ("Akcija do", "promotion_to"),
        ("Aktion bis", "promotion_to"),
        ("gültig ab", "valid_from"),
        ("Date fin promo", "promotion_to"),
        ("Platnost do", "valid_to"),
        ("Offer starts", "promotion_from"),
    ],
)
def test_a_date_is_proposed_for_the_field_its_header_speaks_of(header, target):
    suggestion = suggested(header, "29.12.2025")
    assert suggestion.questions[0].target == target
    assert f'column "{header}"' in suggestion.unsure
    line = f'  # {target}: {{from: "{header}", format: "%d.%m.%Y"}}'
    assert line in suggestion.text.splitlines()
    confirmed = suggestion.text.replace(line, line.replace("# ", "", 1))
    confirmed = confirmed.replace("fields:", "fields:\n  promotion_price: Price")
    assert parse_mapping(confirmed).fields[target].format == "%d.%m.%Y"


def test_when_a_row_was_changed_is_no_question():
    suggestion = suggested("Last update", "29.12.2025")
    assert suggestion.questions == ()
    assert '# not used: "Last update": such as "29.12.2025"; when the row' in suggestion.text


@pytest.mark.parametrize(
    ("header", "cells", "words"),
    [
        ("Akcija", ("", ""), "every cell is empty here"),
        ("Popust", ("10", "20", ""), "in percent"),
        ("Popust %", ("7,5", ""), "in percent"),
        ("Rabat", ("10%", "5 %"), "in percent"),
        ("Akcija", ("1", "0"), "marks such as"),
        ("Akcija", ("D", "N"), "marks such as"),
        ("Aktion", ("", "Wochenendangebot Nr. 17"), "to print them on the label"),
        ("Discount", ("120,00", "300,50"), "an amount taken off, or a price"),
        ("Zorbl", ("0,99", "1,20"), "a header that is not known"),
    ],
)
def test_a_column_that_may_change_the_price_is_asked_of_in_its_own_words(header, cells, words):
    suggestion = suggested(header, *cells)
    assert "promotion_price" not in {each.target for each in suggestion.fields}
    assert words in suggestion.questions[0].words
    assert parse_mapping(suggestion.text)


def test_prices_under_a_word_for_promotions_are_refused_until_a_person_has_said_what_they_are():
    rows = "".join(f"{n};Bread;{n},49;{n - 1},99\n" for n in range(2, 30))
    suggestion = suggest_mapping(f"SKU;Name;Price;Akcija\n{rows}".encode(), name="x")
    assert "promotion_price" in suggestion.unsure
    with pytest.raises(InvalidInput) as refused:
        parse_mapping(suggestion.text)
    (problem,) = refused.value.problems
    assert problem.path == "/fields/promotion_price"
    assert "take the line out" in str(problem.fix)
    said = suggestion.text.replace("promotion_price: null ", "promotion_price: Akcija ")
    assert parse_mapping(said).fields["promotion_price"].name == "Akcija"


def test_all_that_is_left_out_is_named_with_what_is_in_it():
    suggestion = suggested("WG", "12", "", "14")
    assert '# not used: "WG": such as "14", "12"' in suggestion.text
    assert '# not used: "WG": every cell is empty' in suggested("WG", "").text
    cost = suggested("Cost", "0,50").text
    assert '# not used: "Cost": such as "0,50"; a price of purchase' in cost
