"""How findings name things: JSON pointers for elements, words for inks."""

from esl.domain.panel import Ink
from renderer.drawing import DrawnPart


def point_at(part: DrawnPart, key: str = "") -> str:
    """Return the JSON pointer to an element, or to one of its keys if it is written there."""
    path = f"/{part.path}"
    return f"{path}/{key}" if key in part.element.model_fields_set else path


def name_part(part: DrawnPart) -> str:
    """Name an element by its id, or else by its kind and place."""
    element = part.element
    return f"{element.type} {element.id!r}" if element.id else f"{element.type} at /{part.path}"


def name_inks(*inks: Ink) -> str:
    """Name inks in words: black, yellow and red."""
    *most, last = [ink.name.lower() for ink in inks]
    return f"{', '.join(most)} and {last}" if most else last
