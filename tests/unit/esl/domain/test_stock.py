"""Bands of stock: a face changes where a band ends, and not to and fro around it."""

from hypothesis import given
from hypothesis import strategies as st

from esl.domain.ids import TemplateName
from esl.domain.stock import PRINTS_STOCK, Bands, bands_of
from esl.domain.template_rule import StockIs, TemplateRule
from tests.builders import the_gallery

LOW = Bands(thresholds=(0, 10))


def walk(bands: Bands, shown: int | None, *levels: int | None) -> list[int | None]:
    said: list[int | None] = []
    for level in levels:
        shown = bands.shown_after(shown, level)
        said.append(shown)
    return said


def test_falling_changes_at_the_first_piece_of_a_band() -> None:
    assert walk(LOW, 12, 11, 10, 9, 1, 0, -1) == [12, 10, 10, 10, 0, 0]


def test_rising_leaves_low_only_a_fifth_beyond_it_and_out_at_once() -> None:
    assert walk(LOW, 10, 11, 12, 13) == [10, 10, 13]
    assert walk(LOW, 0, 1, 12, 13) == [1, 1, 13]
    assert walk(LOW, 0, 11) == [10], "it is there again, and still low"
    assert walk(LOW, 0, 100) == [100]


def test_a_stock_that_becomes_known_or_unknown_shows() -> None:
    assert walk(LOW, None, 5, None) == [5, None]
    assert LOW.are_same(None, None)
    assert not LOW.are_same(None, 5)


def test_rules_make_the_bands() -> None:
    def rule(template: str, stock: StockIs | None = None, most: int | None = None) -> TemplateRule:
        return TemplateRule(template=TemplateName(template), stock=stock, stock_most=most)

    assert bands_of([], is_printed=False) == Bands(thresholds=())
    out, low = rule("out-of-stock", StockIs.OUT), rule("promotion", StockIs.LOW, 5)
    assert bands_of([out, low], is_printed=False) == Bands(thresholds=(0, 5))
    assert bands_of([rule("shelf-info")], is_printed=False) is None
    assert bands_of([out], is_printed=True) is None


def test_the_templates_that_print_the_stock_are_known() -> None:
    printing = {name for name, found in the_gallery().items() if "{stock" in repr(found)}
    assert printing == PRINTS_STOCK


@given(st.lists(st.integers(-3, 40), min_size=1), st.integers(1, 30))
def test_what_labels_go_by_is_never_further_than_the_margin(levels: list[int], most: int) -> None:
    bands = Bands(thresholds=(0, most))
    shown: int | None = levels[0]
    for level in levels:
        shown = bands.shown_after(shown, level)
        assert shown is not None
        is_held = most < level <= most + max(1, most // 5) and 0 < shown <= most
        assert bands.are_same(shown, level) or is_held
