"""The template language as types; pydantic checks a file and publishes the JSON Schema.

    template ─┬─ words        texts by language: {words.until} is "bis" in a German shop
              ├─ sample       data for pictures
              ├─ worst_case   the longest data it must bear, for the checks at save
              └─ variants     tried in order; the first whose `panels` or `when` fits is used
                   └─ elements   drawn in order, later ones over earlier ones

Lengths are whole pixels (``12``), parts of the box around (``"25%"``) or millimetres on the glass
(``"2.4mm"``). A ``box`` is ``[left, top, width, height]``. Inside a row or column a child has no
box: it has ``width`` (row) or ``height`` (column), or a share of what is left (``grow``); one
that is not shown leaves its space to the others.

An element is not shown where its ``when`` does not hold, or where a field it prints is absent.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StringConstraints

LENGTH_PATTERN = r"^(0|[1-9][0-9]{0,3})(\.[0-9]{1,2})?(%|mm)$"

Length = (
    Annotated[StrictInt, Field(ge=0, le=4096)]
    | Annotated[str, StringConstraints(pattern=LENGTH_PATTERN)]
)
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Expression = Annotated[str, StringConstraints(min_length=1, max_length=400)]
Value = Annotated[str, StringConstraints(min_length=1, max_length=400)]
FieldName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
PanelPattern = Annotated[str, StringConstraints(pattern=r"^[a-z0-9*?-]{1,40}$")]
Count = Annotated[StrictInt, Field(ge=1, le=8)]

InkName = Literal["black", "white", "red", "yellow", "accent", "on_accent", "emphasis", "highlight"]
"""What a panel lacks is replaced so that dark stays dark: red by black, yellow by white.

`accent` is the panel's most striking ink for areas (red, else yellow, else black), `on_accent`
the ink that reads best on it, `emphasis` the one for important text on white (red, else
black), and `highlight` the one for areas behind black text (yellow, else white).
"""
Align = Literal["start", "left", "center", "right"]
VerticalAlign = Literal["top", "middle", "bottom"]
Turn = Literal[0, 90, 180, 270]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Element(_Model):
    """What every element has."""

    id: Name | None = Field(None, description="A name for messages; else its place in the list.")
    box: Annotated[tuple[Length, Length, Length, Length], Field()] | None = Field(
        None,
        description="[left, top, width, height]; none in a row or column. Without one a group, or "
        "what stands in a stack or grid, fills what is around it.",
    )
    width: Length | None = Field(None, description="In a row: how wide.")
    height: Length | None = Field(None, description="In a column: how tall.")
    grow: Annotated[StrictInt, Field(ge=1, le=100)] | None = Field(
        None, description="In a row or column: share of the space that is left (1 if not said)."
    )
    when: Expression | None = Field(None, description="JMESPath over the face; shown if true.")
    fill: InkName | None = Field(None, description="Ink of the box behind the element.")
    pad: Annotated[tuple[Length, ...], Field(min_length=1, max_length=4)] | Length | None = Field(
        None, description="Space inside the box: one length, or [vertical, horizontal], or four."
    )
    rotate: Turn = Field(0, description="Degrees clockwise.")


class Text(_Element):
    """A text with placeholders: "{name}", "{valid_to|date}"."""

    type: Literal["text"]
    value: Value
    fallbacks: tuple[Value, ...] = Field(
        (), max_length=4, description="Shorter texts, tried in order where it does not fit."
    )
    size: Length = Field("100%", description="Largest font size; % is of the box's height.")
    min_size: Length | None = Field(None, description="Smallest font size; size if not said.")
    max_lines: Count = Field(1, description="Most lines, where fit is wrap or ellipsis.")
    fit: Literal["refuse", "shrink", "wrap", "ellipsis"] = Field(
        "ellipsis",
        description="What may be done to make it fit; each may do what those before it may: "
        "refuse nothing, shrink to min_size, wrap onto max_lines, cut with an ellipsis. What "
        "prints an amount, percentage, count or date is refused rather than cut.",
    )
    weight: Literal["regular", "bold"] = "regular"
    ink: InkName = "black"
    invert: StrictBool = Field(
        default=False, description="White on the ink instead of ink on white."
    )
    align: Align = Field("start", description="start is right for Arabic and Hebrew.")
    valign: VerticalAlign = "middle"
    strike: StrictBool = Field(default=False, description="A rising red line through it.")
    give: StrictBool = Field(
        default=False,
        description="In a column: the height its lines do not need goes to the others. Its sizes "
        "are in px or mm.",
    )


class Price(_Element):
    """An amount set large; it shrinks to its smallest size and is never cut."""

    type: Literal["price"]
    value: FieldName = Field("price", description="A money field of the face.")
    old: FieldName | None = Field(
        None, description="A money field printed struck through, beside or above, as fits best."
    )
    per: StrictBool = Field(
        default=True,
        description="Print what the amount is for: of a unit price its unit, of other amounts "
        "the unit of goods sold by weight.",
    )
    cents: Literal["raised", "plain", "dash"] = Field(
        "raised", description="1²⁹ or 1.29; dash prints 199,- where the decimals are zero."
    )
    symbol: StrictBool = Field(default=True, description="Print the currency.")
    size: Length = Field("100%", description="Largest size of the digits; % is of the height.")
    min_size: Length = Field("4.5mm", description="Below it the face is refused.")
    old_size: Length = Field("4.5mm", description="Largest size of the old price.")
    old_min_size: Length = Field("2.6mm", description="Below it the face is refused.")
    ink: InkName = "black"
    invert: StrictBool = False
    align: Align = "start"
    valign: VerticalAlign = "middle"
    strike: StrictBool = False


class Rect(_Element):
    """A filled or outlined rectangle."""

    type: Literal["rect"]
    border: InkName | None = Field(None, description="Ink of the outline; none if not said.")
    border_width: Length = 1
    radius: Length = Field(0, description="Of round corners.")


class Line(_Element):
    """A line along the longer side of its box, in its middle, or from corner to corner."""

    type: Literal["line"]
    ink: InkName = "black"
    thickness: Length = Field(1, description="How thick it is.")
    direction: Literal["along", "rising", "falling"] = "along"


class Image(_Element):
    """An uploaded picture, dithered inside its box to the panel's inks."""

    type: Literal["image"]
    name: Name
    dither: StrictBool = True
    align: Align = "center"
    valign: VerticalAlign = "middle"


