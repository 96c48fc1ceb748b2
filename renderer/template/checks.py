"""What must hold in a template file beyond the type of each field."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import assert_never

from esl.domain.errors import FieldProblem, InvalidInput
from renderer.pictures.icons import Icons
from renderer.template.conditions import compile_condition, compile_panel_condition
from renderer.template.fields import FIELDS, FieldKind
from renderer.template.models import (
    Barcode,
    Column,
    Element,
    Grid,
    Icon,
    Image,
    Length,
    Line,
    Price,
    Qr,
    Rect,
    Row,
    Stack,
    TemplateFile,
    Text,
)
from renderer.template.spelling import advise_on
from renderer.template.values import ENGLISH, Words, parse_value

Leaf = Text | Price | Rect | Line | Image | Icon | Qr | Barcode

FONT_SMALLEST_PX = 6
"""Below it no font of the house has a letter that can be told from another."""


ELEMENTS_MOST = 128
"""Of one variant, those of a grid counted for each cell: sixteen products with eight each.

The checks at save compare every two of them: 128 full of text take 3 s on the largest panel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What the checks found in a file."""

    problems: list[FieldProblem]
    pictures: frozenset[str]  # names of the pictures it shows


def check_file(file: TemplateFile, pictures: Mapping[str, object]) -> Checked:
    """Find what is wrong with a file whose fields are of the right types."""
    checker = _Checker(file, pictures)
    checker.check_words()
    checker.check_variants()
    return Checked(problems=checker.problems, pictures=frozenset(checker.named_pictures))


class _Checker:
    """Walks a file and gathers problems."""

    def __init__(self, file: TemplateFile, pictures: Mapping[str, object]) -> None:
        self.problems: list[FieldProblem] = []
        self.named_pictures: set[str] = set()
        self._file = file
        self._pictures = pictures
        self._words: Words = file.words
        self._ids: set[str] = set()  # of the variant under the lens
        self._drawn = 0  # elements of it, as they are drawn
        self._copies = 1  # of each element, inside a grid

    def _problem(self, path: str, detail: str, fix: str | None = None) -> None:
        self.problems.append(FieldProblem(path=path, detail=detail, fix=fix))

    @contextmanager
    def _at(self, path: str) -> Iterator[None]:
        """Note what is raised with an empty path as a problem of this place."""
        try:
            yield
        except InvalidInput as exc:
            for problem in exc.problems:
                self._problem(path, problem.detail, problem.fix)

    def check_words(self) -> None:
        for key, texts in self._words.items():
            if ENGLISH not in texts:
                self._problem(
                    f"/words/{key}", "a word without English", 'Add "en": it is used elsewhere.'
                )

    def check_variants(self) -> None:
        last = len(self._file.variants) - 1
        for index, variant in enumerate(self._file.variants):
            path = f"/variants/{index}"
            fits_all = not variant.panels and variant.when is None
            if index == last and not fits_all:
                self._problem(
                    path,
                    "the last variant must fit every panel",
                    "Leave out panels and when, or add a variant of percentages behind it.",
                )
            if index < last and fits_all:
                self._problem(
                    path,
                    "fits every panel, so that those behind it are never used",
                    "Say panels or when, or move it to the end.",
                )
            if variant.when is not None:
                with self._at(f"{path}/when"):
                    compile_panel_condition(variant.when)
            self._ids, self._drawn = set(), 0
            self._check_boxed(variant.elements, f"{path}/elements", must=True, in_grid=False)
            if self._drawn > ELEMENTS_MOST:
                self._problem(path, f"{self._drawn} elements", f"Use at most {ELEMENTS_MOST}.")

    def _check_boxed(
        self, elements: Sequence[Element], path: str, *, must: bool, in_grid: bool
    ) -> None:
        """Check elements that stand in boxes of their own."""
        for index, element in enumerate(elements):
            at = f"{path}/{index}"
            # A group may take all of the panel; a text there would lie over everything.
            is_group = isinstance(element, Row | Column | Stack | Grid)
            if must and element.box is None and not is_group and len(elements) > 1:
                self._problem(at, "without a box", "Add box: [left, top, width, height].")
            if element.width is not None or element.height is not None or element.grow is not None:
                self._problem(
                    at, "width, height and grow are for rows and columns", "Use box instead."
                )
            self._check_element(element, at, in_grid=in_grid)

    def _check_lined(
        self, elements: Sequence[Element], path: str, *, along: str, in_grid: bool
    ) -> None:
        """Check children of a row or column: ``along`` is the length they may have."""
        across = "height" if along == "width" else "width"
        for index, element in enumerate(elements):
            at = f"{path}/{index}"
            if element.box is not None:
                self._problem(
                    at, "a box inside a row or column", f"Use {along} or grow, or a stack."
                )
            if getattr(element, across) is not None:
                self._problem(
                    f"{at}/{across}", f"children here have a {along}", f"Use {along} or grow."
                )
            if getattr(element, along) is not None and element.grow is not None:
                self._problem(f"{at}/grow", f"{along} and grow together", "Use one of them.")
            self._check_element(element, at, in_grid=in_grid)

    def _check_element(self, element: Element, path: str, *, in_grid: bool) -> None:
        self._drawn += self._copies
        if element.id is not None:
            if element.id in self._ids:
                self._problem(f"{path}/id", "the same id twice in a variant", "Change one.")
            self._ids.add(element.id)
        if element.when is not None:
            with self._at(f"{path}/when"):
                compile_condition(element.when)
        match element:
            case Row():
                self._check_lined(
                    element.children, f"{path}/children", along="width", in_grid=in_grid
                )
            case Column():
                self._check_lined(
                    element.children, f"{path}/children", along="height", in_grid=in_grid
                )
            case Stack():
                self._check_boxed(element.children, f"{path}/children", must=False, in_grid=in_grid)
            case Grid():
                self._check_grid(element, path, in_grid=in_grid)
            case _:
                self._check_leaf(element, path)

    def _check_leaf(self, element: Leaf, path: str) -> None:
        match element:
            case Text():
                self._check_value(element.value, f"{path}/value")
                for index, fallback in enumerate(element.fallbacks):
                    self._check_value(fallback, f"{path}/fallbacks/{index}")
                self._check_sizes(element.size, element.min_size, path, "size", "min_size")
                if element.give:
                    self._check_giving(element, path)
            case Price():
                self._check_price(element, path)
            case Qr():
                for index, fallback in enumerate(element.fallbacks):
                    self._check_value(fallback, f"{path}/fallbacks/{index}")
                self._check_value(element.value, f"{path}/value")
            case Barcode():
                self._check_value(element.value, f"{path}/value")
            case Image():
                self._check_picture(element.name, f"{path}/name")
            case Icon():
                self._check_name(element.name, Icons.names(), f"{path}/name", "icon")
            case Rect() | Line():
                pass
            case _:
                assert_never(element)

    def _check_grid(self, grid: Grid, path: str, *, in_grid: bool) -> None:
        if in_grid:
            self._problem(path, "a grid inside a grid", "Use rows and columns in its cells.")
        if self._file.products == 1:
            self._problem(
                path, "a grid in a template for one product", "Say products: 2 or more at the top."
            )
        elif grid.columns * grid.rows < self._file.products:
            self._problem(
                path,
                f"{grid.columns * grid.rows} cells for {self._file.products} products",
                "Add columns or rows.",
            )
        before, self._copies = self._copies, self._copies * grid.columns * grid.rows
        self._check_boxed(grid.each, f"{path}/each", must=False, in_grid=True)
        self._copies = before

    def _check_price(self, price: Price, path: str) -> None:
        for name, value in (("value", price.value), ("old", price.old)):
            if value is None:
                continue
            money = [field.name for field in FIELDS.values() if field.kind is FieldKind.MONEY]
            if value not in money:
                self._problem(
                    f"{path}/{name}", "not the name of an amount", advise_on(value, money)
                )
        self._check_sizes(price.size, price.min_size, path, "size", "min_size")
        self._check_sizes(price.old_size, price.old_min_size, path, "old_size", "old_min_size")

    def _check_giving(self, text: Text, path: str) -> None:
        """Check that what gives space away has some, and sizes that do not follow from it."""
        if text.height is None or text.rotate:
            self._problem(
                f"{path}/give",
                "only an upright text with a height in a column can give",
                "Say its height, and put it into a column.",
            )
        for name, length in (("size", text.size), ("min_size", text.min_size)):
            if isinstance(length, str) and length.endswith("%"):
                self._problem(
                    f"{path}/{name}",
                    "part of a height that is given away",
                    "Say it in pixels or mm.",
                )

    def _check_sizes(
        self, size: Length, smallest: Length | None, path: str, name: str, smallest_name: str
    ) -> None:
        for at, length in ((name, size), (smallest_name, smallest)):
            if isinstance(length, int) and length < FONT_SMALLEST_PX:
                self._problem(f"{path}/{at}", f"letters below {FONT_SMALLEST_PX} px cannot be read")
        if smallest is not None and _is_above(smallest, size):
            self._problem(f"{path}/{smallest_name}", f"above {name}", "Swap them.")

    def _check_value(self, value: str, path: str) -> None:
        with self._at(path):
            parse_value(value, self._words)

    def _check_picture(self, name: str, path: str) -> None:
        self.named_pictures.add(name)
        if name not in self._pictures:
            self._problem(
                path,
                f"there is no picture {name!r}",
                f"Upload it first. {advise_on(name, self._pictures)}",
            )

    def _check_name(self, name: str, known: Sequence[str], path: str, what: str) -> None:
        if name not in known:
            self._problem(path, f"there is no {what} {name!r}", advise_on(name, known))


def _is_above(one: Length, other: Length) -> bool:
    """Compare two lengths where they are of one unit; others depend on the panel."""
    if isinstance(one, int) and isinstance(other, int):
        return one > other
    if isinstance(one, str) and isinstance(other, str):
        for unit in ("mm", "%"):
            if one.endswith(unit) and other.endswith(unit):
                return float(one.removesuffix(unit)) > float(other.removesuffix(unit))
    return False
