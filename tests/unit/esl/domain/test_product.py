import pytest

from esl.domain.face import Unit
from esl.domain.product import NetContent, tags_from, tags_text


@pytest.mark.parametrize(
    ("milli", "unit", "text"),
    [
        (400, Unit.KILOGRAM, "400 g"),
        (1, Unit.KILOGRAM, "1 g"),
        (1000, Unit.KILOGRAM, "1 kg"),
        (1500, Unit.LITRE, "1.5 l"),
        (330, Unit.LITRE, "330 ml"),
        (10_000, Unit.KILOGRAM, "10 kg"),
        (100_000, Unit.LITRE, "100 l"),
        (1005, Unit.KILOGRAM, "1.005 kg"),
        (6000, Unit.PIECE, "6 ×"),
        (2500, Unit.METRE, "2.5 m"),
        (500, Unit.METRE, "0.5 m"),
        (12_000, Unit.SQUARE_METRE, "12 m²"),
    ],
)
def test_a_content_is_written_as_labels_print_it(milli: int, unit: Unit, text: str) -> None:
    assert NetContent(milli=milli, unit=unit).as_text() == text


def test_tags_are_kept_in_one_text_and_read_back() -> None:
    tags = frozenset({"Bio", "aus der Region", "a|b"})
    assert tags_from(tags_text(tags)) == tags
    assert (tags_text(frozenset()), tags_from(None)) == (None, frozenset())
