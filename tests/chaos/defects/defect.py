"""What a planted defect is, and how product code is replaced for it."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

Patch = pytest.MonkeyPatch

_PRODUCT = ("esl", "gateway", "simulator", "renderer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect:
    """One planted defect."""

    name: str
    what: str
    caught_by: frozenset[str]
    plant: Callable[[Patch], None]
    profile: str = "default"


def a_defect(plant: Callable[[Patch], None], *caught_by: str, profile: str = "default") -> Defect:
    """Name a defect after the function that plants it; its docstring says what it is."""
    return Defect(
        name=plant.__name__.removeprefix("plant_"),
        what=(plant.__doc__ or "").strip(),
        caught_by=frozenset(caught_by),
        plant=plant,
        profile=profile,
    )


def replace_everywhere(patch: Patch, original: object, replacement: object) -> None:
    """Replace a function wherever a module of the product has imported it by name.

    Raises:
        AssertionError: Nobody has: the defect would not be planted at all.
    """
    places: list[tuple[Any, str]] = [
        (module, name)
        for module_name, module in list(sys.modules.items())
        if module_name.split(".")[0] in _PRODUCT
        for name, value in list(vars(module).items())
        if value is original
    ]
    assert places, f"{original} is nowhere in use"
    for module, name in places:
        patch.setattr(module, name, replacement)
