"""Small templates to be judged, written as a shop would."""

from renderer.pictures.picture import Picture
from renderer.template.template import Template, parse_template

SAMPLE = '{name: Milk, price: "1.29", currency: EUR, locale: en_GB, gtin: "4006381333931"}'


def template_of(
    *elements: str,
    sample: str = SAMPLE,
    worst_case: str | None = None,
    words: str = "{}",
    pictures: dict[str, Picture] | None = None,
    products: int = 1,
) -> Template:
    """Make a template of one variant with these elements, each as YAML in one line."""
    lines = [
        "name: judged",
        "title: Judged",
        f"products: {products}",
        f"words: {words}",
        f"sample: {sample}",
        f"worst_case: {worst_case or sample}",
        "variants:",
        "  - elements:",
        *[f"      - {element}" for element in elements],
    ]
    return parse_template("\n".join(lines), pictures=pictures or {})
