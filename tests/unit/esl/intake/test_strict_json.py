import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from esl.domain.errors import FieldProblem, InvalidInput
from esl.intake.strict_json import (
    MAX_DEPTH,
    MAX_INTEGER,
    JsonFraction,
    parse_strict_json,
    pointer,
)


def paths(body: bytes) -> list[str]:
    with pytest.raises(InvalidInput) as refused:
        parse_strict_json(body)
    return [problem.path for problem in refused.value.problems]


def problem_of(body: bytes) -> tuple[str, str]:
    with pytest.raises(InvalidInput) as refused:
        parse_strict_json(body)
    [problem] = refused.value.problems
    return problem.path, problem.detail


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a": [1, -2, true, false, null, "x"]}', {"a": [1, -2, True, False, None, "x"]}),
        (b" \r\n\t[] ", []),
        (b'"\\u010dokolada \xc5\xbe"', "čokolada ž"),
        (b'"\\ud83c\\udf4f"', "🍏"),  # a whole pair
        (b"9007199254740991", MAX_INTEGER),
        (b"-9007199254740991", -MAX_INTEGER),
        (b"-0", 0),
        (b'{"": 1}', {"": 1}),
    ],
)
def test_honest_json_is_read(body: bytes, value: object) -> None:
    assert parse_strict_json(body) == value


@pytest.mark.parametrize(
    "text", ["1.29", "1e999", "-1e999", "1E3", "0.0", "NaN", "Infinity", "-Infinity", "9" * 18]
)
def test_no_number_is_ever_rounded(text: str) -> None:
    assert parse_strict_json(f'{{"price": {text}}}'.encode()) == {"price": JsonFraction(text)}


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b'{"a": 1, "a": 2}', ""),
        (b'{"a": 1, "b": {"c": 1, "c": 1}}', "/b/c"),
        (b'[{"sku": 1}, {"price": 1, "sku": 2, "price": 3}]', "/1/price"),
        (b'{"x/y~z": {"k": 1, "k": 1}}', "/x~1y~0z/k"),
        (b'{"a": 1, "\\u0061": 2}', "/a"),  # the same key, spelt differently
    ],
)
def test_a_key_that_comes_twice_is_named(body: bytes, path: str) -> None:
    found, detail = problem_of(body)
    assert detail == "the same key twice"
    assert found == (path or "/a")


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b'{"a": "x\\u0000y"}', "/a"),
        (b'{"a": ["ok", "\\ud800"]}', "/a/1"),
        (b'{"a": "\\udc00\\ud800"}', "/a"),
        (b'"\\udfff"', ""),
        (b'{"a": {"k\\u0000": 1}}', "/a"),  # a bad key cannot stand in a path
        (b'{"a": {"\\ud800": 1}}', "/a"),
        (b'{"\\ud800": 1, "\\ud800": 2}', ""),
    ],
)
def test_half_characters_and_nul_are_refused_where_they_stand(body: bytes, path: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_strict_json(body)
    assert {problem.path for problem in refused.value.problems} == {path}
    for problem in refused.value.problems:
        problem.path.encode()  # can be written down
        assert "\0" not in problem.path


@pytest.mark.parametrize("text", ["9007199254740992", "-9007199254740992", "12345678901234567"])
def test_an_integer_that_not_every_reader_holds_is_refused(text: str) -> None:
    assert problem_of(f'{{"source_seq": {text}}}'.encode()) == (
        "/source_seq",
        "an integer beyond 2^53",
    )


def test_a_huge_integer_costs_nothing() -> None:
    # CPython alone would refuse it, or take quadratic time.
    huge = "9" * 1_000_000
    assert parse_strict_json(huge.encode()) == JsonFraction(huge)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"[1,]",
        b'{"a": 1,}',
        b"{'a': 1}",
        b"{a: 1}",
        b"01",
        b"+1",
        b".5",
        b"1.",
        b"nan",
        b"undefined",
        b'{"a": 1} x',
        b"[] []",
        b'"a',
        b'"\n"',
        b'"\x00"',
        b'"\\x41"',
        b'"\\u12"',
        b"// comment\n1",
        b"\xef\xbb\xbf[]",  # byte order mark
        b"\xff\xfe[\x00]\x00",  # UTF-16
        '{"a": 1}'.encode("utf-16-le"),
        '{"a": 1}'.encode("utf-16-be"),
        '{"a": 1}'.encode("utf-32"),
        b'"\xff"',
        b'"\xc0\x80"',  # NUL, written too long
        b'"\xed\xa0\x80"',  # half a surrogate pair as bytes
        b'"\xc3',
        b"\x00",
        b"[1 2]",
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    ],
)
def test_what_is_no_json_text_is_refused_as_a_whole(body: bytes) -> None:
    assert paths(body) == [""]


def test_nesting_is_taken_to_its_limit_and_no_further() -> None:
    def nested(levels: int) -> bytes:
        return b"[" * levels + b"1" + b"]" * levels

    assert parse_strict_json(nested(MAX_DEPTH)) is not None
    path, detail = problem_of(nested(MAX_DEPTH + 1))
    assert path == "/0" * (MAX_DEPTH + 1)
    assert str(MAX_DEPTH) in detail


def test_problems_are_gathered_up_to_a_limit() -> None:
    body = json.dumps([{"a": "\0"}] * 1000).encode()
    found = paths(body)
    assert found == [f"/{n}/a" for n in range(50)]


def test_a_pointer_escapes_what_rfc_6901_escapes() -> None:
    assert pointer("/a", "m~n/o") == "/a/m~0n~1o"
    assert pointer("", 0) == "/0"


def test_a_key_of_a_megabyte_does_not_make_an_answer_of_fifty() -> None:
    body = json.dumps({"a": {"k" * 1_000_000: ["\0"] * 60}}).encode()
    assert max(map(len, paths(body))) < 20


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(
    st.one_of(
        st.binary(max_size=200),
        st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass")),
        json_values.map(lambda value: json.dumps(value).encode()),
        st.lists(st.sampled_from(list('[]{}",:\\u0 1e.-NI')), max_size=60).map(
            lambda parts: "".join(parts).encode()
        ),
    )
)
@example(b'{"\\ud800\\u0000": {"\\ud800\\u0000": 1, "\\ud800\\u0000": 1}}')
def test_any_bytes_are_a_value_or_invalid_input(body: bytes) -> None:
    problems: tuple[FieldProblem, ...] = ()
    try:
        _is_plain(parse_strict_json(body))
    except InvalidInput as exc:
        problems = exc.problems or (FieldProblem(path="\ud800", detail="no problem named"),)
    for problem in problems:  # can be written down and sent back
        problem.path.encode()
        problem.detail.encode()


@given(json_values)
def test_what_python_reads_the_same_is_read_the_same(value: Any) -> None:
    body = json.dumps(value).encode()
    try:
        read = parse_strict_json(body)
    except InvalidInput:
        return
    again = json.loads(body, parse_float=JsonFraction, parse_constant=JsonFraction)
    if not any(len(word) > 15 for word in body.decode().replace("-", " ").split()):
        assert read == again


def _is_plain(value: object) -> None:
    match value:
        case dict():
            for key, item in value.items():
                key.encode()
                assert "\0" not in key
                _is_plain(item)
        case list():
            for item in value:
                _is_plain(item)
        case str():
            value.encode()
            assert "\0" not in value
        case bool() | None | JsonFraction():
            pass
        case int():
            assert abs(value) <= MAX_INTEGER
        case _:
            raise AssertionError(type(value))
