"""YAML becomes plain data with lines, or is refused with a line; never more than its bounds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl.domain.errors import InvalidInput
from esl.intake.strict_json import JsonFraction
from renderer.template.yaml_text import BYTES_MOST, DEEPEST, read_yaml


def refusal(text: str) -> tuple[str, str]:
    with pytest.raises(InvalidInput) as caught:
        read_yaml(text)
    [problem] = caught.value.problems
    return problem.detail, problem.fix or ""


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("no", "no"),
        ("on", "on"),
        ("yes", "yes"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("12", 12),
        ("-3", -3),
        ("0", 0),
        ("012", "012"),
        ("0012345678905", "0012345678905"),
        ("3850139171587", 3850139171587),
        ("1.29", JsonFraction("1.29")),
        ("1e3", JsonFraction("1e3")),
        (".inf", ".inf"),
        ("2026-12-31", "2026-12-31"),
        ("12:30", "12:30"),
        ("'12'", "12"),
        ('"\\u017e"', "ž"),
    ],
)
def test_a_scalar_is_what_it_looks_like(written: str, read: object) -> None:
    assert read_yaml(f"key: {written}").data == {"key": read}


def test_keys_are_always_texts() -> None:
    assert read_yaml("{no: 1, true: 2, 3: 4, null: 5}").data == {
        "no": 1,
        "true": 2,
        "3": 4,
        "null": 5,
    }


def test_everything_knows_its_line() -> None:
    document = read_yaml("# a template\na: 1\nb:\n  - c\n  - d/e: |\n      text\n      more\n")
    assert document.lines == {"": 2, "a": 2, "b": 4, "b/0": 4, "b/1": 5, "b/1/d~1e": 5}


def test_an_alias_stands_for_its_anchor_and_merging_keeps_own_keys() -> None:
    document = read_yaml(
        "base: &base {size: 12, ink: red}\n"
        "other: &other {size: 9, fit: wrap}\n"
        "plain: *base\n"
        "merged: {<<: *base, ink: black}\n"
        "both: {<<: [*other, *base], size: 7}\n"
    )
    assert document.data["plain"] == {"size": 12, "ink": "red"}
    assert document.data["merged"] == {"size": 12, "ink": "black"}
    assert document.data["both"] == {"size": 7, "ink": "red", "fit": "wrap"}
    assert document.lines["plain/size"] == 1
    assert document.data["plain"] is not document.data["base"]


@pytest.mark.parametrize(
    ("text", "detail", "fix"),
    [
        ("a: 1\nb: 2\na: 3", "line 3, column 1: the same key twice", "once"),
        ("{<<: {a: 1}, <<: {b: 2}}", "line 1, column 14: the same key twice", "once"),
        ("a: !!python/object:os.system x", "line 1, column 4: a tag", "!"),
        ("a: !!str 1", "line 1, column 4: a tag", "!"),
        ("%TAG ! tag:x,1:\n--- 1", "a %TAG directive", "Leave"),
        ("a:\n\t- b", "line 2, column 1", "tabs"),
        ("a: b: c", "line 1, column 5", "quote"),
        ("a: 1\n---\nb: 2", "a second document", "one template"),
        ("# nothing", "nothing but blanks and comments", ""),
        ("", "nothing but blanks and comments", ""),
        ("a: *b", "line 1, column 4: an alias", "anchor"),
        ("a: &a\n  b: *a", "line 2, column 6: an alias", "anchor"),
        ("<<: 1", "<< takes objects only", "anchor"),
        ("? [a]\n: b", "a key that is no text", "key"),
        ('a: "\\0"', "a character no text has", "escape"),
        ("a: \x01", "line 1: a character no text has", "UTF-8"),
        ("a: \ud800", "line 1: a character no text has", "UTF-8"),
        ("a: 9007199254740992", "an integer beyond 2^53", "quotes"),
        ("a: " + "9" * 5000, "an integer beyond 2^53", "quotes"),
        ("k" * 70 + ": 1", "a key that is no name", ""),
        ("x" * (BYTES_MOST + 1), "more than 64 KiB", "several"),
        ("ž" * (BYTES_MOST // 2 + 1), "more than 64 KiB", "several"),
        ("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), f"deeper than {DEEPEST}", "Flatten"),
        ("[" * 60_000, f"deeper than {DEEPEST}", "Flatten"),
        ("- " * 30_000, f"deeper than {DEEPEST}", "Flatten"),
        ("x: [" + "a," * 25_000 + "]", "more than 20000 values", "Shorten"),
    ],
)
def test_what_is_no_template_text_is_refused_with_its_line(
    text: str, detail: str, fix: str
) -> None:
    told, advice = refusal(text)
    assert detail in told
    assert fix in advice


def test_a_billion_laughs_are_refused_before_the_second() -> None:
    lines = ["a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 40)]
    assert "more than 20000 values, with aliases" in refusal("\n".join(lines))[0]
    merged = ["a0: &a0 {" + ", ".join(f"k{i}: 1" for i in range(200)) + "}"]
    merged += [f"a{i}: &a{i} [{', '.join(['{<<: *a0}'] * 50)}]" for i in range(1, 40)]
    assert "more than 20000 values, with aliases" in refusal("\n".join(merged))[0]


def test_depth_is_counted_through_aliases() -> None:
    lines = ["a0: &a0 [x]"] + [f"a{i}: &a{i} [*a{i - 1}]" for i in range(1, 40)]
    assert f"deeper than {DEEPEST}" in refusal("\n".join(lines))[0]


@given(text=st.text("abn:-[]{}&*!|>'\"#%,? \n\t01.~<", max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        document = read_yaml(text)
    except InvalidInput:
        return
    assert document.lines[""] >= 1
    assert_json(document.data)


def assert_json(value: object) -> None:
    match value:
        case dict():
            for key, inner in value.items():
                assert type(key) is str
                assert_json(inner)
        case list():
            for inner in value:
                assert_json(inner)
        case _:
            assert value is None or type(value) in {str, int, bool, JsonFraction}


def test_scalars_have_their_place_in_the_text_quotes_included() -> None:
    text = 'name: "čaj 🍵"\n# žž\nbox: ["3%", 4, 5.0mm]\nparts: {a: &a {h: 24%}}\nb: *a\n'
    spans = read_yaml(text).spans
    said = {path: text[start:end] for path, (start, end) in spans.items()}
    assert said["name"] == '"čaj 🍵"'
    assert [said[f"box/{index}"] for index in range(3)] == ['"3%"', "4", "5.0mm"]
    assert spans["b/h"] == spans["parts/a/h"]
    assert said["b/h"] == "24%"
    assert "box" not in spans
