"""A variant of a template as a tree of nodes, each knowing when it is shown.

A grid's cells are written out: what it says once becomes a node for each product of the label,
which reads that product's face. All conditions of a tree stand in one list, so that a face is
asked each of them once, and the answers (a tuple of booleans) name an arrangement of boxes.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from esl.domain.face import Face
from renderer.template.models import Barcode, Column, Element, Grid, Price, Qr, Row, Stack, Text

Predicate = Callable[[Face], bool]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Node:
    """One element in its place in the tree."""

    path: str  # "variants/0/elements/3/children/1"
    element: Element
    product: int  # which of the label's products it speaks of, from 0
    conditions: tuple[int, ...]  # indexes into `Tree.predicates`; all must hold
    children: tuple["Node", ...] = ()
    cell: int | None = None  # in a grid: which cell

    def walk(self) -> Iterator["Node"]:
        """Yield the node and all below it, in drawing order."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tree:
    """All nodes of a variant and all conditions in it."""

    nodes: tuple[Node, ...]
    predicates: tuple[Predicate, ...]

    def answer(self, face: Face) -> tuple[bool, ...]:
        """Ask a face every condition."""
        return tuple([holds(face) for holds in self.predicates])


class Needs(Protocol):
    """Says when an element can be shown at all."""

    def when(self, expression: str) -> Predicate:
        """Compile a ``when``."""
        ...

    def present(self, element: Text | Price | Qr | Barcode) -> Predicate | None:
        """Say when everything an element prints is there; None if it always is."""
        ...


@dataclass(slots=True)
class _Growing:
    """The conditions found so far; equal ones are asked once."""

    needs: Needs
    predicates: list[Predicate] = field(default_factory=list)
    known: dict[tuple[object, ...], int] = field(default_factory=dict)

    def add(self, key: tuple[object, ...], predicate: Predicate) -> int:
        if key not in self.known:
            self.known[key] = len(self.predicates)
            self.predicates.append(predicate)
        return self.known[key]


def grow_tree(elements: Sequence[Element], path: str, needs: Needs) -> Tree:
    """Make the tree of a variant's elements; ``path`` is that of their list."""
    growing = _Growing(needs)
    nodes = tuple(_grow(e, f"{path}/{i}", 0, growing) for i, e in enumerate(elements))
    return Tree(nodes=nodes, predicates=tuple(growing.predicates))


def _grow(
    element: Element, path: str, product: int, growing: _Growing, cell: int | None = None
) -> Node:
    children: tuple[Node, ...] = ()
    if isinstance(element, Row | Column | Stack):
        children = tuple(
            _grow(child, f"{path}/children/{i}", product, growing)
            for i, child in enumerate(element.children)
        )
    elif isinstance(element, Grid):
        children = tuple(
            _grow(child, f"{path}/each/{i}", cell_number, growing, cell_number)
            for cell_number in range(element.rows * element.columns)
            for i, child in enumerate(element.each)
        )
    conditions = []
    if cell is not None and cell > 0:
        conditions.append(growing.add(("products", product), _has_product(product)))
    if element.when is not None:
        holds = _of_product(growing.needs.when(element.when), product)
        conditions.append(growing.add(("when", element.when, product), holds))
    if isinstance(element, Text | Price | Qr | Barcode):
        present = growing.needs.present(element)
        if present is not None:
            conditions.append(
                growing.add(_presence_key(element, product), _of_product(present, product))
            )
    return Node(
        path=path,
        element=element,
        product=product,
        conditions=tuple(conditions),
        children=children,
        cell=cell,
    )


def _presence_key(element: Text | Price | Qr | Barcode, product: int) -> tuple[object, ...]:
    if isinstance(element, Qr):
        return ("qr", element.value, element.fallbacks, product)
    if isinstance(element, Barcode):
        return ("bars", element.value, element.symbology, product)
    return (element.type, element.value, product)


def _has_product(product: int) -> Predicate:
    return lambda face: len(face.others) >= product


def _of_product(holds: Predicate, product: int) -> Predicate:
    """Ask the face of a label's n-th product; one that is not there has nothing to show."""
    if product == 0:
        return holds
    at = product - 1
    return lambda face: at < len(face.others) and holds(face.others[at])
