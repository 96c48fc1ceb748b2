"""Two thousand labels by chance keep every promise, and Hypothesis looks for one that does not.

``python -m tests.proof.frames --frames 10000`` does the same for longer.
"""

from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from esl.domain.errors import MissingGlyph, PriceDoesNotFit, RenderRefused
from esl.domain.face import Face
from esl.domain.money import MINOR_DIGITS, PRICE_MAX_MINOR
from esl.domain.panel import Ink, Panel
from renderer.canvas import blank
from renderer.draw.text import stamp
from renderer.drawing import Drawing
from renderer.frame import Frame
from renderer.packing import pack, unpack
from renderer.render import Renderer
from renderer.template.gallery import load_gallery
from renderer.template.template import Template
from renderer.text.fonts import Fonts
from tests.panels import PANELS
from tests.proof import checks
from tests.proof.checks import Broken, Prover, watched_stamps
from tests.proof.faces import SCRIPTS, make_face
from tests.proof.frames import prove_frames
from tests.unit.renderer.sample_faces import FACES

FRAMES, SEEDS = 500, (1, 2, 3, 4)
GALLERY = load_gallery()
PROVER = Prover()
PROMOTION = GALLERY["promotion"]
PANEL = PANELS.named("bwry-296x128")
FAMILIES = [
    PANELS.named(name)
    for name in (
        "bw-200x200",
        "bwry-152x200",
        "bw-250x122",
        "bwry-296x128",
        "bwr-384x168",
        "bwy-384x184",
        "bwry-400x300",
        "bwry-648x480",
    )
]

quickly = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_label_is_true_whole_and_readable(seed: int) -> None:
    tally = prove_frames(FRAMES, seed, PROVER)
    assert tally.broken == []
    assert tally.frames == FRAMES
    assert sum(tally.codes.values()) >= FRAMES // 2
    assert len(tally.panels) == len(PANELS)
    assert tally.templates.keys() == {*GALLERY, "every-option"}


@quickly
@given(
    seed=st.integers(0, 2**32),
    panel=st.sampled_from(FAMILIES),
    template=st.sampled_from(list(GALLERY.values())),
)
def test_no_face_breaks_a_promise(seed: int, panel: Panel, template: Template) -> None:
    PROVER.prove(make_face(Random(seed), products=template.file.products), panel, template)


@quickly
@given(
    name=st.text(min_size=1, max_size=60),
    badge=st.none() | st.text(min_size=1, max_size=20),
    panel=st.sampled_from(FAMILIES),
    template=st.sampled_from(list(GALLERY.values())),
)
def test_any_text_is_drawn_whole_or_refused(
    name: str, badge: str | None, panel: Panel, template: Template
) -> None:
    PROVER.prove(replace(FACES["promotion"], name=name, badge=badge), panel, template)


@quickly
@given(
    minor=st.integers(1, PRICE_MAX_MINOR),
    rise=st.integers(1, PRICE_MAX_MINOR),
    currency=st.sampled_from(sorted(MINOR_DIGITS)),
    locale=st.sampled_from(["hr_HR", "de_CH", "en_IN", "ar_EG", "he_IL", "th_TH", "ja_JP"]),
    panel=st.sampled_from(FAMILIES),
    template=st.sampled_from(list(GALLERY.values())),
)
def test_any_price_in_any_currency_is_printed_in_full_or_refused(
    minor: int, rise: int, currency: str, locale: str, panel: Panel, template: Template
) -> None:
    face = replace(
        FACES["promotion"],
        price_minor=minor,
        was_minor=minor + rise,
        unit_price_minor=minor,
        currency=currency,
        locale=locale,
    )
    PROVER.prove(face, panel, template)


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("panel", FAMILIES, ids=lambda panel: panel.panel_id)
def test_a_name_of_any_script_is_drawn(script: str, panel: Panel) -> None:
    name = " ".join(SCRIPTS[script].split()[:3])
    result = PROVER.prove(replace(FACES["everyday"], name=name, brand=None), panel, PROMOTION)
    assert isinstance(result, Frame)


