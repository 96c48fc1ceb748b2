"""Labels in every script look as they did when a person last looked at them.

The pictures lie in ``tests/golden/renderer``; those of the gallery's templates are in its page.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from esl.domain.digital_link import digital_link
from esl.domain.face import Face, Unit
from esl.domain.panel import Panel
from renderer.preview import png_bytes
from renderer.render import Renderer
from renderer.template.gallery import load_gallery
from tests.panels import FIRST_PANELS
from tests.pictures import check_picture

GOLDEN = Path(__file__).parents[2] / "golden" / "renderer"
GALLERY = load_gallery()
RENDERER = Renderer()
GTIN = "3850139171587"
SCRIPTS = {
    "latin": ("Crème fraîche épaisse d’Isigny à l’ancienne", "Promo", "fr_FR", "EUR"),
    "greek": ("Φέτα Ηπείρου ΠΟΠ σε άλμη", "Προσφορά", "el_GR", "EUR"),
    "cyrillic": ("Кисело мляко „Българка“ 3,6 %", "Промоция", "bg_BG", "EUR"),
    "arabic": ("حليب كامل الدسم طازج ٣٫٢٪", "عرض", "ar_EG", "EGP"),
    "hebrew": ("חלב טרי 3% בקרטון (1 ליטר)", "מבצע", "he_IL", "ILS"),
    "thai": ("นมสดพาสเจอร์ไรส์รสจืด", "ลดราคา", "th_TH", "THB"),
    "devanagari": ("ताज़ा टोन्ड दूध", "ऑफ़र", "hi_IN", "INR"),
}


def face_in(script: str) -> Face:
    """Make the same offer in a script."""
    name, badge, locale, currency = SCRIPTS[script]
    return Face(
        name=name,
        price_minor=3490,
        was_minor=4250,
        currency=currency,
        locale=locale,
        net_content="500 g",
        unit_price_minor=6980,
        unit=Unit.KILOGRAM,
        badge=badge,
        gtin=GTIN,
        link=digital_link(GTIN),
    )


@pytest.mark.parametrize("panel", FIRST_PANELS.values(), ids=lambda panel: panel.panel_id)
@pytest.mark.parametrize("template", ["standard", "promotion"])
@pytest.mark.parametrize("script", SCRIPTS)
def test_a_label_in_any_script_has_the_pixels_of_its_golden_picture(
    script: str, template: str, panel: Panel
) -> None:
    face = face_in(script)
    if template == "standard":
        face = replace(face, was_minor=None, badge=None)
    drawn = RENDERER.render(face, panel, GALLERY[template])
    check_picture(
        png_bytes(drawn.pixels, panel), GOLDEN / f"{template}.{script}.{panel.panel_id}.png"
    )
