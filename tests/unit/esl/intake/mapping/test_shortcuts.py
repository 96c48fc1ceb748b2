"""What was made faster says exactly what the plain way says."""

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from esl.domain.entry import Entry
from esl.domain.gtin import check_digit, is_gtin
from esl.intake.mapping.entry_maker import make_entry
from esl.intake.mapping.text_values import _is_gtin_13

DIGITS = st.text("0123456789", min_size=13, max_size=13)


@given(
    DIGITS
    | st.text(min_size=13, max_size=13)
    | DIGITS.map(lambda d: d[:12] + str(check_digit(d[:12])))
)
def test_a_gtin_13_is_what_is_gtin_says(text: str) -> None:
    assert _is_gtin_13(text) == is_gtin(text)


def test_an_entry_is_made_as_its_constructor_makes_it() -> None:
    fields = {"store_id": "s", "sku": "1", "currency": "EUR"}
    assert make_entry(fields) == Entry(**fields)
    for field in dataclasses.fields(Entry):
        assert make_entry(fields | {field.name: "x"}) == Entry(**(fields | {field.name: "x"}))
