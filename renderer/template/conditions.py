"""Conditions: JMESPath over a face or a panel, compiled once to closures.

``was``, ``kind == 'promotion' && stock > `0` ``, ``products[1].price`` and most of what a template
asks become closures that read the face's own attributes (0.1 to 1 us against the interpreter's
20). What is rarer, such as projections over ``products``, is left to the library's interpreter.
Both give what ``jmespath.search`` gives on `fields.view_of`.

A value counts as true unless it is null, false, "" or an empty list: 0 is true in JMESPath. What
the library cannot evaluate (``contains(brand, 'x')`` where there is no brand) does not hold.
Building lists and objects is refused: a few characters of it could ask for exponential work.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Generic, TypeVar

from jmespath.exceptions import JMESPathError, LexerError, ParseError
from jmespath.functions import Functions
from jmespath.lexer import Lexer
from jmespath.parser import Parser
from jmespath.visitor import TreeInterpreter

from esl.domain.errors import InvalidInput
from esl.domain.face import Face
from esl.domain.panel import Panel
from renderer.template.closures import Leaf, NotCompiled, Undefined, compile_truth, is_true
from renderer.template.fields import FIELDS, PRODUCTS, FieldKind, plain_value, view_of
from renderer.template.spelling import advise_on

DEEPEST = 24
"""How deep an expression may nest; the closures call each other."""

_REFUSED = {
    "multi_select_list": "builds a list",
    "multi_select_dict": "builds an object",
    "flatten": "flattens lists",
    "expref": "passes an expression on",
    "value_projection": "takes the values of an object",
}
_FUNCTIONS = frozenset(Functions.FUNCTION_TABLE) - {"to_array", "merge", "map", "reverse"}
_NO_ANSWER = (JMESPathError, Undefined, TypeError, ValueError, ArithmeticError)
"""What the library raises where an expression has no value: it checks types only in part."""

_QUOTED = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`((?:\\.|[^`\\])*)`""", re.DOTALL)
_FIX = "Texts stand in 'single quotes', numbers in `backticks`: kind == 'none', stock > `0`."

Subject = TypeVar("Subject")


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition(Generic[Subject]):
    """A condition, ready to be asked."""

    fields: frozenset[str]  # names it reads
    holds: Callable[[Subject], bool]


def compile_condition(expression: str) -> Condition[Face]:
    """Compile a condition over a face.

    Raises:
        InvalidInput: Not JMESPath, an unknown name, or too much; its path is empty.
    """
    names = _check(expression, {*FIELDS, PRODUCTS})
    leaves = {name: _leaf(name) for name in FIELDS}
    try:
        truth = compile_truth(_parse(expression), leaves)
    except NotCompiled:
        return Condition(fields=names, holds=_interpret(expression, view_of))

    def holds(face: Face) -> bool:
        try:
            return truth(face)
        except Undefined:
            return False

    return Condition(fields=names, holds=holds)


def compile_panel_condition(expression: str) -> Condition[Panel]:
    """Compile a condition over a panel: its names are `PANEL_NAMES`.

    Raises:
        InvalidInput: As `compile_condition` says.
    """
    names = _check(expression, PANEL_NAMES)
    return Condition(fields=names, holds=_interpret(expression, view_of_panel))


def view_of_panel(panel: Panel) -> dict[str, object]:
    """Make the object that JMESPath sees of a panel."""
    return {name: read(panel) for name, read in PANEL_NAMES.items()}


PANEL_NAMES: Mapping[str, Callable[[Panel], object]] = {
    "id": lambda panel: str(panel.panel_id),
    "width_px": lambda panel: panel.width_px,
    "height_px": lambda panel: panel.height_px,
    "width_mm": lambda panel: panel.width_mm,
    "height_mm": lambda panel: panel.height_mm,
    "dpi": lambda panel: panel.dpi,
    "aspect": lambda panel: panel.width_px / panel.height_px,
    "inks": lambda panel: [ink.name.lower() for ink in panel.inks],
}
"""What a variant's condition may ask of a panel."""


def _leaf(name: str) -> Leaf:
    field = FIELDS[name]
    read = field.read
    if field.kind is FieldKind.DATE:
        return Leaf(read=lambda face: plain_value(read(face)), number=False)
    number = field.kind in (FieldKind.MONEY, FieldKind.COUNT, FieldKind.PERCENT)
    return Leaf(read=read, number=number)


def _interpret(
    expression: str, view: Callable[[Subject], dict[str, object]]
) -> Callable[[Subject], bool]:
    tree = _parse(expression)
    interpreter = TreeInterpreter()

    def holds(subject: Subject) -> bool:
        try:
            return is_true(interpreter.visit(tree, view(subject)))
        except _NO_ANSWER:
            return False

    return holds


def _parse(expression: str) -> dict[str, Any]:
    try:
        for match in _QUOTED.finditer(expression):
            # The library takes other texts too, with a warning that it will not one day.
            if (literal := match[1]) is not None and not _is_json(literal.replace("\\`", "`")):
                raise _broken(match.start() + 1)
        parsed: dict[str, Any] = Parser().parse(expression).parsed
    except LexerError as exc:
        raise _broken(exc.lexer_position + 1) from None
    except ParseError as exc:
        raise _broken(exc.lex_position + 1) from None
    except JMESPathError:
        raise _broken(1) from None
    except RecursionError:
        raise InvalidInput.at("", "a condition that nests too deep", fix="Simplify it.") from None
    return parsed


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _broken(character: int) -> InvalidInput:
    return InvalidInput.at(
        "",
        f"not a JMESPath condition from character {character} on",
        fix=_FIX,
    )


def _check(expression: str, known: Iterable[str]) -> frozenset[str]:
    """Refuse unknown names and what a condition may not do; return the names it reads."""
    allowed = frozenset(known)
    names: set[str] = set()
    waiting = [(_parse(expression), 1)]
    while waiting:
        node, depth = waiting.pop()
        kind, value = node["type"], node.get("value")
        if depth > DEEPEST:
            raise InvalidInput.at(
                "", f"a condition deeper than {DEEPEST} levels", fix="Simplify it."
            )
        if kind in _REFUSED:
            raise InvalidInput.at("", f"a condition that {_REFUSED[kind]}", fix="Ask without it.")
        if kind == "function_expression" and value not in _FUNCTIONS:
            raise InvalidInput.at(
                "",
                f"there is no function {str(value)[:64]!r} for conditions",
                fix=advise_on(str(value), _FUNCTIONS),
            )
        if kind == "field":
            if value not in allowed:
                where = _position(expression, str(value)) + 1
                raise InvalidInput.at(
                    "",
                    f"there is no field {str(value)[:64]!r} (character {where} of the condition)",
                    fix=f"{advise_on(str(value), allowed)} {_FIX}",
                )
            names.add(str(value))
        children = node.get("children", ())
        waiting += [(child, depth + 1) for child in children if isinstance(child, dict)]
    return frozenset(names)


def _position(expression: str, name: str) -> int:
    """Find where a name stands that is not the name of a function."""
    tokens = list(Lexer().tokenize(expression))
    for token, after in pairwise(tokens):
        is_name = token["type"] in ("unquoted_identifier", "quoted_identifier")
        if is_name and token["value"] == name and after["type"] != "lparen":
            return int(token["start"])
    return 0
