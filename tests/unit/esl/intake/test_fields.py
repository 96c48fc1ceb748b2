from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl.domain.errors import InvalidInput
from esl.domain.money import parse_price
from esl.domain.pricing import KEEP
from esl.intake.fields import Fields
from esl.intake.strict_json import MAX_INTEGER, JsonFraction


def problem_of(value: Any, read: Callable[[Fields], object], path: str = "/3") -> tuple[str, str]:
    fields = Fields(value, path=path)
    assert read(fields) is None
    with pytest.raises(InvalidInput) as refused:
        fields.finish()
    [problem] = refused.value.problems
    return problem.path, problem.detail


def price(fields: Fields) -> object:
    return fields.parsed("price", lambda text, at: parse_price(text, "EUR", path=at), required=True)


def test_a_text_comes_without_the_blanks_around_it() -> None:
    assert Fields({"name": " Kava  Minas "}).text("name", longest=20) == "Kava  Minas"


def test_left_out_and_null_are_told_apart() -> None:
    fields = Fields({"null": None})
    assert fields.has("null")
    assert fields.text("null", longest=5) is None
    assert fields.text("absent", longest=5) is KEEP
    assert fields.parsed("absent", lambda text, _: text) is KEEP
    assert fields.integer("absent") is None
    assert fields.instant("absent") is None
    fields.finish()


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        ({}, "missing"),
        ({"name": None}, "null, and a value is needed"),
        ({"name": 5}, "a number, and a string is wanted"),
        ({"name": True}, "not a string"),
        ({"name": ["x"]}, "not a string"),
        ({"name": JsonFraction("1.5")}, "a number, and a string is wanted"),
        ({"name": ""}, "empty"),
        ({"name": " \t\n "}, "empty"),
        ({"name": "x" * 11}, "longer than 10 characters"),
        ({"name": "\u202e\u200b\t"}, "empty"),
        ({"name": "a\ue000b"}, "holds private, unassigned or broken characters"),
        ({"name": "a\ud800b"}, "holds private, unassigned or broken characters"),
    ],
)
def test_a_bad_text_is_named(value: dict[str, object], detail: str) -> None:
    found = problem_of(value, lambda f: f.text("name", longest=10, required=True))
    assert found == ("/3/name", detail)


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        ("5", "not an integer"),
        (True, "not an integer"),
        (JsonFraction("1.0"), "not an integer"),
        (JsonFraction("NaN"), "not an integer"),
        ([], "not an integer"),
        (-1, f"not within 0 to {MAX_INTEGER}"),
        (MAX_INTEGER + 1, f"not within 0 to {MAX_INTEGER}"),
    ],
)
def test_a_bad_integer_is_named(value: object, detail: str) -> None:
    assert problem_of({"seq": value}, lambda f: f.integer("seq")) == ("/3/seq", detail)


def test_an_integer_in_range_is_read() -> None:
    assert Fields({"seq": 0}).integer("seq") == 0
    assert Fields({"seq": MAX_INTEGER}).integer("seq") == MAX_INTEGER


@pytest.mark.parametrize(
    "text",
    ["2026-03-01T06:00:00Z", "2026-03-01T07:00:00+01:00", "2026-02-28T16:00:00.000-14:00"],
)
def test_an_instant_is_read_as_utc(text: str) -> None:
    read = Fields({"at": text}).instant("at")
    assert read == datetime(2026, 3, 1, 6, tzinfo=UTC)
    assert read is not None
    assert read.tzinfo is UTC


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        ("2026-03-01T06:00:00", "an instant without an offset"),
        ("2026-03-01", "an instant without an offset"),
        ("yesterday", "not an instant"),
        ("", "not an instant"),
        ("2026-13-01T06:00:00Z", "not an instant"),
        ("2026-02-30T06:00:00Z", "not an instant"),
        ("２026-03-01T06:00:00Z", "not an instant"),
        ("0001-01-01T00:00:00+14:00", "not an instant"),
        ("9999-12-31T23:59:59-14:00", "not an instant"),
        ("2026-03-01T06:00:00+99:00", "not an instant"),
        (1_772_344_800, "not an instant"),
        (JsonFraction("NaN"), "not an instant"),
    ],
)
def test_a_bad_instant_is_named(value: object, detail: str) -> None:
    assert problem_of({"at": value}, lambda f: f.instant("at")) == ("/3/at", detail)


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        ({}, "missing"),
        ({"price": None}, "null, and a value is needed"),
        ({"price": 129}, "a number, and a string is wanted"),
        ({"price": JsonFraction("1.29")}, "a number, and a string is wanted"),
        ({"price": JsonFraction("NaN")}, "a number, and a string is wanted"),
        ({"price": JsonFraction("1e999")}, "a number, and a string is wanted"),
        ({"price": True}, "not a string"),
        ({"price": {}}, "not a string"),
        ({"price": "1_000"}, "not a price"),
    ],
)
def test_a_bad_parsed_field_is_named(value: dict[str, object], detail: str) -> None:
    assert problem_of(value, price) == ("/3/price", detail)


