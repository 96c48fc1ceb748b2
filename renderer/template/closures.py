"""JMESPath's syntax tree as closures, with the meaning the library's interpreter gives it.

A node is compiled to its *value* or, where only that matters, to its *truth*: ``was && !badge``
needs no values at all. Comparing a field with a literal, the most frequent node, has closures of
its own. What is not compiled here raises `NotCompiled`, and the interpreter takes the whole.
"""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from esl.domain.face import Face
from renderer.template.fields import PRODUCTS

Value = Callable[[Face], Any]
Truth = Callable[[Face], bool]
Node = dict[str, Any]

_ORDERS: Mapping[str, Callable[[Any, Any], Any]] = {
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
}
_TEXT_TESTS: Mapping[str, Callable[[str, str], bool]] = {
    "contains": operator.contains,
    "starts_with": str.startswith,
    "ends_with": str.endswith,
}


class NotCompiled(Exception):
    """This node is the interpreter's."""


class Undefined(Exception):
    """The expression has no value for this face; the library raises here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """How a name is read."""

    read: Value
    number: bool  # an int or None; else a text or None


Leaves = Mapping[str, Leaf]


def is_true(value: object) -> bool:
    """Say what JMESPath takes for true: all but null, false and what is empty; 0 is true."""
    return not (value is None or value is False or value in ("", [], {}))


def compile_truth(node: Node, leaves: Leaves) -> Truth:
    """Compile a node where only its truth matters.

    Raises:
        NotCompiled: Something in it is the interpreter's.
    """
    children = node["children"]
    match node["type"]:
        case "and_expression":
            left, right = compile_truth(children[0], leaves), compile_truth(children[1], leaves)
            return lambda face: left(face) and right(face)
        case "or_expression":
            left, right = compile_truth(children[0], leaves), compile_truth(children[1], leaves)
            return lambda face: left(face) or right(face)
        case "not_expression":
            return _compile_not(node, leaves)
        case "field" if node["value"] in leaves:
            return _compile_presence(leaves[node["value"]])
        case _:
            value = compile_value(node, leaves)
            return lambda face: is_true(value(face))


def compile_value(node: Node, leaves: Leaves) -> Value:
    """Compile a node to its value.

    Raises:
        NotCompiled: Something in it is the interpreter's.
    """
    make = _COMPILERS.get(node["type"])
    if make is None:
        raise NotCompiled
    return make(node, leaves)


def _compile_presence(leaf: Leaf) -> Truth:
    read = leaf.read
    if leaf.number:
        return lambda face: read(face) is not None
    return lambda face: bool(read(face))


def _compile_field(node: Node, leaves: Leaves) -> Value:
    if node["value"] not in leaves:
        raise NotCompiled
    return leaves[node["value"]].read


def _compile_literal(node: Node, _leaves: Leaves) -> Value:
    literal = node["value"]
    return lambda _face: literal


def _compile_not(node: Node, leaves: Leaves) -> Truth:
    inner = compile_truth(node["children"][0], leaves)
    return lambda face: not inner(face)


def _compile_and(node: Node, leaves: Leaves) -> Value:
    return _compile_choice(node["children"], leaves, stops_at=False)


def _compile_or(node: Node, leaves: Leaves) -> Value:
    return _compile_choice(node["children"], leaves, stops_at=True)


def _compile_choice(children: list[Node], leaves: Leaves, *, stops_at: bool) -> Value:
    """Compile ``&&`` and ``||``, which give the value of one of their sides."""
    left, right = (compile_value(child, leaves) for child in children)

    def choose(face: Face) -> Any:
        value = left(face)
        return value if is_true(value) is stops_at else right(face)

    return choose


def _compile_comparison(node: Node, leaves: Leaves) -> Value:
    sign, children = node["value"], node["children"]
    left, right = (compile_value(child, leaves) for child in children)
    field, literal = children
    name = field["value"] if field["type"] == "field" else None
    leaf = leaves.get(name) if isinstance(name, str) else None
    constant = literal["value"] if literal["type"] == "literal" else None
    if sign in ("eq", "ne"):
        if leaf is not None and isinstance(constant, str):
            read = leaf.read
            if sign == "eq":
                return lambda face: bool(read(face) == constant)
            return lambda face: bool(read(face) != constant)
        if sign == "eq":
            return lambda face: _are_equal(left(face), right(face))
        return lambda face: not _are_equal(left(face), right(face))
    order = _ORDERS[sign]
    if leaf is not None and leaf.number and _is_number(constant):
        read = leaf.read

        def compare(face: Face) -> bool | None:
            value = read(face)
            return None if value is None else order(value, constant)

        return compare
    return lambda face: _compare(order, left(face), right(face))


def _compare(order: Callable[[Any, Any], Any], left: Any, right: Any) -> bool | None:
    left_text, right_text = isinstance(left, str), isinstance(right, str)
    if not ((left_text or _is_number(left)) and (right_text or _is_number(right))):
        return None
    if left_text is not right_text:
        raise Undefined
    return bool(order(left, right))


def _are_equal(left: Any, right: Any) -> bool:
    """Compare as JMESPath does: 0 and 1 are never false and true."""
    if isinstance(left, bool) is not isinstance(right, bool):
        return False
    return bool(left == right)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _compile_product_field(node: Node, leaves: Leaves) -> Value:
    """Compile ``products[1].price``."""
    match node["children"]:
        case [
            {
                "type": "index_expression",
                "children": [
                    {"type": "field", "value": str(base)},
                    {"type": "index", "value": int(index)},
                ],
            },
            {"type": "field", "value": str(name)},
        ] if base == PRODUCTS and name in leaves:
            read = leaves[name].read
        case _:
            raise NotCompiled

    def read_of_product(face: Face) -> Any:
        products = (face, *face.others)
        try:
            return read(products[index])
        except IndexError:
            return None

    return read_of_product


def _compile_function(node: Node, leaves: Leaves) -> Value:
    """Compile ``length(products)``, and tests of a field against a literal text."""
    name = node["value"]
    match name, node["children"]:
        case "length", [{"type": "field", "value": subject}] if subject == PRODUCTS:
            return lambda face: 1 + len(face.others)
        case _, [
            {"type": "field", "value": str(subject)},
            {"type": "literal", "value": str(wanted)},
        ] if name in _TEXT_TESTS and subject in leaves and not leaves[subject].number:
            read, test = leaves[subject].read, _TEXT_TESTS[name]
        case _:
            raise NotCompiled

    def test_text(face: Face) -> bool:
        value = read(face)
        if value is None:
            raise Undefined
        return test(value, wanted)

    return test_text


_COMPILERS: Mapping[str, Callable[[Node, Leaves], Value]] = {
    "field": _compile_field,
    "literal": _compile_literal,
    "comparator": _compile_comparison,
    "and_expression": _compile_and,
    "or_expression": _compile_or,
    "not_expression": _compile_not,
    "subexpression": _compile_product_field,
    "function_expression": _compile_function,
}
