import pytest

from esl.domain.errors import FieldProblem, InvalidInput
from esl.domain.ids import check_sku, check_slug, has_control


@pytest.mark.parametrize("text", ["a", "0", "-", "gw-1", "a" * 64])
def test_a_slug_is_taken(text: str) -> None:
    assert check_slug(text, path="/label", what="label") == text


@pytest.mark.parametrize(
    "text", ["", "a" * 65, "A", "a_b", "a b", "a/b", "a+", "#", "é", "a\n", "a\0", "１", "a.b"]
)
def test_what_cannot_stand_in_a_topic_is_no_slug(text: str) -> None:
    with pytest.raises(InvalidInput, match="not a valid label id") as refused:
        check_slug(text, path="/0/label", what="label")
    assert refused.value.problems[0].path == "/0/label"


@pytest.mark.parametrize("text", ["4711", "A/1 #2", "čokolada 70 %", "a" * 64, "𝟏"])
def test_a_sku_is_any_short_line(text: str) -> None:
    assert check_sku(text, path="/sku") == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        " a",
        "a ",
        "a" * 65,
        "a\nb",
        "a\tb",
        "a\0",
        "\u202ea",
        "a\u200bb",
        "\ud800",
        "\ue000",
    ],
)
def test_a_sku_without_print_or_with_hidden_marks_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_sku(text, path="/sku")
    assert refused.value.problems[0].path == "/sku"


def test_hidden_characters_are_seen() -> None:
    assert has_control("a\u202eb")
    assert not has_control("½ × Žganci, 3,2 % 🍏")


def test_an_error_names_every_field() -> None:
    error = InvalidInput(
        [FieldProblem(path="/a", detail="bad"), FieldProblem(path="", detail="worse")]
    )
    assert str(error) == "/a: bad; (body): worse"