@pytest.mark.parametrize("panel", FAMILIES, ids=lambda panel: panel.panel_id)
def test_a_renderer_that_has_drawn_nothing_gives_the_same_bytes(panel: Panel) -> None:
    for seed in range(3):
        face = make_face(Random(seed))
        with_much_behind_it = PROVER.prove(face, panel, PROMOTION)
        try:
            fresh: Frame | RenderRefused = Renderer().render(face, panel, PROMOTION)
        except RenderRefused as exc:
            fresh = exc
        if isinstance(fresh, Frame):
            assert isinstance(with_much_behind_it, Frame)
            assert fresh.pixels == with_much_behind_it.pixels
            assert fresh.digest == with_much_behind_it.digest
        else:
            assert str(fresh) == str(with_much_behind_it)


def test_a_price_of_nine_digits_is_refused_where_it_would_be_cut() -> None:
    face = replace(FACES["promotion"], price_minor=PRICE_MAX_MINOR, was_minor=None, currency="JPY")
    refused = [
        result
        for panel in PANELS.values()
        if isinstance(result := PROVER.prove(face, panel, PROMOTION), PriceDoesNotFit)
    ]
    assert refused
    assert all("px" in str(exc) for exc in refused)


def test_a_character_of_no_font_is_refused_and_not_left_out() -> None:
    result = PROVER.prove(replace(FACES["everyday"], name="Milk \U0001f95b"), PANEL, PROMOTION)
    assert isinstance(result, MissingGlyph)


# ── The checks themselves find what they are for ─────────────────────────────────────────────


@pytest.fixture
def drawn() -> tuple[Face, Drawing]:
    face = FACES["promotion"]
    return face, Renderer().draw(face, PANEL, PROMOTION)


def test_a_run_that_passes_the_edge_is_noticed() -> None:
    run = Fonts().bold(30).run("12")
    for left, baseline, lost in ((0, 30, 0), (-9, 30, 1), (0, 10, 1), (290, 30, 1), (0, 140, 1)):
        with watched_stamps() as watch:
            checks.draw_text.stamp(blank(PANEL), run, left=left, baseline=baseline, ink=Ink.BLACK)
        assert len(watch.lost) == lost
    assert checks.draw_text.stamp is stamp


def test_another_price_on_the_layout_is_noticed(drawn: tuple[Face, Drawing]) -> None:
    face, drawing = drawn
    style = PROVER._money.style(face.locale, face.currency)
    [part] = [p for p in drawing.parts if p.element.type == "price"]
    checks._check_price(part, part.element, face, style)
    wrong = [replace(face, price_minor=350), replace(face, was_minor=470)]
    for other in wrong:
        with pytest.raises(Broken):
            checks._check_price(part, part.element, other, style)
    for texts in (part.texts[:1], part.texts[1:], (*part.texts[:-1], "4,6…")):
        with pytest.raises(Broken):
            checks._check_price(replace(part, texts=texts), part.element, face, style)


def test_another_amount_in_a_text_is_noticed(drawn: tuple[Face, Drawing]) -> None:
    face, drawing = drawn
    style = PROVER._money.style(face.locale, face.currency)
    [part] = [
        p for p in drawing.parts if p.element.type == "text" and "{unit_price" in p.element.value
    ]
    checks._check_money_in_text(part, part.element, face, style)
    with pytest.raises(Broken):
        checks._check_money_in_text(part, part.element, replace(face, unit_price_minor=1395), style)
    with pytest.raises(Broken):
        checks._check_money_in_text(replace(part, cut=True), part.element, face, style)


def test_a_single_wrong_module_is_noticed() -> None:
    frame = Renderer().render(FACES["promotion"], PANEL, PROMOTION)
    checks._check_readable(frame, PANEL)
    canvas = unpack(frame.pixels, PANEL)
    code = frame.codes[0]
    spot = (slice(code.top, code.top + code.module_px), slice(code.left, code.left + 1))
    canvas[spot] = np.where(canvas[spot] == Ink.BLACK, Ink.WHITE, Ink.BLACK)
    with pytest.raises(Broken):
        checks._check_readable(replace(frame, pixels=pack(canvas, PANEL)), PANEL)