class Icon(_Element):
    """One of the built-in icons, as large as its box allows."""

    type: Literal["icon"]
    name: Name
    ink: InkName = "black"
    align: Align = "center"
    valign: VerticalAlign = "middle"


class Qr(_Element):
    """A QR code, level M, black on white, whole pixels a module, quiet zone inside its box."""

    type: Literal["qr"]
    value: Value = "{link}"
    fallbacks: tuple[Value, ...] = Field(
        (), max_length=4, description="Shorter contents, tried in order where it is too fine."
    )
    align: Align = "center"
    valign: VerticalAlign = "middle"


class Barcode(_Element):
    """A bar code, black on white, whole pixels a module, quiet zones inside its box."""

    type: Literal["barcode"]
    value: Value = "{gtin}"
    symbology: Literal[
        "auto",
        "ean-13",
        "ean-8",
        "upc-a",
        "upc-e",
        "code-128",
        "gs1-128",
        "itf-14",
        "data-matrix",
    ] = Field("auto", description="auto: what the GTIN's length says, none for a carton's.")
    digits: StrictBool = Field(default=False, description="Print the digits below the bars.")
    digits_size: Length = Field("2.4mm", description="Font size of the digits.")
    staff: StrictBool = Field(
        default=False,
        description="For the shop's own scanners: modules below the standard's size are allowed.",
    )
    align: Align = "center"
    valign: VerticalAlign = "middle"


class Row(_Element):
    """Children side by side."""

    type: Literal["row"]
    gap: Length = Field(0, description="Space between two of them.")
    children: Annotated[tuple["Element", ...], Field(min_length=1, max_length=32)]


class Column(_Element):
    """Children one below the other."""

    type: Literal["column"]
    gap: Length = Field(0, description="Space between two of them.")
    children: Annotated[tuple["Element", ...], Field(min_length=1, max_length=32)]


class Stack(_Element):
    """Children in boxes of their own, measured in this one; without a box a child fills it."""

    type: Literal["stack"]
    children: Annotated[tuple["Element", ...], Field(min_length=1, max_length=32)]


class Grid(_Element):
    """The label's products, one a cell, row by row; inside, fields are those of the cell's."""

    type: Literal["grid"]
    columns: Annotated[StrictInt, Field(ge=1, le=4)]
    rows: Annotated[StrictInt, Field(ge=1, le=4)]
    gap: Length = Field(0, description="Space between two of them.")
    rule: InkName | None = Field(None, description="Ink of lines between the cells.")
    each: Annotated[tuple["Element", ...], Field(min_length=1, max_length=32)]


Element = Annotated[
    Text | Price | Rect | Line | Image | Icon | Qr | Barcode | Row | Column | Stack | Grid,
    Field(discriminator="type"),
]


class Variant(_Model):
    """A layout for some panels."""

    panels: tuple[PanelPattern, ...] = Field(
        (), max_length=40, description='Panel ids, * and ? allowed: "*-296x128".'
    )
    when: Expression | None = Field(
        None,
        description="JMESPath over the panel: width_px, height_px, width_mm, height_mm, dpi, "
        "aspect (width over height), inks.",
    )
    elements: Annotated[tuple[Element, ...], Field(min_length=1, max_length=64)]


class TemplateFile(_Model):
    """A whole template file."""

    name: Name
    title: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    description: Annotated[str, StringConstraints(max_length=400)] = ""
    products: Annotated[StrictInt, Field(ge=1, le=16)] = Field(
        1, description="How many products a label with it may have."
    )
    words: dict[FieldName, dict[str, Annotated[str, StringConstraints(max_length=80)]]] = Field(
        default_factory=dict,
        description='Texts by language: {until: {en: until, de: bis}}. "en" must be there.',
    )
    sample: dict[str, Any] = Field(description="A face, as `esl render --data` reads it.")
    worst_case: dict[str, Any] = Field(description="The longest face it must bear.")
    parts: dict[FieldName, Any] = Field(
        default_factory=dict, description="A place for YAML anchors; not read."
    )
    variants: Annotated[tuple[Variant, ...], Field(min_length=1, max_length=24)]