@pytest.mark.parametrize("value", [None, 5, "x", [], [{}], True, JsonFraction("1.5")])
def test_what_is_no_object_is_said_once(value: object) -> None:
    fields = Fields(value, path="/7")
    fields.text("name", longest=10, required=True)
    with pytest.raises(InvalidInput) as refused:
        fields.finish()
    assert [(p.path, p.detail) for p in refused.value.problems] == [("/7", "not a JSON object")]


def test_every_problem_is_gathered_and_unknown_fields_are_some() -> None:
    fields = Fields({"name": 5, "seq": "x", "pirce": "1.29", "a/b": 1})
    fields.text("name", longest=10)
    fields.integer("seq")
    with pytest.raises(InvalidInput) as refused:
        fields.finish()
    assert [(p.path, p.detail) for p in refused.value.problems] == [
        ("/name", "a number, and a string is wanted"),
        ("/seq", "not an integer"),
        ("/pirce", "unknown field"),
        ("/a~1b", "unknown field"),
    ]


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=20)
    | st.text(max_size=5).map(JsonFraction),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(["name", "seq", "at", "price"]), anything))
def test_any_field_is_read_or_refused(value: dict[str, object]) -> None:
    fields = Fields(value)
    fields.text("name", longest=10, required=True)
    fields.integer("seq")
    fields.instant("at")
    price(fields)
    with_problems = bool(fields.problems)
    try:
        fields.finish()
    except InvalidInput:
        assert with_problems
    else:
        assert not with_problems


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("Ser\u00advis", "Servis"),
        ("\ufeffMlijeko\t1 l\r\n", "Mlijeko 1 l"),
        ("a\u202eb\u2066c\x00", "abc"),
        ("\u0915\u094d\u200d\u0937", "\u0915\u094d\u200d\u0937"),
    ],
)
def test_what_cannot_be_seen_is_left_out_and_joiners_stay(sent: str, read: str) -> None:
    assert Fields({"name": sent}).text("name", longest=40) == read


@pytest.mark.parametrize(
    ("value", "fix"),
    [
        (4711, 'Put it in quotes, such as "4711".'),
        (-3, 'Put it in quotes, such as "-3".'),
        (JsonFraction("2.79"), 'Put it in quotes, such as "2.79".'),
        (JsonFraction("1e999"), 'Put it in quotes, such as "1.29".'),
        (JsonFraction("0." + "7" * 40), 'Put it in quotes, such as "1.29".'),
        (True, None),
        ([4711], None),
    ],
)
def test_a_number_in_place_of_a_text_is_answered_with_how_it_is_written(
    value: object, fix: str | None
) -> None:
    for read in ("parsed", "text"):
        fields = Fields({"sku": value})
        if read == "parsed":
            fields.parsed("sku", lambda text, _: text)
        else:
            fields.text("sku", longest=9)
        assert [problem.fix for problem in fields.problems] == [fix]


def test_digits_in_place_of_an_integer_are_answered_with_how_it_is_written() -> None:
    fields = Fields({"seq": "812", "stock": "8 pieces"})
    fields.integer("seq")
    fields.integer("stock")
    assert [p.fix for p in fields.problems] == ["Send it without quotes: 812.", None]
