"""Conditions mean what jmespath.search means, and are refused where they name nothing."""

import jmespath
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jmespath.exceptions import JMESPathError

from esl.domain.errors import InvalidInput
from esl.domain.face import Face
from esl.domain.panel_file import load_panels
from renderer.template.closures import is_true
from renderer.template.conditions import (
    DEEPEST,
    compile_condition,
    compile_panel_condition,
    view_of_panel,
)
from renderer.template.fields import FIELDS, view_of
from tests.unit.renderer.template.faces import BARE, FULL, faces

NAMES = "name brand badge price was stock member_price kind unit valid_to percent_off save".split()
LITERALS = [
    "'promotion'", "'kg'", "'2026-12-31'", "''", "`0`", "`1`", "`200`", "`0.5`", "`true`",
    "`false`", "`null`", "`[]`", '`"Dukat"`',
]  # fmt: skip


def _join(sign: str) -> st.SearchStrategy[str]:
    operand = _operands()
    return st.tuples(operand, operand).map(lambda sides: f"{sides[0]} {sign} {sides[1]}")


def _operands() -> st.SearchStrategy[str]:
    name = st.sampled_from(NAMES)
    return st.one_of(
        name,
        st.sampled_from(LITERALS),
        st.tuples(st.integers(-1, 3), name).map(lambda drawn: f"products[{drawn[0]}].{drawn[1]}"),
        st.sampled_from(
            [
                "length(products)",
                "products",
                "length(products[?stock > `0`])",
                "starts_with(brand, 'Du')",
                "contains(name, 'r')",
                "ends_with(kind, 'r')",
                "abs(stock)",
                "not_null(was, price)",
            ]
        ),
    )


EXPRESSIONS = st.recursive(
    _operands() | st.sampled_from(["==", "!=", "<", "<=", ">", ">="]).flatmap(_join),
    lambda inner: st.one_of(
        inner.map(lambda text: f"!({text})"),
        st.tuples(inner, st.sampled_from(["&&", "||", "=="]), inner).map(
            lambda drawn: "({} {} {})".format(*drawn)
        ),
    ),
    max_leaves=5,
)


def search(expression: str, view: dict[str, object]) -> bool:
    """Ask the library; what it cannot evaluate does not hold."""
    try:
        return is_true(jmespath.search(expression, view))
    except (JMESPathError, TypeError):
        return False


@given(expression=EXPRESSIONS, face=faces())
def test_a_condition_holds_where_the_library_says_so(expression: str, face: Face) -> None:
    assert compile_condition(expression).holds(face) is search(expression, view_of(face))


@pytest.mark.parametrize("name", list(FIELDS))
def test_every_field_can_be_asked_for(name: str) -> None:
    for face in (FULL, BARE):
        assert compile_condition(name).holds(face) is search(name, view_of(face))


def test_zero_is_true_and_nothing_is_not() -> None:
    condition = compile_condition("stock")
    assert condition.holds(Face(name="x", price_minor=1, currency="EUR", locale="en", stock=0))
    assert not condition.holds(BARE)


def test_a_condition_says_what_it_reads() -> None:
    assert compile_condition("was && products[1].stock > `0`").fields == {
        "was",
        "products",
        "stock",
    }


@pytest.mark.parametrize(
    ("expression", "detail"),
    [
        ("prise > `1`", "no field 'prise' (character 1 of"),
        ("kind == promotion", "no field 'promotion' (character 9 of"),
        ("products[0].length > length(products)", "no field 'length' (character 13 of"),
        ("was &&", "from character 7 on"),
        ("was = price", "from character 5 on"),
        ("'open", "from character 1 on"),
        ("[was, price]", "builds a list"),
        ("{a: was}", "builds an object"),
        ("products[]", "flattens"),
        ("max_by(products, &price)", "passes an expression on"),
        ("merge(@, @)", "no function 'merge'"),
        ("nothing(was)", "no function 'nothing'"),
        ("!" * (DEEPEST + 1) + "was", f"deeper than {DEEPEST}"),
        ("(" * 390 + "was", "condition"),
    ],
)
def test_a_wrong_condition_is_refused_in_words(expression: str, detail: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        compile_condition(expression)
    [problem] = caught.value.problems
    assert detail in problem.detail
    assert problem.fix


@given(text=st.text("was()[]{}!&|=<>@`'\"\\.,:*? 019", max_size=60))
def test_any_text_is_a_condition_or_refused(text: str) -> None:
    try:
        condition = compile_condition(text)
    except InvalidInput:
        return
    assert condition.holds(FULL) in {True, False}


def test_a_panel_is_asked_for_its_size_and_inks() -> None:
    bwry_panel = load_panels().named("bwry-296x128")
    assert set(view_of_panel(bwry_panel)) >= {"width_px", "height_px", "dpi", "aspect", "inks"}
    for expression, holds in [
        ("width_px >= `296` && height_px < `200`", True),
        ("aspect > `2`", True),
        ("contains(inks, 'red')", True),
        ("contains(inks, 'green')", False),
        ("width_mm < `30`", False),
        ("starts_with(id, 'bwry')", True),
    ]:
        assert compile_panel_condition(expression).holds(bwry_panel) is holds
    with pytest.raises(InvalidInput, match="no field 'width'"):
        compile_panel_condition("width > `3`")
