"""A frame is spared a second look only where every byte of its codes is one that was proven."""

from random import Random

import numpy as np
import pytest

from esl.domain.panel import Encoding, Ink, Panel
from gateway.proofs import Proofs, token_of
from renderer.canvas import blank
from renderer.codes.modules import Modules
from renderer.codes.place import PlacedCode
from renderer.packing import Canvas, pack, unpack
from tests.panels import PANELS

KINDS = list({(p.encoding, p.turn, p.row_padding, p.ink_set): p for p in PANELS.values()}.values())


def a_code(panel: Panel) -> PlacedCode:
    """A square somewhere off the edges, on odd pixels."""
    dark = np.array(Random(1).choices([True, False], k=49), np.bool_).reshape(7, 7)
    modules = Modules.of(dark)
    left, top = panel.width_px // 3 | 1, panel.height_px // 3 | 1
    return PlacedCode("qr", "HTTPS://E.EXAMPLE/1", modules, left, top, 3, 21, (4, 5, 6, 7))


def drawn(panel: Panel, code: PlacedCode) -> Canvas:
    canvas = blank(panel)
    box = code.symbol_box
    inks = np.where(code.modules.dark(), np.uint8(Ink.BLACK), np.uint8(Ink.WHITE))
    canvas[box.top : box.bottom, box.left : box.right] = inks.repeat(3, axis=0).repeat(3, axis=1)
    return canvas


@pytest.mark.parametrize("panel", KINDS, ids=lambda panel: panel.panel_id)
def test_any_other_ink_in_a_code_or_its_quiet_zone_is_another_token(panel: Panel) -> None:
    code = a_code(panel)
    canvas = drawn(panel, code)
    proven = token_of(pack(canvas, panel), panel, (code,))
    box = code.quiet_box
    random = Random(2)
    corners = [(box.left, box.top), (box.right - 1, box.top), (box.left, box.bottom - 1)]
    inside = [
        (random.randrange(box.left, box.right), random.randrange(box.top, box.bottom))
        for _ in range(40)
    ]
    for x, y in [*corners, (box.right - 1, box.bottom - 1), *inside]:
        for ink in panel.inks:
            spoilt = canvas.copy()
            spoilt[y, x] = ink
            token = token_of(pack(spoilt, panel), panel, (code,))
            assert (token == proven) == (ink == canvas[y, x]), (x, y, ink)


@pytest.mark.parametrize("panel", KINDS, ids=lambda panel: panel.panel_id)
def test_what_is_far_from_the_codes_changes_no_token(panel: Panel) -> None:
    code = a_code(panel)
    canvas = drawn(panel, code)
    proven = token_of(pack(canvas, panel), panel, (code,))
    box, away = code.quiet_box, 8 if panel.encoding is Encoding.PLANES else 4
    canvas[: box.top - away] = Ink.BLACK
    canvas[box.bottom + away :] = Ink.BLACK
    canvas[:, : box.left - away] = Ink.BLACK
    canvas[:, box.right + away :] = Ink.BLACK
    assert not (unpack(pack(canvas, panel), panel) == blank(panel)).all()
    assert token_of(pack(canvas, panel), panel, (code,)) == proven


def test_the_same_pixels_meant_otherwise_are_another_token() -> None:
    panel = KINDS[0]
    code = a_code(panel)
    pixels = pack(drawn(panel, code), panel)
    other_modules = code._replace(modules=Modules.of(~code.modules.dark()))
    others = [
        code._replace(content="HTTPS://E.EXAMPLE/2"),
        code._replace(symbology="data-matrix"),
        code._replace(bearer_px=1),
        code.moved(right_px=1, down_px=0),
        other_modules,
    ]
    tokens = {token_of(pixels, panel, (meant,)) for meant in [code, *others]}
    assert len(tokens) == 1 + len(others)
    assert token_of(pixels, panel, (code, others[0])) not in tokens
    assert (
        token_of(pixels, panel, (code._replace(modules=Modules.of(code.modules.dark())),)) in tokens
    )


def test_proofs_are_bounded_and_the_latest_are_kept() -> None:
    proofs = Proofs(kept=10)
    for token in range(100):
        proofs.add(token)
        assert proofs.has(token)
        assert all(proofs.has(late) for late in range(max(0, token - 9), token))
    assert sum(proofs.has(token) for token in range(100)) <= 20
