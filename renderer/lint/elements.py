"""All elements of a template file with their paths, and the one a refusal speaks of."""

from collections.abc import Iterator, Sequence

from renderer.layout.arrange import name_of
from renderer.layout.tree import Node
from renderer.template.models import Column, Element, Grid, Row, Stack, TemplateFile


def walk_elements(file: TemplateFile) -> Iterator[tuple[str, Element]]:
    """Yield every element of every variant with its path, parents before children."""
    for index, variant in enumerate(file.variants):
        yield from _walk(variant.elements, f"variants/{index}/elements")


def _walk(elements: Sequence[Element], path: str) -> Iterator[tuple[str, Element]]:
    for index, element in enumerate(elements):
        at = f"{path}/{index}"
        yield at, element
        match element:
            case Row() | Column() | Stack():
                yield from _walk(element.children, f"{at}/children")
            case Grid():
                yield from _walk(element.each, f"{at}/each")


def find_named(file: TemplateFile, message: str, variant: int) -> tuple[str, str]:
    """Find the element that a renderer's message names; return its JSON pointer and that name.

    The renderer names elements by their id, or by kind and place (`name_of`). If the message
    names none it is about the variant, and the name is empty.
    """
    within = f"variants/{variant}"
    named = [
        (len(name), path, name)
        for path, element in walk_elements(file)
        if path.startswith(f"{within}/")
        and (name := name_of(Node(path=path, element=element, product=0, conditions=()))) in message
    ]
    if not named:
        return f"/{within}", ""
    _, path, name = max(named)
    return f"/{path}", name
